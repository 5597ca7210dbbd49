"""Plays from an RTP-over-QUIC server and holds what comes against the drafts: a client that shares no
line with the streamer and player of this repository.

usage: client.py quic://HOST:PORT/NAME --units N [--cues N] [--lossy]

A line a check; exit status 0 only if all of them hold. Across a link that loses packets (--lossy) datagrams
may be missing, and are counted; what comes on streams may not."""

import argparse
import asyncio
import random
import ssl
import sys
from urllib.parse import urlsplit

from aioquic.asyncio import connect
from aioquic.quic.configuration import QuicConfiguration

import rtcp
import rtsp
from session import Session

ALPN = "roq-10"
AUDIO_FLOW, TEXT_FLOW = 1, 0x4B  # the second takes two bytes
CNAME = "roq-interop@localhost"


class Checks:
    def __init__(self):
        self.failed = 0

    def hold(self, what, holds, found=""):
        self.failed += not holds
        print(f"{'holds' if holds else 'FAILS'}  {what}{f': {found}' if found != '' else ''}", flush=True)


def first(media, kind):
    found = [medium for medium in media if medium.kind == kind]
    if not found:
        raise ValueError(f"the SDP has no {kind}")
    return found[0]


async def set_up(session, checks, base, medium, number, name):
    """Sets up a medium as a flow; gives the session's name."""
    session.open_flow(number, medium)
    transport = f"{medium.profile}/QUIC;unicast;flow={number}"
    headers = {"Transport": transport} | ({"Session": name} if name else {})
    answer = await session.ask("SETUP", rtsp.control(base, medium), **headers)
    granted = rtsp.parameters(answer.headers.get("transport", ""))
    checks.hold(f"SETUP of {medium.kind} is granted on flow {number}",
                answer.status == 200 and granted.get("flow") == str(number),
                f"{answer.status} {answer.headers.get('transport')}")
    return answer.headers.get("session", "").partition(";")[0]


async def play(session, checks, url, arguments):
    answer = await session.ask("DESCRIBE", url, Accept="application/sdp", Supported="cantus.media")
    checks.hold("DESCRIBE brings SDP", answer.status == 200
                and answer.headers.get("content-type") == "application/sdp", answer.status)
    base = answer.headers.get("content-base", url)
    media = rtsp.media(answer.body)
    audio = first(media, "audio")
    name = await set_up(session, checks, base, audio, AUDIO_FLOW, None)
    text = None
    if arguments.cues is not None:
        text = first(media, "text")
        await set_up(session, checks, base, text, TEXT_FLOW, name)

    answer = await session.ask("PLAY", base, Session=name, Range="npt=0-")
    checks.hold("PLAY is granted", answer.status == 200, answer.status)
    start = rtsp.rtp_info(answer.headers.get("rtp-info", ""))[0]
    await until_goodbye(session, session.flows[AUDIO_FLOW], random.getrandbits(32))
    check_audio(session, checks, session.flows[AUDIO_FLOW], start, arguments)
    if text:
        check_text(checks, session.flows[TEXT_FLOW], arguments.cues)
    answer = await session.ask("TEARDOWN", base, Session=name)
    checks.hold("TEARDOWN is granted", answer.status == 200, answer.status)
    checks.hold("everything that came could be read", not session.faults, "; ".join(session.faults[:3]))
    checks.hold("no datagram was of another flow", not session.early, f"{len(session.early)} were")
    checks.hold("the server has not closed the connection", session.close_code is None)


async def until_goodbye(session, flow, own):
    """Reports once a second until the source has said goodbye and what it sent before has come, or
    until nothing at all has come for five seconds."""
    silent, before = 0, -1
    while silent < 5 and not any(compound.gone for compound in flow.compounds):
        await asyncio.sleep(1)
        session.send_report(flow, own, CNAME)
        silent, before = (0 if flow.datagrams > before else silent + 1), flow.datagrams


