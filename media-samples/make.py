#!/usr/bin/env python3
"""Makes every sample in this folder.

    python3 make.py                      all of them
    python3 make.py narration duet       these

Needs Python 3.9 or later with its standard library and, for the narration, the program
`espeak-ng`. Nothing is random but for seeded noise: the same versions give the same bytes.
"""

import math
import subprocess
import sys
import tempfile
import wave
from array import array
from operator import mul
from pathlib import Path
from random import Random

from instruments import decaying, fade, hat, kick, pitch, pluck, snare, tone
from instruments import FLUTE, ORGAN, REED, VIOL, VOICE

HERE = Path(__file__).resolve().parent


# Writing -----------------------------------------------------------------------------------------


def write_wav(name, rate, channels, peak=0.8):
    """Writes one list of floats per channel as 16 bit, scaled so that the loudest sample is
    `peak`. No dither: silence stays exactly zero."""
    loudest = max(max(map(abs, channel)) for channel in channels)
    scale = 32768 * peak / loudest
    frames = array("h", bytes(2 * len(channels) * len(channels[0])))
    for index, channel in enumerate(channels):
        frames[index :: len(channels)] = array("h", (round(scale * sample) for sample in channel))
    if sys.byteorder == "big":
        frames.byteswap()
    path = HERE / name
    path.parent.mkdir(exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(frames.tobytes())


def write_vtt(name, cues):
    """Writes cues, each a triple of start and end in milliseconds and the text."""
    blocks = ["WEBVTT\n"]
    for number, (start, end, text) in enumerate(cues, start=1):
        blocks.append(f"{number}\n{vtt_time(start)} --> {vtt_time(end)}\n{text}\n")
    (HERE / name).write_text("\n".join(blocks), encoding="utf-8")


def vtt_time(milliseconds):
    seconds, milliseconds = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{milliseconds:03}"


# Narration ---------------------------------------------------------------------------------------

# Each cue in English (spoken), Vietnamese and French; `None` is a longer breath.
NARRATION = [
    (
        "Long ago, composers began with one voice\nand called it the cantus firmus.",
        "Ngày xưa, nhà soạn nhạc bắt đầu từ một bè\nvà gọi nó là cantus firmus.",
        "Jadis, les compositeurs partaient d’une voix\nqu’ils appelaient le cantus firmus.",
    ),
    (
        "It moved slowly, in even notes,\nand it did not wait for anyone.",
        "Bè ấy đi chậm rãi, các nốt đều nhau,\nvà không chờ đợi ai.",
        "Elle avançait lentement, en notes égales,\net n’attendait personne.",
    ),
    (
        "All the other voices listened to it\nand found their own time in it.",
        "Mọi bè khác lắng nghe nó\nvà tìm thấy nhịp của mình trong nó.",
        "Toutes les autres voix l’écoutaient\net y trouvaient leur propre mesure.",
    ),
    None,
    (
        "A stream of sound on a network\nneeds such a voice too.",
        "Một dòng âm thanh trên mạng\ncũng cần một bè như thế.",
        "Un flux sonore sur un réseau\na besoin, lui aussi, d’une telle voix.",
    ),
    (
        "The sound is cut into small pieces,\nfifty of them in every second.",
        "Âm thanh được cắt thành những mảnh nhỏ,\nmỗi giây năm mươi mảnh.",
        "Le son est découpé en petits morceaux,\ncinquante par seconde.",
    ),
    (
        "Each piece carries a number and a time,\nand travels alone.",
        "Mỗi mảnh mang số thứ tự và mốc thời gian,\nrồi lên đường một mình.",
        "Chacun porte un numéro et une heure,\net voyage seul.",
    ),
    (
        "Some arrive early, some arrive late,\nand some overtake the others.",
        "Mảnh thì đến sớm, mảnh thì đến muộn,\ncó mảnh vượt cả mảnh đi trước.",
        "Certains arrivent tôt, d’autres tard,\net d’autres encore les dépassent.",
    ),
    (
        "A few are lost on the way\nand never arrive at all.",
        "Một vài mảnh lạc mất giữa đường\nvà không bao giờ tới nơi.",
        "Quelques-uns se perdent en chemin\net n’arrivent jamais.",
    ),
    (
        "Yet the ear forgives no gap:\nthe music has to go on.",
        "Nhưng đôi tai không tha thứ khoảng trống nào:\nâm nhạc phải được tiếp tục.",
        "Pourtant, l’oreille ne pardonne aucun vide\u00a0:\nil faut que la musique continue.",
    ),
    None,
    (
        "So the player waits a little,\nand puts the pieces in order.",
        "Vì vậy, trình phát đợi một chút\nrồi xếp các mảnh lại cho đúng thứ tự.",
        "Alors le lecteur patiente un peu\net remet les morceaux en ordre.",
    ),
    (
        "What is missing, it asks for again,\nif there is still time.",
        "Mảnh nào còn thiếu, nó yêu cầu gửi lại,\nnếu vẫn còn kịp.",
        "Ce qui manque, il le redemande,\ns’il en est encore temps.",
    ),
    (
        "Or it works it out\nfrom spare pieces that came along.",
        "Hoặc nó tự tính ra\ntừ những mảnh dự phòng gửi kèm.",
        "Ou bien il le recalcule\nà partir de morceaux de secours.",
    ),
    (
        "And where nothing else can help,\nit bridges the gap with care.",
        "Và khi không còn cách nào khác,\nnó khéo léo lấp đầy chỗ trống.",
        "Et quand il n’est plus d’autre recours,\nil comble le vide avec soin.",
    ),
    None,
    (
        "The words you are reading\nkeep to the same clock.",
        "Những dòng chữ bạn đang đọc\ncũng theo cùng một chiếc đồng hồ.",
        "Les mots que vous lisez\nsuivent la même horloge.",
    ),
    (
        "They come neither before the voice,\nnor after it.",
        "Chúng không đến trước giọng nói,\ncũng không đến sau.",
        "Ils ne viennent ni avant la voix,\nni après elle.",
    ),
    (
        "When all of this goes well,\nyou notice nothing at all.",
        "Khi mọi việc suôn sẻ,\nbạn chẳng nhận ra điều gì cả.",
        "Quand tout se passe bien,\nvous ne remarquez rien du tout.",
    ),
    (
        "You hear one voice, steady and whole,\nand all the others keep time with it.",
        "Bạn nghe một giọng, vững vàng và trọn vẹn,\nvà mọi giọng khác giữ nhịp cùng nó.",
        "Vous entendez une voix, ferme et entière,\net toutes les autres suivent sa mesure.",
    ),
]

NARRATION_RATE = 48_000
SAMPLES_PER_MS = NARRATION_RATE // 1000


def make_narration():
    """Speaks cue by cue and lays the pieces out, so the time of each cue is known, not guessed."""
    sound = [0.0] * (500 * SAMPLES_PER_MS)
    times = []
    for cue in NARRATION:
        if cue is None:
            sound.extend([0.0] * (400 * SAMPLES_PER_MS))
            continue
        start = len(sound) // SAMPLES_PER_MS
        sound.extend(resample(trim(*speak(cue[0].replace("\n", " "))), NARRATION_RATE))
        sound.extend([0.0] * (-len(sound) % SAMPLES_PER_MS))
        times.append((start, len(sound) // SAMPLES_PER_MS + 200))
        sound.extend([0.0] * (450 * SAMPLES_PER_MS))
    sound.extend([0.0] * (-len(sound) % NARRATION_RATE))
    write_wav("narration.wav", NARRATION_RATE, [sound])
    cues = [cue for cue in NARRATION if cue is not None]
    for column, language in enumerate(["en", "vi", "fr"]):
        texts = [cue[column] for cue in cues]
        timed = [(start, end, text) for (start, end), text in zip(times, texts)]
        write_vtt(f"narration.{language}.vtt", timed)


def speak(text):
    """One sentence by espeak-ng: its samples (floats, mono) and their rate."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        command = ["espeak-ng", "-v", "en-gb", "-s", "182", "-z", "-w", str(path), text]
        try:
            subprocess.run(command, check=True)
        except FileNotFoundError:
            sys.exit("make.py: the narration needs the program espeak-ng (apt install espeak-ng)")
        with wave.open(str(path), "rb") as file:
            rate = file.getframerate()
            frames = array("h", file.readframes(file.getnframes()))
    if sys.byteorder == "big":
        frames.byteswap()
    return [frame / 32768 for frame in frames], rate


def trim(samples, rate, threshold=0.01):
    """Cuts the silence around speech; 3 ms are left on both sides, and faded."""
    loud = [index for index, sample in enumerate(samples) if abs(sample) > threshold]
    edge = rate * 3 // 1000
    piece = samples[max(loud[0] - edge, 0) : loud[-1] + edge]
    return fade(piece, edge, edge), rate


def resample(source, to_rate, half_width=32, beta=9.0):
    """Band-limited interpolation by a Kaiser-windowed sinc, one filter per phase. For raising the
    rate only: the cut-off is the source's Nyquist frequency."""
    samples, from_rate = source
    divisor = math.gcd(from_rate, to_rate)
    up, down = to_rate // divisor, from_rate // divisor
    filters = [kaiser_sinc(phase / up, half_width, beta) for phase in range(up)]
    padded = [0.0] * half_width + samples + [0.0] * half_width
    output = []
    for index in range(len(samples) * up // down):
        position, phase = divmod(index * down, up)
        # The taps stand at source positions `position - half_width + 1 ..= position + half_width`.
        window = padded[position + 1 : position + 1 + 2 * half_width]
        output.append(sum(map(mul, filters[phase], window)))
    return output


def kaiser_sinc(offset, half_width, beta):
    taps = []
    for tap in range(1 - half_width, half_width + 1):
        x = offset - tap
        sinc = 1.0 if x == 0 else math.sin(math.pi * x) / (math.pi * x)
        inside = max(1 - (x / half_width) ** 2, 0.0)
        taps.append(sinc * bessel_i0(beta * math.sqrt(inside)) / bessel_i0(beta))
    total = sum(taps)
    return [tap / total for tap in taps]


def bessel_i0(x):
    total = term = 1.0
    for n in range(1, 40):
        term *= (x / (2 * n)) ** 2
        total += term
    return total


# Music -------------------------------------------------------------------------------------------


class Stereo:
    """A stereo recording under work; times in seconds, `pan` from -1 (left) to 1 (right)."""

    def __init__(self, rate, seconds):
        self.rate = rate
        self.left = [0.0] * round(rate * seconds)
        self.right = list(self.left)

    def add(self, at, samples, gain=1.0, pan=0.0):
        first = round(at * self.rate)
        angle = (pan + 1) * math.pi / 4
        left, right = gain * math.cos(angle), gain * math.sin(angle)
        for index, sample in enumerate(samples[: len(self.left) - first], start=first):
            self.left[index] += left * sample
            self.right[index] += right * sample

    def cut_at(self, at):
        """Ends all that sounds, in the middle of a wave."""
        first = round(at * self.rate)
        self.left[first:] = self.right[first:] = [0.0] * (len(self.left) - first)


def make_music():
    """Thirty seconds at 120 beats a minute of what a concealment finds hard, part by part."""
    rate, random = 44_100, Random(1)
    piece = Stereo(rate, 30)
    add_plucks(piece, random)
    add_melody(piece, random)
    add_chords(piece, 12, ["D3 A3 D4 F4", "G2 Bb3 D4 G4", "A2 A3 C#4 E4", "Bb2 F3 D4 Bb4"])
    add_drums(piece, 16, 20, random)
    rising = tone(rate, lambda t: 110 * 2 ** (2 * t), 2.0, REED, attack=0.01, release=0.01)
    piece.add(20, rising, 0.5, -0.3)
    add_chords(piece, 22, ["D3 D4 F4 A4 D5"])
    add_chords(piece, 23, ["E3 C#4 G4 A4 E5"], seconds=1.5)
    add_drums(piece, 22, 24, random)
    piece.cut_at(24)
    add_ending(piece, random)
    write_wav("music.wav", rate, [piece.left, piece.right])


def add_plucks(piece, random):
    """0 to 6 s: attacks twice, then four times a beat, thrown from side to side."""
    broken = "D3 A3 D4 F4 A4 F4 D4 A3 C3 G3 C4 E4 G4 E4 C4 G3".split()
    fast = "Bb2 F3 Bb3 D4 F4 D4 Bb3 F3 A2 E3 A3 C#4 E4 G4 A4 C#5".split()
    for index, note in enumerate(broken):
        string = pluck(piece.rate, pitch(note), 1.2, random)
        piece.add(index / 4, string, 0.8, (-0.7, 0.7)[index % 2])
    for index, note in enumerate(fast):
        string = pluck(piece.rate, pitch(note), 0.8, random)
        piece.add(4 + index / 8, string, 0.8, (-0.7, 0.7)[index % 2])


def add_melody(piece, random):
    """6 to 12 s: a voice with vibrato over single plucks."""
    melody = "D5:1 F5:.5 E5:.5 A5:1.5 G5:.5 F5:.5 E5:.5 D5:.5 C#5:.5"
    at = 6.0
    for note in melody.split():
        name, seconds = note.split(":")
        voice = tone(piece.rate, pitch(name), float(seconds), VOICE, attack=0.05, vibrato=45)
        piece.add(at, voice, 0.7, 0.1)
        at += float(seconds)
    for index, note in enumerate("D3 A3 F3 C4 Bb2 A2".split()):
        piece.add(6 + index, pluck(piece.rate, pitch(note), 1.5, random), 0.6, -0.5)


def add_chords(piece, at, chords, seconds=1.0):
    """A new chord every second, each note at its own place between left and right."""
    for second, chord in enumerate(chords):
        notes = chord.split()
        for index, note in enumerate(notes):
            pan = 1.6 * index / (len(notes) - 1) - 0.8
            organ = tone(piece.rate, pitch(note), seconds, ORGAN, release=0.03)
            piece.add(at + second, organ, 0.35, pan)


def add_drums(piece, start, end, random):
    for eighth in range(round((end - start) * 4)):
        at = start + eighth / 4
        piece.add(at, hat(piece.rate, random), 0.5, 0.4)
        if eighth % 4 == 0:
            piece.add(at, kick(piece.rate), 0.9)
        if eighth % 4 == 2:
            piece.add(at, snare(piece.rate, random), 0.8, -0.2)
        if eighth % 8 == 7:
            piece.add(at + 0.125, snare(piece.rate, random), 0.4, -0.2)


def add_ending(piece, random):
    """25 to 30 s: all at once out of silence, and a last chord that dies away."""
    add_chords(piece, 25, ["Bb2 F3 D4 Bb4", "G2 G3 Bb3 D4", "A2 E3 C#4 A4"])
    add_drums(piece, 25, 28, random)
    for at, note, seconds in [(25, "F5", 1), (26, "D5", 1), (27, "E5", 0.5), (27.5, "C#5", 0.5)]:
        piece.add(at, tone(piece.rate, pitch(note), seconds, VOICE, 0.05, vibrato=45), 0.6, 0.1)
    for index, note in enumerate("D2 D3 A3 D4 F#4 A4 D5".split()):
        string = pluck(piece.rate, pitch(note), 1.9, random)
        piece.add(28 + index / 50, fade(string, 0, piece.rate), 0.7, index / 5 - 0.6)


# Synchronisation ---------------------------------------------------------------------------------


def make_sync_test():
    """A click and a cue at every whole second from 1 to 19. The click's first sample is its
    loudest; click n sounds at 1000 + 100 n Hz, so that an error of a whole second shows."""
    rate, seconds = 48_000, 20
    sound = [0.0] * (seconds * rate)
    cues = []
    for second in range(1, seconds):
        frequency = 1000 + 100 * second
        click = decaying(rate, 0.02, 0.004, lambda _, t: math.cos(2 * math.pi * frequency * t))
        sound[second * rate : second * rate + len(click)] = click
        cues.append((second * 1000, second * 1000 + 200, f"click {second}"))
    write_wav("sync-test.wav", rate, [sound])
    write_vtt("sync-test.en.vtt", cues)


# Duet --------------------------------------------------------------------------------------------

# Ten bars of two seconds: the cantus firmus in whole notes, four notes of counterpoint to each.
CANTUS_FIRMUS = "D3 F3 G3 A3 C4 A3 G3 F3 E3 D3"
COUNTERPOINT = [
    "D5 A4 B4 C5",
    "A4 C5 D5 C5",
    "B4 A4 B4 D5",
    "C5 D5 E5 D5",
    "E5 D5 C5 B4",
    "A4 C5 E5 F5",
    "E5 D5 B4 C5",
    "D5 E5 F5 D5",
    "B4 A4 B4 C#5",
    "D5",
]


def make_duet():
    """Two tracks of equal length, whose notes begin at the same samples."""
    rate, bar = 48_000, 2.0
    upper, lower = [], []
    for notes in COUNTERPOINT:
        each = bar / len(notes.split())
        for note in notes.split():
            upper += tone(rate, pitch(note), each, FLUTE, attack=0.01, release=0.08, vibrato=15)
    for note in CANTUS_FIRMUS.split():
        lower += tone(rate, pitch(note), bar, VIOL, attack=0.02, release=0.15, vibrato=10)
    write_wav("duet/1.wav", rate, [upper], peak=0.6)
    write_wav("duet/2.wav", rate, [lower], peak=0.6)


MAKERS = {
    "narration": make_narration,
    "music": make_music,
    "sync-test": make_sync_test,
    "duet": make_duet,
}


def main(names):
    unknown = [name for name in names if name not in MAKERS]
    if unknown:
        sys.exit(f"make.py: no sample {unknown[0]}; there are {', '.join(MAKERS)}")
    for name in names or MAKERS:
        MAKERS[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
