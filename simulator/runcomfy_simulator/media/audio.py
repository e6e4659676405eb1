"""Sounds: a short phrase of clear tones from the seed, repeated to the length asked for."""

from __future__ import annotations

import array
import io
import math
import random
import sys
import wave
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

import av

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .spec import OutputSpec

_SCALE = (261.63, 293.66, 329.63, 392.0, 440.0, 523.25)  # pentatonic: any two sound well together
_NOTES = 6
_NOTE_SECONDS = 0.4
_LOUDNESS = 9_000
_CODECS = {"mp3": "libmp3lame", "ogg": "libopus", "flac": "flac"}
_OPUS_RATE = 48_000


def make_audio(spec: OutputSpec, index: int) -> bytes:
    """The `index`-th sound of a job, as the bytes of a file."""
    rate = _OPUS_RATE if spec.suffix == "ogg" else spec.sample_rate
    samples = tone(spec.seed + index, spec.seconds, rate)
    if spec.suffix == "pcm":
        return samples
    return _wave(samples, rate) if spec.suffix == "wav" else _encode(samples, rate, spec.suffix)


def tone(seed: int, seconds: float, rate: int) -> bytes:
    """Mono samples, 16 bit, little endian."""
    chance = random.Random(seed)
    # Sines are slow to compute and the phrase repeats: a sound of minutes costs what one of seconds costs.
    phrase = b"".join(_note(chance.choice(_SCALE), rate) for _ in range(_NOTES))
    length = round(seconds * rate) * 2
    return (phrase * (length // len(phrase) + 1))[:length]


@lru_cache(maxsize=64)
def _note(frequency: float, rate: int) -> bytes:
    length = round(_NOTE_SECONDS * rate)
    step = 2 * math.pi * frequency / rate
    fade = rate // 50
    samples = array.array("h")
    for position in range(length):
        # It rises and falls within 20 ms, so that repeating it makes no click.
        strength = min(1.0, position / fade, (length - position) / fade)
        wave_form = math.sin(step * position) + 0.3 * math.sin(2 * step * position)
        samples.append(round(_LOUDNESS * strength * wave_form))
    if sys.byteorder == "big":
        samples.byteswap()
    return samples.tobytes()


def _wave(samples: bytes, rate: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(samples)
    return file.getvalue()


def _encode(samples: bytes, rate: int, suffix: str) -> bytes:
    file = io.BytesIO()
    # Without `bitexact` an ogg file gets a random serial number.
    with av.open(file, "w", format=suffix, options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream(_CODECS[suffix], rate=rate, layout="mono")
        assert isinstance(stream, av.AudioStream)
        for frame in frames(samples, rate):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def frames(samples: bytes, rate: int) -> Iterator[av.AudioFrame]:
    """Mono samples as the frames that an encoder takes."""
    step = 1152 * 2 * 50
    for start in range(0, len(samples), step):
        part = samples[start : start + step]
        frame = av.AudioFrame(format="s16", layout="mono", samples=len(part) // 2)
        frame.planes[0].update(part)
        frame.sample_rate = rate
        frame.pts = start // 2
        frame.time_base = Fraction(1, rate)
        yield frame
