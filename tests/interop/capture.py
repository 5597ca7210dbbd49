"""A session as Wireshark sees it."""

import math
import subprocess
import time

from fault import Fault
from process import Child


def start(host, directory):
    """Captures everything to and from an address, from the moment that it says so."""
    child = Child(["tshark", "-q", "-i", "lo", "-f", f"host {host}", "-w", str(directory / "wire.pcap")],
                  directory / "tshark.log")
    end = time.monotonic() + 15
    while time.monotonic() < end and child.running() and "Capturing" not in child.log.read_text():
        time.sleep(0.05)
    time.sleep(0.5)
    return child


def _tshark(directory, port, keep, *fields):
    """The fields of the packets to be kept, a line a packet; their summaries, if none is named."""
    command = ["tshark", "-r", directory / "wire.pcap", "-d", f"tcp.port=={port},rtsp", "-Y", keep]
    if fields:
        command += ["-T", "fields", *(word for field in fields for word in ("-e", field))]
    return subprocess.run(command, capture_output=True, text=True, timeout=120).stdout.splitlines()


def judge(directory, port, expect, stream):
    """Holds what Wireshark reads against what our player reports, in its receiver reports and at the end,
    of the stream with the most packets."""
    wrong = _tshark(directory, port, "_ws.malformed || _ws.expert.severity >= error")
    if wrong:
        raise Fault(f"{len(wrong)} packets malformed or in error: {wrong[0].strip()}")
    read = _tshark(directory, port, "rtcp", "rtcp.pt")
    kinds = sorted({kind for line in read for kind in line.split(",") if kind})
    source, packets = _media(directory, port)
    numbers = [number for _, number, _ in packets]
    if len(numbers) < 100:
        raise Fault(f"only {len(numbers)} packets of media were captured")
    reported, highest = _last_report(directory, port, source)
    lost = _lost([number for number in numbers if (highest - number) % 65536 < 32768])
    if lost != reported:
        raise Fault(f"tshark sees {lost} packets lost, our last receiver report tells of {reported}")
    lost, units = _lost(numbers), stream["lost_network"]
    # A packet may hold several units.
    if not lost <= units <= lost * math.ceil(expect.get("packet", 0.02) / 0.02):
        raise Fault(f"tshark sees {lost} packets lost, we report {units} units")
    theirs, ours = _jitter(packets, expect["clock"]), stream["jitter_ms"]["rfc3550"]
    if abs(theirs - ours) > 0.05 * theirs and abs(theirs - ours) > 0.1:
        raise Fault(f"jitter by tshark's times {theirs:.2f} ms, we report {ours:.2f} ms")
    return (f"nothing malformed, RTCP {' '.join(kinds)}; lost {lost} by both; "
            f"jitter {theirs:.2f} ms, reported {ours:.2f} ms")


def _lost(numbers):
    return numbers[-1] - numbers[0] + 1 - len(set(numbers))


def _last_report(directory, port, source):
    """How many packets of a source the last receiver report says are lost, up to which number."""
    fields = ("rtcp.ssrc.identifier", "rtcp.ssrc.cum_nr", "rtcp.ssrc.high_seq")
    rows = [line.split("\t") for line in _tshark(directory, port, "rtcp.pt == 201", *fields)]
    blocks = [[column.split(",")[0] for column in row] for row in rows]
    told = [(int(lost), int(highest)) for ssrc, lost, highest in blocks if ssrc == source and highest]
    if not told:
        raise Fault("no receiver report on it was captured")
    return told[-1]


def _media(directory, port):
    """The source that has the most packets: arrival, extended number and timestamp of each."""
    fields = ("frame.time_epoch", "rtp.ssrc", "rtp.extseq", "rtp.timestamp")
    rows = [line.split("\t") for line in _tshark(directory, port, "rtp && !rtcp", *fields)]
    rows = [row for row in rows if len(row) == 4 and all(row)]
    sources = [row[1] for row in rows]
    most = max(set(sources), key=sources.count, default=None)
    return most, [(float(when), int(number), int(stamp)) for when, ssrc, number, stamp in rows if ssrc == most]


def _jitter(packets, clock):
    """Interarrival jitter in ms as it stands at the end (RFC 3550, section A.8), by Wireshark's times: it
    shows none itself where the payload type is a dynamic one."""
    jitter, before = 0.0, None
    for when, _, stamp in packets:
        transit = when * clock - stamp
        if before is not None:
            jitter += (abs(transit - before) - jitter) / 16
        before = transit
    return 1000 * jitter / clock
