"""Makes the files of a job when a client asks for them, a few at a time, and keeps the last ones."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, assert_never

from .audio import make_audio
from .images import make_image
from .video import make_video

if TYPE_CHECKING:
    from .spec import OutputSpec

KEPT_BYTES = 64 * 1024 * 1024
_WORKERS = 2

CONTENT_TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "webp": "image/webp",
    "avif": "image/avif",
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "webm": "video/webm",
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
    "flac": "audio/flac",
    "pcm": "audio/pcm",
}


def make_file(spec: OutputSpec, index: int) -> bytes:
    """The `index`-th file of a job, from 0: always the same bytes."""
    match spec.kind:
        case "image":
            return make_image(spec, index)
        case "video":
            return make_video(spec, index)
        case "audio":
            return make_audio(spec, index)
        case _:
            assert_never(spec.kind)


class Renderer:
    """Makes each file once, however many clients ask for it at the same time."""

    def __init__(self) -> None:
        self._workers: ThreadPoolExecutor | None = None
        self._files: OrderedDict[tuple[OutputSpec, int], bytes] = OrderedDict()
        self._size = 0
        self._pending: dict[tuple[OutputSpec, int], asyncio.Future[bytes]] = {}

    async def get(self, spec: OutputSpec, index: int) -> bytes:
        """The file's bytes, made now or kept from before."""
        key = (spec, index)
        if key in self._files:
            self._files.move_to_end(key)
            return self._files[key]
        if key not in self._pending:
            if self._workers is None:
                self._workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix="runcomfy-sim-renderer")
            loop = asyncio.get_running_loop()
            self._pending[key] = asyncio.ensure_future(loop.run_in_executor(self._workers, make_file, spec, index))
        try:
            # Shielded: a reader that disconnects must not cancel the work for the others.
            data = await asyncio.shield(self._pending[key])
        finally:
            if key in self._pending and self._pending[key].done():
                del self._pending[key]
        self._keep(key, data)
        return data

    def close(self) -> None:
        """End the threads; the next file that is asked for starts new ones."""
        if self._workers:
            self._workers.shutdown(wait=False, cancel_futures=True)
        self._workers = None
        self._pending.clear()

    def _keep(self, key: tuple[OutputSpec, int], data: bytes) -> None:
        if key in self._files:
            return
        self._files[key] = data
        self._size += len(data)
        while self._size > KEPT_BYTES and len(self._files) > 1:
            _, dropped = self._files.popitem(last=False)
            self._size -= len(dropped)
