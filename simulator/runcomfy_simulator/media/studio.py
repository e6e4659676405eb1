"""Makes the files of an order when someone asks for them, a few at a time, and keeps the last ones."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, assert_never

from .images import make_image
from .sounds import make_sound
from .videos import make_video

if TYPE_CHECKING:
    from .order import Order

KEPT_BYTES = 64 * 1024 * 1024
_AT_ONCE = 2

CONTENT_TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "webp": "image/webp",
    "mp4": "video/mp4",
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
    "flac": "audio/flac",
}


def make(order: Order, index: int) -> bytes:
    """The `index`-th file of an order: always the same bytes."""
    match order.kind:
        case "image":
            return make_image(order, index)
        case "video":
            return make_video(order, index)
        case "audio":
            return make_sound(order, index)
        case _:
            assert_never(order.kind)


class Studio:
    """A small workshop: one file is made once, however many ask for it."""

    def __init__(self) -> None:
        self._workers: ThreadPoolExecutor | None = None
        self._made: OrderedDict[tuple[Order, int], bytes] = OrderedDict()
        self._size = 0
        self._making: dict[tuple[Order, int], asyncio.Future[bytes]] = {}

    async def get(self, order: Order, index: int) -> bytes:
        """The file's bytes, made now or kept from before."""
        key = (order, index)
        if key in self._made:
            self._made.move_to_end(key)
            return self._made[key]
        if key not in self._making:
            if self._workers is None:
                self._workers = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="runcomfy-sim-studio")
            loop = asyncio.get_running_loop()
            self._making[key] = asyncio.ensure_future(loop.run_in_executor(self._workers, make, order, index))
        try:
            # Shielded: one reader that goes away must not spoil it for the others.
            data = await asyncio.shield(self._making[key])
        finally:
            if key in self._making and self._making[key].done():
                del self._making[key]
        self._keep(key, data)
        return data

    def close(self) -> None:
        """Let go of the threads; the next file that is asked for brings new ones."""
        if self._workers:
            self._workers.shutdown(wait=False, cancel_futures=True)
        self._workers = None
        self._making.clear()

    def _keep(self, key: tuple[Order, int], data: bytes) -> None:
        if key in self._made:
            return
        self._made[key] = data
        self._size += len(data)
        while self._size > KEPT_BYTES and len(self._made) > 1:
            _, dropped = self._made.popitem(last=False)
            self._size -= len(dropped)
