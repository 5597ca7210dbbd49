"""What was played, against what there was to play."""

import wave
from array import array
from dataclasses import dataclass


@dataclass
class Sound:
    rate: int
    channels: int
    samples: array

    @property
    def frames(self):
        return len(self.samples) // self.channels

    @property
    def seconds(self):
        return self.frames / self.rate

    def first_channel(self):
        return self.samples[:: self.channels]


class NoSound(Exception):
    """There is no such file, or no sound in it."""


def read(path):
    try:
        with wave.open(str(path)) as file:
            if file.getsampwidth() != 2:
                raise NoSound(f"{8 * file.getsampwidth()} bits a sample, not 16")
            samples = array("h", file.readframes(file.getnframes()))
            return Sound(file.getframerate(), file.getnchannels(), samples)
    except (OSError, EOFError, wave.Error) as fault:
        raise NoSound(f"no sound was written: {fault}") from fault


def cut(source, target, seconds):
    """The first seconds of a WAV file as another."""
    with wave.open(str(source)) as whole, wave.open(str(target), "wb") as part:
        part.setparams(whole.getparams())
        part.writeframes(whole.readframes(int(seconds * whole.getframerate())))


def pieces_missing(heard, source, length):
    """How many pieces of `length` frames of the source are not in what was heard, or silent there, if
    all else is the source's own samples in their order; None if it is not."""
    size = length * source.channels
    if (heard.rate, heard.channels) != (source.rate, source.channels):
        return None
    theirs, ours = _pieces(heard.samples, size), _pieces(source.samples, size)
    silence = array("h", bytes(2 * size))
    at = missing = 0
    for piece in theirs:
        found = next((i for i in range(at, min(at + 100, len(ours))) if ours[i] == piece), None)
        if found is not None:
            missing += found - at
            at = found + 1
        elif piece == silence:
            missing += 1
            at += 1
        else:
            return None
    return missing + len(ours) - at


def _pieces(samples, size):
    return [samples[i : i + size] for i in range(0, len(samples), size)]


def likeness(heard, source):
    """The least correlation with the source over any second in which there is sound: near 1 for what
    a good codec leaves. Of the first channel, where the rates are the same."""
    if heard.rate != source.rate:
        return 0.0
    a, b = heard.first_channel(), source.first_channel()
    least = 1.0
    for start in range(0, min(len(a), len(b)) - source.rate + 1, source.rate):
        x, y = a[start : start + source.rate], b[start : start + source.rate]
        xx, yy, xy = _product(x, x), _product(y, y), _product(x, y)
        if yy > 1e4 * source.rate:
            least = min(least, xy / (xx * yy) ** 0.5 if xx else 0.0)
    return least


def _product(x, y):
    return float(sum(map(int.__mul__, x, y)))
