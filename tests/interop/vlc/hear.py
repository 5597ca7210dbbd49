"""VLC, under somebody's remote control, writes what it hears until it is interrupted.

usage: hear.py OUT.wav rtp://@HOST:PORT     hears that
       hear.py OUT.wav --announced NAME     hears it once it is announced (SAP)

VLC does not run as root: then it is nobody who runs it, in a directory of their own."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

out, *what = sys.argv[1:]
home = pathlib.Path(tempfile.mkdtemp(prefix="interop-vlc-"))
heard = home / "heard.wav"
nobody = {}
if os.geteuid() == 0:
    nobody = {"user": "nobody", "group": "nogroup", "extra_groups": []}
    shutil.chown(home, "nobody", "nogroup")
command = ["vlc", "-I", "rc", "--rc-fake-tty", "--no-one-instance",
           "--sout", f"#transcode{{acodec=s16l}}:std{{access=file,mux=wav,dst={heard}}}"]
command += ["--services-discovery", "sap"] if what[0] == "--announced" else what
vlc = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       text=True, bufsize=1, env=os.environ | {"HOME": str(home)},
                       start_new_session=True, **nobody)


def tell(order):
    vlc.stdin.write(f"{order}\n")


def listen(name):
    """Shows what VLC says, and plays what is announced by that name as soon as it lists it."""
    played = False
    for line in vlc.stdout:
        print(line, end="", flush=True)
        if name and not played and (listed := re.search(rf"(\d+) - {re.escape(name)}\b", line)):
            print(f"holds  it lists what is announced: {name}", flush=True)
            tell(f"goto {listed[1]}")
            played = True


# Whoever started this in the background may have had the signal ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
name = what[1] if what[0] == "--announced" else None
threading.Thread(target=listen, args=[name], daemon=True).start()
try:
    while vlc.poll() is None:
        time.sleep(0.2)
        if name:
            tell("playlist")
except KeyboardInterrupt:
    tell("quit")
    vlc.wait(5)
finally:
    vlc.kill()
    if heard.exists():
        shutil.copyfile(heard, out)
    shutil.rmtree(home)
