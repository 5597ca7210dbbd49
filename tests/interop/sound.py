"""What was played, against what there was to play."""

import struct
import wave
from array import array
from dataclasses import dataclass


FLOAT = 3  # WAVE_FORMAT_IEEE_FLOAT


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

    def until(self, frames):
        return Sound(self.rate, self.channels, self.samples[: frames * self.channels])

    def since(self, seconds):
        return Sound(self.rate, self.channels, self.samples[round(seconds * self.rate) * self.channels :])

    def place_in(self, other):
        """The frame of another sound from which on all of this is there, one sample after the other."""
        if (self.rate, self.channels) != (other.rate, other.channels):
            return None
        frame, at = 2 * self.channels, other.samples.tobytes().find(self.samples.tobytes())
        return at // frame if at >= 0 and at % frame == 0 else None

    def within(self, other):
        return self.place_in(other) is not None

    def first_channel(self, rate):
        """Its samples, at a rate that divides its own: averages of what lies around each instant."""
        one, times = self.samples[:: self.channels], self.rate // rate
        if times == 1:
            return one
        around = ((max(0, at - times // 2), at + (times + 1) // 2) for at in range(0, len(one), times))
        return [sum(one[start:end]) // times for start, end in around]


class NoSound(Exception):
    """There is no such file, or no sound in it."""


def read(path):
    """A WAV file of 16 bits, or of floats, as 16 bits. Not with `wave`, which does not know
    WAVE_FORMAT_EXTENSIBLE."""
    try:
        data = path.read_bytes()
    except OSError as fault:
        raise NoSound(f"no sound was written: {fault.strerror}") from fault
    chunks = dict(_chunks(data))
    if b"fmt " not in chunks or not chunks.get(b"data"):
        raise NoSound(f"no sound in {len(data)} bytes")
    tag, channels, rate, _, frame, bits = struct.unpack("<HHIIHH", chunks[b"fmt "][:16])
    sound = chunks[b"data"][: len(chunks[b"data"]) // frame * frame]
    if (tag, bits) == (FLOAT, 32):
        samples = array("h", (_to_16_bits(sample) for sample in array("f", sound)))
    elif bits == 16:
        samples = array("h", sound)
    else:
        raise NoSound(f"{bits} bits a sample, not 16")
    return Sound(rate, channels, samples)


def _to_16_bits(sample):
    return max(-32768, min(32767, round(sample * 32768)))


def _chunks(data):
    """The chunks of a RIFF file; the last may be cut short, or of a length nobody knew beforehand."""
    at = 12
    while at + 8 <= len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        yield data[at : at + 4], data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2


def cut(source, target, seconds):
    """The first seconds of a WAV file as another."""
    with wave.open(str(source)) as whole, wave.open(str(target), "wb") as part:
        part.setparams(whole.getparams())
        part.writeframes(whole.readframes(int(seconds * whole.getframerate())))


def pieces_missing(heard, source, length, to_the_end):
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
    return missing + (len(ours) - at if to_the_end else 0)


def _pieces(samples, size):
    return [samples[i : i + size] for i in range(0, len(samples), size)]


def likeness(heard, source):
    """The least correlation with the source over any second in which there is sound: near 1 for what
    a good codec leaves. Of the first channel, at the rate of what was heard."""
    rate = heard.rate
    if source.rate % rate:
        return 0.0
    a, b = heard.first_channel(rate), source.first_channel(rate)
    least = 1.0
    for start in range(0, min(len(a), len(b)) - rate + 1, rate):
        x, y = a[start : start + rate], b[start : start + rate]
        xx, yy, xy = _product(x, x), _product(y, y), _product(x, y)
        if yy > 1e4 * rate:
            least = min(least, xy / (xx * yy) ** 0.5 if xx else 0.0)
    return least


def _product(x, y):
    return float(sum(map(int.__mul__, x, y)))
