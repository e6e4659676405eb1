"""Videos: a picture with a ball that crosses it once a second, of the size, length and frame rate asked for."""

from __future__ import annotations

import io
import math
from fractions import Fraction
from typing import TYPE_CHECKING

import av
from PIL import ImageDraw

from .audio import frames, tone
from .images import draw_picture, shade

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from av.stream import Stream
    from av.video.stream import VideoStream
    from PIL import Image

    from .spec import OutputSpec

# One second is encoded and then repeated, so a long video costs what a short one does. A large video moves in fewer
# steps.
_PIXELS_A_LOOP = 12_000_000
_FEWEST_STEPS, _MOST_STEPS = 4, 24
_SOUND_RATE = 48_000
# Container: video codec, sound codec.
_CODECS = {"mp4": ("libx264", "aac"), "mov": ("libx264", "aac"), "webm": ("libvpx", "libopus")}


def make_video(spec: OutputSpec, index: int) -> bytes:
    """The `index`-th video of a job, as the bytes of a file."""
    steps = max(_FEWEST_STEPS, min(_MOST_STEPS, _PIXELS_A_LOOP // (spec.width * spec.height)))
    rate = Fraction(spec.frame_rate).limit_denominator(1001)
    loop = max(1, round(rate))
    video_codec, sound_codec = _CODECS[spec.suffix]
    file = io.BytesIO()
    with av.open(file, "w", format=spec.suffix, options={"fflags": "+bitexact"}) as container:
        video = container.add_stream(video_codec, rate=rate)
        assert isinstance(video, av.VideoStream)
        video.width, video.height, video.pix_fmt = spec.width, spec.height, "yuv420p"
        video.codec_context.options = dict(_encoder_options(video_codec, loop))
        sound = container.add_stream(sound_codec, rate=_SOUND_RATE, layout="mono") if spec.sound else None
        packets = _encode_loop(video, draw_picture(spec, index), loop, min(steps, loop), rate, spec.seed)
        for packet in _repeat(packets, video, max(1, round(spec.seconds * rate)), rate):
            container.mux(packet)
        if sound is not None:
            assert isinstance(sound, av.AudioStream)
            for frame in frames(tone(spec.seed + index, spec.seconds, _SOUND_RATE), _SOUND_RATE):
                container.mux(sound.encode(frame))
            container.mux(sound.encode(None))
    return file.getvalue()


def _encoder_options(codec: str, loop: int) -> Mapping[str, str]:
    # The loop begins with its only key frame and no frame refers to a later one, so loops can be repeated and cut off.
    if codec == "libx264":
        params = f"keyint={loop}:min-keyint={loop}:scenecut=0:bframes=0:threads=1"
        return {"preset": "ultrafast", "crf": "26", "x264-params": params}
    return {
        "deadline": "realtime",
        "cpu-used": "8",
        "crf": "30",
        "b": "2M",
        "g": str(loop),
        "keyint_min": str(loop),
        "lag-in-frames": "0",
        "auto-alt-ref": "0",
        "threads": "1",
    }


def _encode_loop(
    stream: VideoStream, picture: Image.Image, count: int, steps: int, rate: Fraction, seed: int
) -> list[tuple[bytes, bool]]:
    """One second of `count` frames, encoded: the bytes of each, and whether it is a key frame."""
    packets = []
    shown = -1
    for number in range(count):
        step = number * steps // count
        if step != shown:
            frame = av.VideoFrame.from_image(_with_ball(picture, step / steps, seed))  # type: ignore[no-untyped-call]  # av leaves it untyped
            frame = frame.reformat(format="yuv420p")
            shown = step
        frame.pts, frame.time_base = number, 1 / rate
        packets += stream.encode(frame)
    packets += stream.encode(None)
    return [(bytes(packet), packet.is_keyframe) for packet in packets]


def _repeat(
    encoded: list[tuple[bytes, bool]], stream: VideoStream, count: int, rate: Fraction
) -> Iterator[av.Packet[Stream]]:
    for number in range(count):
        data, key = encoded[number % len(encoded)]
        packet = av.Packet(data)
        packet.stream = stream
        packet.time_base = 1 / rate
        packet.pts = packet.dts = number
        packet.duration = 1
        packet.is_keyframe = key
        yield packet


def _with_ball(picture: Image.Image, moment: float, seed: int) -> Image.Image:
    """The picture with the ball where it is at `moment`, 0 to 1: from left to right and back."""
    frame = picture.copy()
    width, height = frame.size
    radius = max(2.0, min(width, height) / 14)
    x = width / 2 + (width / 2 - radius) * math.sin(2 * math.pi * moment)
    y = height * 0.3 - height * 0.15 * math.cos(4 * math.pi * moment)
    color = shade(seed % 997 / 997 + 0.5, 0.8, 1.0)
    ImageDraw.Draw(frame).ellipse((x - radius, y - radius, x + radius, y + radius), fill=color)
    return frame
