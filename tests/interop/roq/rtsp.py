"""RTSP 1.0 over a byte stream (RFC 2326), and what is needed of the SDP that it brings (RFC 8866)."""

from dataclasses import dataclass, field


@dataclass
class Response:
    status: int
    headers: dict
    body: bytes


class Dialogue:
    """Numbers requests and cuts answers out of what comes."""

    def __init__(self):
        self.cseq = 0
        self.received = b""

    def request(self, method, url, **headers):
        self.cseq += 1
        lines = [f"{method} {url} RTSP/1.0", f"CSeq: {self.cseq}", "User-Agent: roq-interop"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        return "\r\n".join(lines + ["", ""]).encode()

    def response(self, data=b""):
        """The next answer, once all of it is there."""
        self.received += data
        head, found, rest = self.received.partition(b"\r\n\r\n")
        if not found:
            return None
        status, *lines = head.decode().split("\r\n")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        length = int(headers.get("content-length", 0))
        if len(rest) < length:
            return None
        self.received = rest[length:]
        return Response(int(status.split()[1]), headers, rest[:length])


@dataclass
class Medium:
    kind: str
    profile: str
    payload_types: list
    attributes: list = field(default_factory=list)

    def value(self, name):
        """The value of the first attribute of that name."""
        return next((v for n, v in self.attributes if n == name), None)

    @property
    def clock_rate(self):
        return int(self.value("rtpmap").split("/")[1])


def media(sdp):
    found = []
    for line in sdp.decode().splitlines():
        kind, _, value = line.partition("=")
        if kind == "m":
            what, _port, profile, *types = value.split()
            numbers = [int(t) for t in types] if "RTP" in profile else types
            found.append(Medium(what, profile, numbers))
        elif kind == "a" and found:
            name, _, rest = value.partition(":")
            found[-1].attributes.append((name, rest))
    return found


def control(base, medium):
    """Where a medium is controlled. (urllib joins no URL whose scheme it does not know.)"""
    path = medium.value("control")
    return path if "://" in path else base.rstrip("/") + "/" + path


def parameters(header):
    """`a;b=c` as {"a": "", "b": "c"}."""
    return dict((part.partition("=")[0].strip(), part.partition("=")[2]) for part in header.split(";"))


def rtp_info(header):
    """RTP-Info as its streams, in their order: {"url": .., "seq": .., "rtptime": ..}."""
    return [parameters(stream.strip()) for stream in header.split(",")]
