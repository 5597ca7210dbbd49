"""GStreamer's rtspsrc under somebody's remote control: play, pause, resume.

usage: remote.py HOST:PORT udp|tcp OUT.wav

Plays the speech as L16, says whether it goes as it is told to, a line a check, and writes what came
together. Seeking is left to others: after it rtspsrc 1.22 stands still, before GStreamer's own server too."""

import sys
import wave

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst

PLAYED, PAUSED, RESUMED = 2.0, 1.5, 2.5

RATE = 48000

address, transport, out = sys.argv[1:]
Gst.init(None)
pipeline = Gst.parse_launch(
    f"rtspsrc location=rtsp://{address}/speech?codec=l16 protocols={transport} latency=100 "
    "! rtpL16depay name=depay ! audioconvert ! fakesink sync=true")
heard = bytearray()


def listen(_pad, info):
    heard.extend(info.get_buffer().extract_dup(0, info.get_buffer().get_size()))
    return Gst.PadProbeReturn.OK


pipeline.get_by_name("depay").get_static_pad("src").add_probe(Gst.PadProbeType.BUFFER, listen)
failed = 0


def hold(what, holds, found):
    global failed
    failed += not holds
    print(f"{'holds' if holds else 'FAILS'}  {what}: {found}", flush=True)


def wait(seconds):
    """Whether the end came meanwhile; an error ends it all."""
    message = pipeline.get_bus().timed_pop_filtered(
        int(seconds * Gst.SECOND), Gst.MessageType.ERROR | Gst.MessageType.EOS)
    if message and message.type == Gst.MessageType.ERROR:
        hold("no error comes", False, message.parse_error()[0].message)
        sys.exit(1)
    return message is not None


def take():
    """What has come since, as little-endian samples, with its length in seconds."""
    big = bytes(heard)
    heard.clear()
    little = bytearray(len(big))
    little[0::2], little[1::2] = big[1::2], big[0::2]
    return bytes(little), len(big) / 2 / RATE


pipeline.set_state(Gst.State.PLAYING)
wait(PLAYED + 0.5)
pipeline.set_state(Gst.State.PAUSED)
wait(0.3)
before, length = take()
hold("it plays", length > PLAYED / 2, f"{length:.2f} s came")
wait(PAUSED)
while_paused, length = take()
hold("nothing comes while it is paused", length <= 0.1, f"{length:.2f} s came")
pipeline.set_state(Gst.State.PLAYING)
wait(RESUMED)
after, length = take()
hold("it resumes", length > RESUMED / 2, f"{length:.2f} s came")
with wave.open(out, "wb") as file:
    file.setnchannels(1)
    file.setsampwidth(2)
    file.setframerate(RATE)
    file.writeframes(before + while_paused + after)

pipeline.set_state(Gst.State.NULL)
sys.exit(1 if failed else 0)
