"""Instruments that `make.py` plays. Each gives a list of floats, about -1 to 1."""

import math

# Amplitudes of the harmonics, from the fundamental on.
VOICE = [1.0, 0.55, 0.4, 0.3, 0.12, 0.1, 0.05, 0.03]
ORGAN = [1.0, 0.6, 0.35, 0.3, 0.0, 0.2, 0.0, 0.12]
REED = [1.0 / n for n in range(1, 25)]
FLUTE = [1.0, 0.25, 0.12, 0.04]
VIOL = [1.0, 0.7, 0.6, 0.35, 0.3, 0.2, 0.15, 0.1, 0.07, 0.05]


def pitch(name):
    """Frequency of a note such as `A4` (440 Hz), `C#5` or `Bb3`."""
    letter, accidental, octave = name[0], name[1:-1], int(name[-1])
    semitone = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}[letter]
    semitone += accidental.count("#") - accidental.count("b")
    return 440.0 * 2 ** ((semitone - 9) / 12 + octave - 4)


def fade(samples, attack, release):
    """Raised-cosine edges, lengths in samples."""
    shaped = list(samples)
    for index in range(min(attack, len(shaped))):
        shaped[index] *= 0.5 - 0.5 * math.cos(math.pi * index / attack)
    for index in range(min(release, len(shaped))):
        shaped[-1 - index] *= 0.5 - 0.5 * math.cos(math.pi * index / release)
    return shaped


def pluck(rate, frequency, seconds, random, brightness=0.5):
    """A plucked string (Karplus and Strong, 1983), tuned by an all-pass filter: all at once there,
    noise at first, a tone after it."""
    period = rate / frequency - brightness
    length = int(period - 0.1)
    fraction = period - length
    tuning = (1 - fraction) / (1 + fraction)
    line = [random.uniform(-1, 1) for _ in range(length)]
    last_input = last_output = previous = 0.0
    output = []
    for index in range(round(seconds * rate)):
        sample = line[index % length]
        output.append(sample)
        smooth = 0.997 * ((1 - brightness) * sample + brightness * previous)
        previous = sample
        last_output = tuning * (smooth - last_output) + last_input
        last_input = smooth
        line[index % length] = last_output
    return fade(output, 0, rate // 50)


def tone(rate, frequency, seconds, partials, attack=0.015, release=0.06, vibrato=0.0):
    """Sines on the harmonics of `frequency` (Hz, or a function of seconds), with amplitudes
    `partials`. `vibrato` is its depth in cents, 5.5 times a second, growing over 0.3 s."""
    at = frequency if callable(frequency) else lambda _: frequency
    phase, output = 0.0, []
    for index in range(round(seconds * rate)):
        time = index / rate
        now = at(time)
        if vibrato:
            depth = vibrato * min(time / 0.3, 1.0)
            now *= 2 ** (depth / 1200 * math.sin(2 * math.pi * 5.5 * time))
        output.append(
            sum(
                amplitude * math.sin(harmonic * phase)
                for harmonic, amplitude in enumerate(partials, start=1)
                if amplitude and harmonic * now < 0.4 * rate
            )
        )
        phase += 2 * math.pi * now / rate
    loudest = sum(partials)
    return fade([s / loudest for s in output], round(attack * rate), round(release * rate))


def decaying(rate, seconds, decay, source):
    """`source(n, seconds since the start)` under an exponential decay of `decay` seconds."""
    times = ((n, n / rate) for n in range(round(seconds * rate)))
    return fade([source(n, t) * math.exp(-t / decay) for n, t in times], 0, rate // 200)


def kick(rate):
    return decaying(
        rate, 0.3, 0.08, lambda _, t: math.cos(2 * math.pi * (45 * t - 2.5 * math.exp(-t / 0.03)))
    )


def snare(rate, random):
    return decaying(
        rate,
        0.25,
        0.05,
        lambda _, t: 0.7 * random.uniform(-1, 1) + 0.3 * math.sin(2 * math.pi * 190 * t),
    )


def hat(rate, random):
    noise = [random.uniform(-1, 1) for _ in range(rate)]
    return decaying(rate, 0.08, 0.02, lambda n, _: (noise[n + 1] - noise[n]) / 2)
