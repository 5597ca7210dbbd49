"""The table of cases, as data: `cases.toml`."""

import pathlib
import tomllib
from dataclasses import dataclass, field

TABLE = pathlib.Path(__file__).with_name("cases.toml")


@dataclass(frozen=True)
class Server:
    """What is started before the program that is tried, and ended after it."""

    run: str
    needs: tuple = ()
    # How a link is put before it: "rtsp" with the media of its sessions, "udp" the port itself, "rtp"
    # the port and the next one.
    relay: str = "rtsp"
    # Whether it is to end by itself, because it is the one that hears.
    ends: bool = False


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
    sound: str = ""
    subset: bool = False
    limit: int = 60
    expect: dict = field(default_factory=dict)

    @property
    def peers(self):
        return {*self.needs, *self.server.needs}


def load():
    """All cases, one for each link that they name."""
    table = tomllib.loads(TABLE.read_text())
    servers = {
        name: Server(**server | {"needs": tuple(server.get("needs", ()))})
        for name, server in table["server"].items()
    }
    cases = []
    for entry in table["case"]:
        links = entry.pop("links", ["clean"])
        in_subset = entry.pop("subset", [])
        server = servers[entry.pop("server")]
        needs = tuple(entry.pop("needs", ()))
        cases += [
            Case(link=link, server=server, needs=needs, subset=link in in_subset, **entry)
            for link in links
        ]
    return cases
