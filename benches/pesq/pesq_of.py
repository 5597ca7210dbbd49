#!/usr/bin/env python3
"""PESQ-WB (ITU-T P.862.2) of recordings against the sound that was sent.

    python3 -m venv target/pesq && target/pesq/bin/pip install -r benches/pesq/requirements.txt
    target/pesq/bin/python benches/pesq/pesq_of.py media-samples/narration.wav heard.wav ...

Both are mixed to one channel and brought to 16 kHz, the rate of P.862.2. A recording is laid over the
reference by correlation, over the whole and then again in every segment, for time scaling moves
what comes after it. Segments are 10 s long, within the 8 to 30 s that P.862.3 recommends; what is
left at the end, or holds no speech, is not judged. A line a recording: each segment, and the mean.

PESQ is made for speech: of music the figures mean nothing.
"""

import argparse
import sys
import wave
from math import gcd

import numpy as np
from pesq import NoUtterancesError, pesq
from scipy.signal import fftconvolve, resample_poly

RATE = 16_000
SEGMENT = 10 * RATE
# How far a segment may lie from where the whole recording lies.
REACH = RATE // 2


def read(name):
    """A WAV file of 16 bits, mixed to one channel, at 16 kHz."""
    with wave.open(name) as file:
        if file.getsampwidth() != 2:
            sys.exit(f"{name} has {8 * file.getsampwidth()} bits a sample; 16 are read here")
        rate, channels = file.getframerate(), file.getnchannels()
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    mono = samples.reshape(-1, channels).mean(axis=1) / 32768.0
    common = gcd(rate, RATE)
    return resample_poly(mono, RATE // common, rate // common)


def lag(reference, heard):
    """By how many frames `heard` is behind `reference`."""
    likeness = fftconvolve(heard, reference[::-1])
    return int(np.argmax(likeness)) - (len(reference) - 1)


def placed(heard, begin, length):
    """`length` frames from `begin` on, silent where there are none."""
    out = np.zeros(length)
    source = heard[max(begin, 0) : max(begin + length, 0)]
    offset = max(-begin, 0)
    out[offset : offset + len(source)] = source
    return out


def scores(reference, heard):
    """PESQ-WB of each segment; None where there is no speech to judge."""
    whole = lag(reference, heard)
    for begin in range(0, len(reference) - SEGMENT + 1, SEGMENT):
        sent = reference[begin : begin + SEGMENT]
        wide = placed(heard, begin + whole - REACH, SEGMENT + 2 * REACH)
        shift = lag(sent, wide)
        try:
            yield pesq(RATE, sent, placed(wide, shift, SEGMENT), "wb")
        except NoUtterancesError:
            yield None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("reference", help="what was sent, a WAV file")
    parser.add_argument("heard", nargs="+", help="what was heard, WAV files")
    options = parser.parse_args()
    reference = read(options.reference)
    means = []
    for name in options.heard:
        judged = list(scores(reference, read(name)))
        spoken = [score for score in judged if score is not None]
        if not spoken:
            sys.exit(f"{name}: no segment of 10 s with speech in it")
        means.append(np.mean(spoken))
        columns = " ".join("   - " if score is None else f"{score:5.2f}" for score in judged)
        print(f"{name}: {columns}  mean {means[-1]:.2f}")
    if len(means) > 1:
        print(f"all {len(means)}: mean {np.mean(means):.2f}, least {np.min(means):.2f}")


if __name__ == "__main__":
    main()
