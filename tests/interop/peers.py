"""The programs of others: which are here, which can be had, and of what version they are."""

import os
import pathlib
import shutil
import subprocess

# Debian's own: the one that has `gi`, whatever python3 comes first.
SYSTEM_PYTHON = "/usr/bin/python3"


class Peer:
    """A program of others: how it is recognised, where it comes from, how it tells its version; where it
    comes from nowhere, why it is not here."""

    def __init__(self, name, present, packages, version, lack=""):
        self.name = name
        self.present = present
        self.packages = packages
        self.version = version
        self.lack = lack


def _has(program):
    return lambda: shutil.which(program) is not None


def _element(name):
    return lambda: _quietly(["gst-inspect-1.0", "--exists", name])


def _gstreamer():
    return _has("gst-launch-1.0")() and all(_element(e)() for e in ("rtspsrc", "rtpL16depay", "opusdec"))


def _gi():
    lines = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"
    return _quietly([SYSTEM_PYTHON, "-c", lines])


def _quietly(command):
    try:
        return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


PEERS = [
    Peer("ffmpeg", _has("ffmpeg"), ["ffmpeg"], ["ffmpeg", "-version"]),
    Peer("mpv", _has("mpv"), ["mpv"], ["mpv", "--version"]),
    Peer("gstreamer", _gstreamer,
         ["gstreamer1.0-tools", "gstreamer1.0-plugins-base", "gstreamer1.0-plugins-good"],
         ["gst-launch-1.0", "--version"]),
    Peer("gst-rtsp-server", _gi,
         ["gir1.2-gst-rtsp-server-1.0", "python3-gi", "gstreamer1.0-plugins-base",
          "gstreamer1.0-plugins-good"],
         ["gst-launch-1.0", "--version"]),
    Peer("tshark", _has("tshark"), ["tshark"], ["tshark", "--version"]),
    Peer("vlc", _has("vlc"), ["vlc-bin", "vlc-plugin-base"], ["dpkg-query", "--show", "vlc-bin"]),
    Peer("roc", lambda: _has("roc-recv")() and _has("roc-send")(), [], ["roc-recv", "--version"],
         lack="roc-recv and roc-send are in no package, nor on the PATH"),
    Peer("namespaces", lambda: _has("ip")() and _quietly(["unshare", "--net", "true"]), [], ["ip", "-V"],
         lack="a group is sent to in a network namespace, which takes root"),
]

REQUIREMENTS = pathlib.Path(__file__).parent / "roq" / "requirements.txt"
RETINA = pathlib.Path(__file__).parent / "retina"


def provide(names, work):
    """Sees to it that these peers are here, as far as it can. What could not be had, with reasons."""
    absent = {}
    wanted = [peer for peer in PEERS if peer.name in names and not peer.present()]
    refusal = _install([package for peer in wanted for package in peer.packages]) if wanted else ""
    for peer in wanted:
        if not peer.present():
            absent[peer.name] = refusal if peer.packages else peer.lack
    for name, provide_it in (("aioquic", _provide_aioquic), ("retina", _provide_retina)):
        if name in names and (reason := provide_it(work)):
            absent[name] = f"{name}: {reason}"
    return absent


def _install(packages):
    if not packages:
        return ""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return "install " + " ".join(packages) + " (as root this is done with apt-get)"
    print("installing with apt-get:", *packages, flush=True)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-qq"],
                    ["apt-get", "install", "--yes", "-qq", "--no-install-recommends", *packages]):
        try:
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180)
        except subprocess.TimeoutExpired:
            return f"{' '.join(command[:2])} took longer than three minutes"
        if done.returncode != 0:
            return f"{' '.join(command[:2])}: {(done.stderr.strip().splitlines() or ['failed'])[-1]}"
    return "installed, but does not do what is needed"


def roq_python(work):
    return work / "venv" / "bin" / "python"


def _provide_aioquic(work):
    python = roq_python(work)
    if python.exists() and _quietly([python, "-c", "import aioquic"]):
        return ""
    return (_refusal(["python3", "-m", "venv", work / "venv"])
            or _refusal([python, "-m", "pip", "install", "--quiet", "-r", REQUIREMENTS]))


def retina_client(work):
    return work / "retina" / "debug" / "interop-retina"


def _provide_retina(work):
    """Builds the client on the crate, with a Cargo.lock and a target directory of its own."""
    print("building tests/interop/retina: a minute, the first time", flush=True)
    return _refusal(["cargo", "build", "--locked", "--quiet", "--manifest-path", RETINA / "Cargo.toml",
                     "--target-dir", work / "retina"])


def _refusal(command):
    """Runs a command; why it failed, in its last line, or nothing."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    except (OSError, subprocess.TimeoutExpired) as fault:
        return str(fault)
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["it fails"])[-1].strip()


def versions(names):
    """A line for each peer that is here."""
    for peer in PEERS:
        if peer.name in names and peer.present():
            done = subprocess.run(peer.version, capture_output=True, text=True)
            lines = (done.stdout or done.stderr).splitlines()
            yield f"{peer.name}: {lines[0].strip() if lines else 'unknown'}"
