"""One case, run: the server, the link before it, the program that is tried, and what came of it."""

import csv
import os
import re
import shlex
import shutil
import time
from dataclasses import dataclass

import checks
from fault import Fault
from namespace import Namespace
from process import Child, await_port, free_ports

# How many ports in a row the link is put before, by `relay`.
PORTS = {"rtsp": 1, "udp": 1, "rtp": 2, "roc": 3}


@dataclass
class Result:
    case: object
    outcome: str  # passed, FAILED or NOT RUN
    detail: str
    seconds: float = 0.0


class Trial:
    def __init__(self, case, number, setting):
        self.case = case
        self.setting = setting
        # Addresses of its own: what is captured there is of this case alone.
        self.host = case.server.host or f"{'239.255.77' if case.group else '127.77.0'}.{number}"
        self.near = f"127.77.1.{number}"
        name = re.sub(r"\W+", "-", f"{case.who} {case.whom} {case.what} {case.link}").strip("-")
        self.directory = setting.work / "runs" / name.lower()
        self.namespace = None
        self.children = []

    def run(self):
        started = time.monotonic()
        try:
            outcome, detail = "passed", self._run()
        except Fault as fault:
            outcome, detail = "FAILED", str(fault)
        except Exception as surprise:  # whatever it is, it is this case's failure, and the others go on
            outcome, detail = "FAILED", repr(surprise)
        finally:
            for child in reversed(self.children):
                child.end()
            if self.namespace:
                self.namespace.remove()
        return Result(self.case, outcome, detail, time.monotonic() - started)

    def set_aside(self, why):
        """Keeps what an earlier run has left, under a name that says why."""
        kept = self.directory.with_name(f"{self.directory.name}-{why}")
        shutil.rmtree(kept, ignore_errors=True)
        self.directory.rename(kept)

    def _run(self):
        self.directory.mkdir(parents=True, exist_ok=True)
        for old in self.directory.iterdir():
            old.unlink()
        if self.case.group:
            self.namespace = Namespace(f"cantus-{os.getpid()}-{self.host}")
        port = free_ports("127.0.0.1" if self.case.group else self.host)
        if self.case.server.first:
            first = self._start(self.case.server.first, port, self.host, "first.log", None)
            self._await_end("what comes first", first)
        server = self._start(self.case.server.run, port, self.host, "server.log",
                             self.case.server.port or port)
        if self.case.clean:
            at, host = port, self.host
        else:
            at, host = self._put_link_before(port), self.near
        self.at = at
        watch = checks.watcher(self.case.check)
        if watch:
            self.children.append(watch(host, self.directory))
        self.client = client = self._start(self.case.command, at, host, "client.log", None)
        status = client.wait(self.case.limit)
        if status is None:
            raise Fault(f"not over after {self.case.limit} s: {client.last_line()}")
        if self.case.server.ends:
            self._await_end("the receiver", server)
        time.sleep(self.case.server.linger)
        for child in reversed(self.children):
            child.end()
        return checks.CHECKS[self.case.check](self, status)

    def _start(self, command, port, host, log, awaited):
        fill = self.setting.names | {
            "at": f"{host}:{port}", "host": host, "port": port, "next": port + 1, "third": port + 2,
            "over": self.case.over, "dir": self.directory,
            "out": self.directory / "out.wav", "report": self.directory / "report.json",
        }
        # Split before it is filled in: a path may hold a space.
        words = [word.format(**fill) for word in shlex.split(command.replace("{how}", self.case.how))]
        if self.namespace:
            words = self.namespace.inside(words)
        child = Child(words, self.directory / log)
        (self.directory / log.replace(".log", ".command")).write_text(child.command + "\n")
        self.children.append(child)
        if awaited and not await_port(awaited, child):
            raise Fault(f"{words[0]} does not listen: {child.last_line()}")
        return child

    def _await_end(self, name, child):
        status = child.wait(15)
        if status is None:
            raise Fault(f"{name} does not end: {child.last_line()}")
        if status != 0:
            raise Fault(f"{name} ends with exit status {status}: {child.last_line()}")

    def _put_link_before(self, port):
        """Starts the relay; the port at which the server is then reached."""
        at = free_ports(self.near)
        where = " ".join(f"--listen {self.near}:{at + n} --to {self.host}:{port + n}"
                         for n in range(PORTS[self.case.server.relay]))
        rtsp = "--rtsp " if self.case.server.relay == "rtsp" else ""
        # With the luck of this seed something is lost in every few seconds, whoever sends.
        self._start(f"{{bench}} netem --seed 2 {rtsp}--log {{dir}}/link.csv {where} -- {self.case.link}",
                    at, self.near, "link.log", at)
        return at

    def lost(self, with_reports=False):
        """How many media packets the link has lost on their way to who listens; reports, if they count."""
        if self.case.clean:
            return 0
        onward = "to server" if self.case.server.hears else "to client"
        with open(self.directory / "link.csv", newline="") as file:
            lost = [row for row in csv.DictReader(file)
                    if row["direction"] == onward and row["fate"] == "lost"]
        return sum(with_reports or row["kind"] != "rtcp" for row in lost)
