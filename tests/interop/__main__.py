"""Cantus with the programs of others: runs every pair that this machine can, and prints a table.

usage: python3 tests/interop [--subset] [--only WORDS] [--jobs N]

Exit status 0 if nothing failed. What each case ran and printed is in target/interop/runs."""

import argparse
import os
import pathlib
import queue
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, replace

import case
import peers
import sound
from trial import Result, Trial

ROOT = pathlib.Path(__file__).resolve().parents[2]
SECONDS = 8


@dataclass
class Setting:
    """What all trials share."""

    work: pathlib.Path
    media: pathlib.Path
    names: dict


def prepare():
    """Builds what is ours and lays out what is played."""
    packages = [word for name in ("streamer", "player", "bench") for word in ("-p", f"cantus-{name}")]
    subprocess.run(["cargo", "build", "--locked", "--quiet", *packages], cwd=ROOT, check=True)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    work = ROOT / "target" / "interop"
    media = work / "media"
    media.mkdir(parents=True, exist_ok=True)
    samples = ROOT / "media-samples"
    sound.cut(samples / "narration.wav", media / "speech.wav", SECONDS)
    sound.cut(samples / "narration.wav", media / "moment.wav", 0.1)
    sound.cut(samples / "music.wav", media / "music.wav", SECONDS)
    shutil.copy(samples / "sync-test.wav", media / "clicks.wav")
    shutil.copy(samples / "sync-test.en.vtt", media / "clicks.en.vtt")
    users = work / "users"
    users.write_text("ann:open sesame\n")
    names = {
        "streamer": target / "debug" / "cantus-streamer",
        "player": target / "debug" / "cantus-player",
        "bench": target / "debug" / "cantus-bench",
        "media": media, "users": users, "here": pathlib.Path(__file__).parent,
        "python": peers.SYSTEM_PYTHON, "roq_python": peers.roq_python(work),
        "retina": peers.retina_client(work),
    }
    return Setting(work, media, names)


def run_all(cases, setting, absent, jobs):
    """The results, in the order of the table."""
    results = [None] * len(cases)
    waiting = queue.SimpleQueue()
    for number, each in enumerate(cases):
        reasons = [absent[peer] for peer in sorted(each.peers) if peer in absent]
        if reasons:
            results[number] = Result(each, "NOT RUN", reasons[0])
        else:
            waiting.put((number, each))

    def work():
        while True:
            try:
                number, each = waiting.get_nowait()
            except queue.Empty:
                return
            results[number] = Trial(each, number + 1, setting).run()
            print(line(results[number]), flush=True)

    threads = [threading.Thread(target=work) for _ in range(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def run_alone(results, setting):
    """What failed beside others is run once more with the machine to itself, and both are told; what the
    first run left is kept."""
    for number, first in enumerate(results):
        if first.outcome == "FAILED":
            trial = Trial(first.case, number + 1, setting)
            trial.set_aside("beside-others")
            again = trial.run()
            print(line(again), flush=True)
            results[number] = replace(again, detail=f"{again.detail} (beside others: {first.detail})")


def line(result):
    each = result.case
    return (f"{each.who:<22} {each.whom:<30} {each.what:<34} {each.link:<7} "
            f"{result.outcome:<8} {result.seconds:5.1f}  {result.detail}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--subset", action="store_true", help="only what CI runs")
    parser.add_argument("--only", default="", help="only cases whose line holds these words")
    parser.add_argument("--jobs", type=int, default=3, help="how many at once")
    arguments = parser.parse_args()
    started = time.monotonic()
    cases = [each for each in case.load()
             if (each.subset or not arguments.subset)
             and all(word in f"{each.who} {each.whom} {each.what} {each.link}".lower()
                     for word in arguments.only.lower().split())]
    setting = prepare()
    names = {peer for each in cases for peer in each.peers}
    absent = peers.provide(names, setting.work)
    for version in peers.versions(names):
        print(version)
    results = run_all(cases, setting, absent, arguments.jobs)
    run_alone(results, setting)
    print(f"\n{'who':<22} {'with whom':<30} {'what':<34} {'link':<7} {'result':<8} {'s':>5}")
    print("\n".join(line(result) for result in results))
    counts = {outcome: sum(result.outcome == outcome for result in results)
              for outcome in ("passed", "FAILED", "NOT RUN")}
    print(", ".join(f"{count} {outcome}" for outcome, count in counts.items()),
          f"in {time.monotonic() - started:.0f} s")
    return 1 if counts["FAILED"] or not results else 0


if __name__ == "__main__":
    sys.exit(main())
