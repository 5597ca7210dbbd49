"""GStreamer's RTSP server, with the speech in every encoding that our player knows.

usage: server.py HOST:PORT MEDIA-DIRECTORY"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer

address, media = sys.argv[1:]
host, port = address.split(":")
Gst.init(None)


def source(name):
    return f'filesrc location="{media}/{name}.wav" ! wavparse ! audioconvert ! audioresample ! '


narrow = source("speech") + "audio/x-raw,rate=8000,channels=1 ! "
MOUNTS = {
    "opus": source("speech") + "opusenc ! rtpopuspay name=pay0 pt=96",
    "l16": source("speech") + "rtpL16pay name=pay0 pt=97",
    "l16-44": source("music") + "rtpL16pay name=pay0",
    "pcmu": narrow + "mulawenc ! rtppcmupay name=pay0",
    "pcma": narrow + "alawenc ! rtppcmapay name=pay0",
}

# What is lost is sent again to who asks (RFC 4585, RFC 4588).
REPAIRED = {"opus-again": MOUNTS["opus"]}

server = GstRtspServer.RTSPServer(address=host, service=port)
for name, launch in (MOUNTS | REPAIRED).items():
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(f"( {launch} )")
    if name in REPAIRED:
        factory.set_profiles(GstRtsp.RTSPProfile.AVPF)
        factory.set_retransmission_time(Gst.SECOND)
    server.get_mount_points().add_factory(f"/{name}", factory)
server.attach(None)
GLib.timeout_add_seconds(120, lambda: sys.exit(0))
GLib.MainLoop().run()
