"""What must hold once a case has run, by the names that the table uses."""

import json
import math
import re

import capture
import sound
from fault import Fault


def _hear(trial):
    try:
        return sound.read(trial.directory / "out.wav"), sound.read(trial.setting.media / f"{trial.case.sound}.wav")
    except sound.NoSound as fault:
        raise Fault(f"{fault}; {trial.client.last_line()}") from fault


def _went_well(trial, status):
    if status != 0:
        raise Fault(f"exit status {status}: {trial.client.last_line()}")


def _lost_by_link(trial):
    return "" if trial.case.clean else f", {trial.lost()} lost by the link"


def _bearable(trial):
    """How many packets may be missing: as many as the link has lost, if they do not come all the same.
    Where the program itself counts what it misses, reports too, it may not count more."""
    if counts := trial.case.expect.get("counts"):
        told = re.search(counts, trial.client.log.read_text(errors="replace"))
        if not told or int(told[1]) > (0 if trial.case.repaired else trial.lost(with_reports=True)):
            raise Fault(f"{trial.lost()} packets lost by the link, and told: {trial.client.last_line()}")
    return 0 if trial.case.repaired else trial.lost()


def _missing(trial, heard, source, to_the_end):
    """How many packets of the source's are not heard, of which no more may be than were lost. All else
    must be its samples."""
    frames = trial.case.expect.get("frames", source.rate // 100)  # of a packet
    missing = sound.pieces_missing(heard, source, frames, to_the_end)
    if missing is None:
        raise Fault(f"other samples than the source's ({heard.frames} frames of {source.frames})")
    if missing > _bearable(trial):
        raise Fault(f"{missing} packets missing, {trial.lost()} lost by the link")
    return "exact" if trial.case.clean else f"exact, {missing} missing{_lost_by_link(trial)}"


def exact(trial, status):
    """Every sample is the source's; across a link, but for packets that the link has lost."""
    _went_well(trial, status)
    heard, source = _hear(trial)
    source = source.since(trial.case.expect.get("since", 0))
    return _missing(trial, heard, source, to_the_end=True)


def whole(trial, status):
    """As long as the source, and like it in every second; across a link, what is missing was lost."""
    _went_well(trial, status)
    heard, source = _hear(trial)
    lost = _bearable(trial)
    short = source.seconds - heard.seconds
    if not -0.03 < short < 0.025 + 0.02 * lost:
        raise Fault(f"{heard.seconds:.3f} s of {source.seconds:.3f} s, {lost} packets lost")
    if not trial.case.clean:
        return f"{heard.seconds:.2f} s{_lost_by_link(trial)}"
    return f"{heard.seconds:.2f} s, {_alike(heard, source)}"


def _alike(heard, source):
    likeness = sound.likeness(heard, source)
    if likeness < 0.9:
        raise Fault(f"unlike the source: correlation {likeness:.2f} in some second")
    return f"correlation at least {likeness:.3f}"


def _held(trial, status):
    """How many checks hold, of those that the program itself tells, a line each."""
    text = trial.client.log.read_text(errors="replace").splitlines()
    held = sum(line.startswith("holds") for line in text)
    failed = [line for line in text if line.startswith("FAILS")]
    if status != 0 or failed or not held:
        raise Fault(failed[0] if failed else f"exit status {status}: {trial.client.last_line()}")
    return f"{held} checks hold"


def lines(trial, status):
    """The program itself says what holds, and has missed no more than the link has lost."""
    held = _held(trial, status)
    _bearable(trial)
    return held + _lost_by_link(trial)


def steered(trial, status):
    """The program says that it goes as it is told, and every sample is the source's, as far as it went."""
    held = _held(trial, status)
    heard, source = _hear(trial)
    return f"{held}; {_missing(trial, heard, source, to_the_end=False)}"


def within(trial, status):
    """Every sample of the source is heard, in its order, but for what may be trimmed from either end."""
    _went_well(trial, status)
    heard, source = _hear(trial)
    trimmed = trial.case.expect["trimmed"]
    middle = source.until(source.frames - int(trimmed * source.rate)).since(trimmed)
    if not middle.within(heard):
        raise Fault(f"not the source's {middle.frames} frames, of {heard.frames}")
    return f"{middle.frames} of {source.frames} frames exact{_lost_by_link(trial)}"


def announced(trial, status):
    """The receiver lists what is announced, and plays it from there: from then on every sample."""
    _went_well(trial, status)
    heard, source = _hear(trial)
    log = (trial.directory / "server.log").read_text(errors="replace")
    if "holds  it lists" not in log:
        raise Fault("it does not list what is announced")
    if heard.seconds < source.seconds / 2:
        raise Fault(f"only {heard.seconds:.2f} s of {source.seconds:.2f} s")
    if not heard.within(source):
        packet = source.rate // 200
        start = heard.until(packet).place_in(source) or 0
        missing = sound.pieces_missing(heard, source.since(start / source.rate), packet, to_the_end=False)
        raise Fault(f"not the source's {heard.frames} frames from {start} on: {missing} packets are missing")
    return f"listed; {heard.frames} of {source.frames} frames exact"


def refused(trial, status):
    """The program ends, and says why."""
    why = trial.case.expect["saying"]
    text = trial.client.log.read_text(errors="replace")
    if status == 0 or why not in text:
        raise Fault(f"exit status {status}, without saying {why}: {trial.client.last_line()}")
    return f"says {why}"


def _report(trial):
    try:
        report = json.loads((trial.directory / "report.json").read_text())
    except (OSError, ValueError) as fault:
        raise Fault(f"no report: {fault}") from fault
    return next(stream for stream in report["streams"] if stream["kind"] == "continuous")


def reported(trial, status):
    """Our player has played everything, or has missed no more than the link has lost. Where that was
    nothing, the sound is the source's: to the last sample, if it was linear all the way."""
    _went_well(trial, status)
    stream = _report(trial)
    heard, source = _hear(trial)
    expect = trial.case.expect
    # Those that came too late among them.
    missing = round(stream["residual"] * stream["expected"])
    made_up = stream["concealed_ms"]
    # Of 20 ms, if the sender's packets are no longer.
    packet = expect.get("packet", 0.02)
    bearable = _bearable(trial)
    if expect.get("again"):
        # What comes again may be lost too, and is asked for when the rules of RFC 4585 allow it: now and
        # then that is too late.
        bearable //= 2
    if missing > math.ceil(packet / 0.02) * bearable or made_up > 1000 * packet * bearable:
        raise Fault(f"{missing} of {stream['expected']} units missing, {stream['late']} of them late, and "
                    f"{made_up:.0f} ms made up; {trial.lost()} packets lost by the link")
    if abs(heard.seconds - source.seconds) > expect.get("slack", 0.1):
        raise Fault(f"{heard.seconds:.2f} s of {source.seconds:.2f} s")
    text = f"{heard.seconds:.2f} s, {missing} of {stream['expected']} units missing, {made_up:.0f} ms made up"
    if not trial.case.clean:
        return text + _lost_by_link(trial)
    if expect.get("linear"):
        if not source.within(heard):
            raise Fault(f"not the source's {source.frames} samples, of {heard.frames}")
        return f"{text}, exact"
    return f"{text}, {_alike(heard.since(expect.get('delay', 0)), source)}"


def captured(trial, status):
    """Wireshark finds nothing malformed, no error, and the loss and jitter that we report."""
    _went_well(trial, status)
    return capture.judge(trial.directory, trial.at, trial.case.expect, _report(trial))


CHECKS = {check.__name__: check
          for check in (exact, whole, lines, steered, within, announced, refused, reported, captured)}


def watcher(check):
    """What listens to the wire while a case runs."""
    return capture.start if check == captured.__name__ else None