def check_audio(session, checks, flow, start, arguments):
    checks.hold("the flow of the audio carries one source", len(flow.sources) == 1,
                [f"{ssrc:08x}" for ssrc in flow.sources])
    if not flow.sources:
        return
    (ssrc, source), = flow.sources.items()
    checks.hold("its payload type is that of the SDP",
                flow.payload_types == {flow.medium.payload_types[0]}, flow.payload_types)
    check_numbers(checks, flow, source, start, arguments.units)
    gone = any(ssrc in compound.gone for compound in flow.compounds)
    lost = arguments.units - len(source.timestamps) + (not gone)
    checks.hold("what was lost is counted" if arguments.lossy else "every unit came, and the goodbye",
                arguments.lossy or lost == 0, f"{len(source.timestamps)} of {arguments.units}, {lost} lost")
    checks.hold("nothing of it came on a stream", flow.on_streams == 0)
    check_reports(checks, flow, ssrc, arguments.units if gone else None)
    checks.hold("the protocol is that of the draft", session.alpn == ALPN, session.alpn)


def check_numbers(checks, flow, source, start, units):
    """From where RTP-Info says to the last unit, by the packet time of the SDP."""
    ticks = flow.medium.clock_rate * int(flow.medium.value("ptime")) // 1000
    base = min(source.timestamps)
    first = base - ((base - int(start["seq"])) & 0xFFFF)
    astray = [number for number, timestamp in source.timestamps.items()
              if not 0 <= number - first < units
              or timestamp != (int(start["rtptime"]) + ticks * (number - first)) & 0xFFFFFFFF]
    checks.hold("numbers and timestamps are those of RTP-Info and SDP", not astray, f"{len(astray)} are not")
    checks.hold("nothing came twice", source.duplicates == 0, f"{source.duplicates} did")


def check_reports(checks, flow, ssrc, sent):
    """Of `sent` packets, if the last report came."""
    reports = [report for compound in flow.compounds for report in compound.sender_reports]
    checks.hold("there are sender reports, all of this source",
                bool(reports) and all(report.ssrc == ssrc for report in reports), f"{len(reports)} reports")
    first = [compound.types[0] for compound in flow.compounds if compound.sender_reports]
    checks.hold("compound packets begin with the report", set(first) <= {rtcp.SENDER_REPORT}, set(first))
    cnames = {name for compound in flow.compounds for name in compound.cnames.values()}
    checks.hold("the source has one CNAME", len(cnames) == 1, cnames)
    checks.hold("the last report counts the packets", bool(reports) and sent in (None, reports[-1].packets),
                reports and reports[-1].packets)
    apart = [a for a, b in zip(reports, reports[1:]) if not on_one_line(a, b, flow.medium.clock_rate)]
    checks.hold("NTP and RTP time of all reports lie on one line", not apart, f"{len(apart)} do not")


def on_one_line(a, b, clock_rate):
    """Whether two reports agree on how NTP and RTP time go together, to within 2 ms."""
    ticks = (b.rtp_timestamp - a.rtp_timestamp) & 0xFFFFFFFF
    return abs((b.ntp - a.ntp) / 2**32 - ticks / clock_rate) < 0.002


def check_text(checks, flow, cues):
    checks.hold("the subtitles came on a stream, and only there",
                flow.on_streams == sum(len(s.timestamps) for s in flow.sources.values()),
                f"{flow.on_streams} packets")
    checks.hold("every cue came, once", flow.on_streams == cues, f"{flow.on_streams} of {cues}")
    checks.hold("their payload type is that of the SDP",
                flow.payload_types == set(flow.medium.payload_types), flow.payload_types)


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--units", type=int, required=True, help="how many packets of audio there are")
    parser.add_argument("--cues", type=int, help="how many subtitles; without it none are asked for")
    parser.add_argument("--lossy", action="store_true", help="whether the link loses packets")
    arguments = parser.parse_args()
    where = urlsplit(arguments.url)
    # Who the server is does not matter here: it was started a moment ago, on this machine.
    configuration = QuicConfiguration(
        alpn_protocols=[ALPN], max_datagram_frame_size=65536, verify_mode=ssl.CERT_NONE)
    checks = Checks()
    try:
        async with connect(where.hostname, where.port, configuration=configuration,
                           create_protocol=Session) as session:
            await play(session, checks, arguments.url, arguments)
    except (ConnectionError, asyncio.TimeoutError, ValueError, IndexError) as fault:
        checks.hold("the dialogue goes through", False, repr(fault))
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
