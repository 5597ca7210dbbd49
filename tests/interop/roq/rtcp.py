"""RTCP: compound packets read, receiver reports written (RFC 3550, section 6)."""

import struct
from dataclasses import dataclass, field

from rtp import Malformed

SENDER_REPORT, RECEIVER_REPORT, DESCRIPTION, GOODBYE = 200, 201, 202, 203


@dataclass
class SenderReport:
    ssrc: int
    ntp: int
    rtp_timestamp: int
    packets: int
    octets: int


@dataclass
class Compound:
    types: list = field(default_factory=list)
    sender_reports: list = field(default_factory=list)
    cnames: dict = field(default_factory=dict)  # ssrc -> name
    gone: list = field(default_factory=list)


def parse(data):
    compound = Compound()
    if not data:
        raise Malformed("an empty RTCP packet")
    while data:
        if len(data) < 4 or data[0] >> 6 != 2:
            raise Malformed(f"RTCP header {data[:4].hex()}")
        length = 4 * (int.from_bytes(data[2:4], "big") + 1)
        if length > len(data):
            raise Malformed(f"RTCP packet of {length} bytes in {len(data)}")
        _read(compound, data[0] & 0x1F, data[1], data[4:length])
        compound.types.append(data[1])
        data = data[length:]
    return compound


def _read(compound, count, kind, body):
    if kind == SENDER_REPORT:
        if len(body) < 24 + 24 * count:
            raise Malformed(f"a sender report of {len(body)} bytes with {count} blocks")
        compound.sender_reports.append(SenderReport(*struct.unpack("!IQIII", body[:24])))
    elif kind == DESCRIPTION:
        for _ in range(count):
            ssrc, name, body = _chunk(body)
            compound.cnames[ssrc] = name
    elif kind == GOODBYE:
        if len(body) < 4 * count:
            raise Malformed(f"a goodbye of {count} sources in {len(body)} bytes")
        compound.gone += struct.unpack(f"!{count}I", body[: 4 * count])


def _chunk(body):
    """A chunk of SDES: whose it is, its CNAME, and what follows."""
    if len(body) < 8:
        raise Malformed("SDES chunk cut short")
    ssrc, name, at = int.from_bytes(body[:4], "big"), None, 4
    while at < len(body) and body[at]:
        if at + 2 > len(body) or at + 2 + body[at + 1] > len(body):
            raise Malformed("SDES item cut short")
        if body[at] == 1:
            name = body[at + 2 : at + 2 + body[at + 1]].decode()
        at += 2 + body[at + 1]
    return ssrc, name, body[4 * (at // 4 + 1) :]


def receiver_report(own, ssrc, source, last_report, since_last_report, cname):
    """RR and SDES about one source. `last_report` is the middle of the NTP time of its last SR, or
    0; `since_last_report` the seconds since that came."""
    expected = source.highest - min(source.timestamps) + 1
    block = struct.pack(
        "!IIIIII",
        ssrc,
        min(source.missing, 0x7FFFFF) | (source.missing * 256 // expected << 24),
        source.highest & 0xFFFFFFFF,
        int(source.jitter),
        last_report,
        int(since_last_report * 65536) if last_report else 0,
    )
    report = struct.pack("!BBHI", 0x81, RECEIVER_REPORT, 7, own) + block
    name = cname.encode()
    chunk = struct.pack("!I", own) + bytes((1, len(name))) + name
    chunk += bytes(4 - len(chunk) % 4)
    return report + struct.pack("!BBH", 0x81, DESCRIPTION, len(chunk) // 4) + chunk
