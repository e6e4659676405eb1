"""Videos: the order's picture with a ball that crosses it once a second, in MP4, of the asked size and length."""

from __future__ import annotations

import io
import math
from fractions import Fraction
from typing import TYPE_CHECKING

import av
from PIL import ImageDraw

from .images import draw_picture, shade
from .sounds import frames, tone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.stream import Stream
    from av.video.stream import VideoStream
    from PIL import Image

    from .order import Order

# One second is coded and then repeated, so a long video costs what a short one does; a large one moves in fewer steps.
_PIXELS_A_LOOP = 48_000_000
_SLOWEST, _FASTEST = 6, 24
_SOUND_RATE = 44_100


def make_video(order: Order, index: int) -> bytes:
    """The `index`-th video of an order, as the bytes of a file."""
    rate = max(_SLOWEST, min(_FASTEST, _PIXELS_A_LOOP // (order.width * order.height)))
    made = io.BytesIO()
    with av.open(made, "w", format="mp4", options={"fflags": "+bitexact"}) as container:
        pictures = container.add_stream("libx264", rate=rate)
        pictures.width, pictures.height, pictures.pix_fmt = order.width, order.height, "yuv420p"
        # Nothing but the key frame is looked back to, so any number of frames may be repeated or cut off.
        pictures.codec_context.options = {
            "preset": "ultrafast",
            "crf": "26",
            "x264-params": f"keyint={rate}:min-keyint={rate}:scenecut=0:bframes=0:threads=1",
        }
        sounds = container.add_stream("aac", rate=_SOUND_RATE, layout="mono") if order.sound else None
        coded = _code_loop(pictures, draw_picture(order, index), rate, order.seed)
        for packet in _repeat(coded, pictures, max(1, round(order.seconds * rate)), rate):
            container.mux(packet)
        if sounds is not None:
            for frame in frames(tone(order.seed + index, order.seconds, _SOUND_RATE), _SOUND_RATE):
                container.mux(sounds.encode(frame))
            container.mux(sounds.encode(None))
    return made.getvalue()


def _code_loop(stream: VideoStream, picture: Image.Image, rate: int, seed: int) -> list[tuple[bytes, bool]]:
    """One second, coded: the bytes of each frame, and whether it is a key frame."""
    packets = []
    for number in range(rate):
        picked = _with_ball(picture, number / rate, seed)
        frame = av.VideoFrame.from_image(picked)  # type: ignore[no-untyped-call]  # av leaves it untyped
        frame.pts, frame.time_base = number, Fraction(1, rate)
        packets += stream.encode(frame)
    packets += stream.encode(None)
    return [(bytes(packet), packet.is_keyframe) for packet in packets]


def _repeat(coded: list[tuple[bytes, bool]], stream: VideoStream, count: int, rate: int) -> Iterator[av.Packet[Stream]]:
    for number in range(count):
        data, key = coded[number % len(coded)]
        packet = av.Packet(data)
        packet.stream = stream
        packet.time_base = Fraction(1, rate)
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
