"""The table of cases, as data: `cases.toml`."""

import pathlib
import tomllib
from dataclasses import dataclass, field

CLEAN = "clean"
TABLE = pathlib.Path(__file__).with_name("cases.toml")


@dataclass(frozen=True)
class Server:
    """What is started before the program that is tried, and ended after it."""

    run: str
    needs: tuple = ()
    # What is run to its end before it, for a file that it reads.
    first: str = ""
    # How a link is put before it: "rtsp" with the media of its sessions, "udp" the port itself, "rtp"
    # the port and the next one, "roc" the next two.
    relay: str = "rtsp"
    # Where it listens, if it cannot be anywhere.
    host: str = ""
    # Where it is bound when it is ready, if that is not where it is reached.
    port: int = 0
    # Whether it is to end by itself, because it is the one that hears.
    ends: bool = False
    # Seconds to play what it holds back, where it hears and does not end by itself.
    linger: float = 0

    @property
    def hears(self):
        """Whether it is the one that hears: it is sent to, and sends no media."""
        return self.relay in ("rtp", "roc")


@dataclass(frozen=True)
class Case:
    who: str
    whom: str
    what: str
    link: str
    run: str
    check: str
    server: Server
    needs: tuple = ()
    across: str = ""
    how: str = ""
    # Whether it is a group that is sent to, in a network namespace of its own.
    group: bool = False
    over: str = ""
    sound: str = ""
    subset: bool = False
    limit: int = 60
    expect: dict = field(default_factory=dict)

    @property
    def clean(self):
        return self.link == CLEAN

    @property
    def command(self):
        return self.run if self.clean else f"{self.run} {self.across}"

    @property
    def repaired(self):
        """Whether what the link loses comes all the same: over TCP, or because it is asked for."""
        return self.over == "tcp" or self.expect.get("repaired", False)

    @property
    def peers(self):
        return {*self.needs, *self.server.needs, *(["namespaces"] if self.group else [])}


def load():
    """All cases, one for each way and link that they name."""
    table = tomllib.loads(TABLE.read_text())
    servers = {
        name: Server(**server | {"needs": tuple(server.get("needs", ()))})
        for name, server in table["server"].items()
    }
    cases = []
    for entry in table["case"]:
        entry |= {"server": servers[entry["server"]], "needs": tuple(entry.get("needs", ()))}
        links, over = entry.pop("links", [CLEAN]), entry.pop("over", [""])
        in_subset = entry.pop("subset", [])
        cases += [
            Case(**entry | {"what": entry["what"].format(over=way.upper())}, link=link, over=way,
                 subset=f"{way} {link}".strip() in in_subset)
            for way in over for link in links
        ]
    return cases
