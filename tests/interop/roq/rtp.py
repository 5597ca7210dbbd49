"""RTP packets, and how a receiver follows their numbers (RFC 3550, sections 5.1 and A.1)."""

from dataclasses import dataclass


class Malformed(Exception):
    """What came is not what its RFC says it is."""


@dataclass
class Packet:
    marker: bool
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


def is_rtcp(data):
    """Whether a packet of a flow that carries both is RTCP (RFC 5761, section 4)."""
    return len(data) >= 2 and 192 <= data[1] <= 223


def parse(data):
    if len(data) < 12:
        raise Malformed(f"RTP of {len(data)} bytes")
    if data[0] >> 6 != 2:
        raise Malformed(f"RTP version {data[0] >> 6}")
    end = len(data)
    if data[0] & 0x20:
        padding = data[-1]
        if not 0 < padding <= end - 12:
            raise Malformed(f"RTP padding of {padding} in {end} bytes")
        end -= padding
    start = 12 + 4 * (data[0] & 0x0F)
    if data[0] & 0x10:
        if start + 4 > end:
            raise Malformed("RTP header extension cut short")
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
    if start > end:
        raise Malformed(f"RTP header of {start} in {end} bytes")
    return Packet(
        marker=bool(data[1] & 0x80),
        payload_type=data[1] & 0x7F,
        sequence=int.from_bytes(data[2:4], "big"),
        timestamp=int.from_bytes(data[4:8], "big"),
        ssrc=int.from_bytes(data[8:12], "big"),
        payload=data[start:end],
    )


class Source:
    """One source as its receiver sees it: which packets there were, and their jitter."""

    def __init__(self, clock_rate):
        self.clock_rate = clock_rate
        self.first = None
        self.highest = None
        self.timestamps = {}  # extended sequence -> timestamp
        self.duplicates = 0
        self.jitter = 0.0
        self._transit = None

    def receive(self, packet, arrival):
        """Takes a packet that arrived at `arrival` seconds."""
        if self.highest is None:
            self.first = self.highest = packet.sequence
        ahead = (packet.sequence - self.highest) & 0xFFFF
        extended = self.highest + (ahead if ahead < 0x8000 else ahead - 0x10000)
        if extended in self.timestamps:
            self.duplicates += 1
            return
        self.timestamps[extended] = packet.timestamp
        self.highest = max(self.highest, extended)
        transit = arrival * self.clock_rate - packet.timestamp
        if self._transit is not None:
            self.jitter += (abs(transit - self._transit) - self.jitter) / 16
        self._transit = transit

    @property
    def missing(self):
        if self.first is None:
            return 0
        return self.highest - min(self.timestamps) + 1 - len(self.timestamps)
