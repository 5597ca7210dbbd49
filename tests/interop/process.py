"""Children, each ended by its own id, and the ports that they are given."""

import pathlib
import random
import shlex
import signal
import socket
import subprocess
import threading
import time

_given = set()
_lock = threading.Lock()


class Child:
    """A program that runs, of which the words are given; what it prints goes to a file."""

    def __init__(self, words, log):
        self.command = shlex.join(words)
        self.log = log
        with open(log, "wb") as output:
            self.process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)

    def running(self):
        return self.process.poll() is None

    def wait(self, limit):
        """Its exit status; None if it had to be ended after `limit` seconds."""
        try:
            return self.process.wait(limit)
        except subprocess.TimeoutExpired:
            self.end()
            return None

    def end(self):
        """As Ctrl-C does, and harder if that is not enough."""
        for how, patience in ((signal.SIGINT, 3), (signal.SIGTERM, 2), (signal.SIGKILL, 5)):
            if not self.running():
                return
            self.process.send_signal(how)
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                pass

    def last_line(self):
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else ""


def free_ports(host):
    """The first of four ports in a row, an even one, of which none is taken or was given before."""
    for _ in range(1000):
        first = random.randrange(20000, 32000, 4)
        with _lock:
            if first in _given:
                continue
            _given.add(first)
        if all(_bindable(host, port) for port in range(first, first + 4)):
            return first
    raise OSError(f"no four ports in a row are free on {host}")


def _bindable(host, port):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind((host, port))
            except OSError:
                return False
    return True


def await_port(port, child, patience=20):
    """Waits until a socket is bound to the port where the child is; whether that came about."""
    end = time.monotonic() + patience
    while time.monotonic() < end and child.running():
        if any(_bound(port, child.process.pid, table) for table in ("tcp", "udp", "tcp6", "udp6")):
            return True
        time.sleep(0.05)
    return False


def _bound(port, pid, table):
    try:
        lines = pathlib.Path(f"/proc/{pid}/net", table).read_text().splitlines()[1:]
    except OSError:
        return False
    return any(line.split()[1].endswith(f":{port:04X}") for line in lines)
