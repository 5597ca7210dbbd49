"""A QUIC connection that speaks RTP over QUIC: flow 0 is RTSP, the others are RTP sessions."""

import asyncio
import time

from aioquic.asyncio import QuicConnectionProtocol
from aioquic.quic import events

import rtcp
import rtp
import rtsp
import varint

CONTROL_FLOW = 0


class Flow:
    """An RTP session: what came on its flow identifier, in datagrams and on streams."""

    def __init__(self, number, medium):
        self.number = number
        self.medium = medium
        self.sources = {}  # ssrc -> rtp.Source
        self.payload_types = set()
        self.compounds = []
        self.datagrams = 0
        self.on_streams = 0
        self.last_report = (0, 0.0)

    def receive(self, data, now):
        if rtp.is_rtcp(data):
            compound = rtcp.parse(data)
            self.compounds.append(compound)
            for report in compound.sender_reports:
                self.last_report = (report.ntp >> 16 & 0xFFFFFFFF, now)
            return
        packet = rtp.parse(data)
        self.payload_types.add(packet.payload_type)
        source = self.sources.setdefault(packet.ssrc, rtp.Source(self.medium.clock_rate))
        source.receive(packet, now)


class Session(QuicConnectionProtocol):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.alpn = None
        self.flows = {}
        self.faults = []
        self.early = []  # datagrams that overtook the answer that would have told whose they are
        self.close_code = None
        self._dialogue = rtsp.Dialogue()
        self._answers = asyncio.Queue()
        self._control = None
        self._streams = {}  # stream -> [bytes so far, flow or None]

    # Control

    async def ask(self, method, url, **headers):
        data = self._dialogue.request(method, url, **headers)
        if self._control is None:
            self._control = self._quic.get_next_available_stream_id()
            data = varint.encode(CONTROL_FLOW) + data
        self._quic.send_stream_data(self._control, data)
        self.transmit()
        response = await asyncio.wait_for(self._answers.get(), 10)
        if response.headers.get("cseq") != str(self._dialogue.cseq):
            self.faults.append(f"answer {response.headers.get('cseq')} to {self._dialogue.cseq}")
        return response

    def open_flow(self, number, medium):
        self.flows[number] = Flow(number, medium)
        waiting, self.early = self.early, []
        for data, now in waiting:
            self._datagram(data, now)

    def send_report(self, flow, own, cname):
        """Reports on the flow's one source, in a datagram of its own."""
        for ssrc, source in flow.sources.items():
            middle, came = flow.last_report
            report = rtcp.receiver_report(own, ssrc, source, middle, time.monotonic() - came, cname)
            self._quic.send_datagram_frame(varint.encode(flow.number) + report)
        self.transmit()

    # What comes

    def quic_event_received(self, event):
        try:
            if isinstance(event, events.ProtocolNegotiated):
                self.alpn = event.alpn_protocol
            elif isinstance(event, events.DatagramFrameReceived):
                self._datagram(event.data, time.monotonic())
            elif isinstance(event, events.StreamDataReceived):
                self._stream(event.stream_id, event.data, event.end_stream)
            elif isinstance(event, events.ConnectionTerminated):
                self.close_code = event.error_code
        except (rtp.Malformed, ValueError) as fault:
            self.faults.append(str(fault))

    def _datagram(self, data, now):
        header = varint.decode(data)
        if header is None:
            raise rtp.Malformed("a datagram without a flow identifier")
        number, length = header
        flow = self.flows.get(number)
        if flow is None:
            self.early.append((data, now))
            return
        flow.datagrams += 1
        flow.receive(data[length:], now)

    def _stream(self, stream, data, ended):
        if stream == self._control:
            while response := self._dialogue.response(data):
                self._answers.put_nowait(response)
                data = b""
            return
        if not (stream & 1 and stream & 2):
            raise rtp.Malformed(f"stream {stream} is not one that a server opened, one way")
        state = self._streams.setdefault(stream, [b"", None])
        state[0] += data
        if state[1] is None and (header := varint.decode(state[0])):
            number, length = header
            if number not in self.flows:
                raise rtp.Malformed(f"a stream of flow {number}, which was not set up")
            state[0], state[1] = state[0][length:], self.flows[number]
        while state[1] and (header := varint.decode(state[0])):
            size, length = header
            if len(state[0]) < length + size:
                break
            packet, state[0] = state[0][length : length + size], state[0][length + size :]
            state[1].on_streams += 1
            state[1].receive(packet, time.monotonic())
        if ended and state[0]:
            raise rtp.Malformed(f"stream {stream} ends in the middle of a packet")
