"""A network of its own for a case that speaks to a group: what is sent there stays there."""

import subprocess


class Namespace:
    """A network namespace whose loopback device carries multicast."""

    def __init__(self, name):
        self.name = name
        _ip("netns", "add", name)
        _ip("-n", name, "link", "set", "dev", "lo", "multicast", "on", "up")
        _ip("-n", name, "route", "add", "224.0.0.0/4", "dev", "lo")

    def inside(self, words):
        """The words of a command that runs in it."""
        return ["ip", "netns", "exec", self.name, *words]

    def remove(self):
        _ip("netns", "delete", self.name)


def _ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True)
