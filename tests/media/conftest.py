"""Pictures made on the spot, and small true videos and sounds (made with FFmpeg) from samples/."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, Protocol

import pytest
from PIL import Image

SAMPLES = Path(__file__).parent / "samples"


class Picture(Protocol):
    def __call__(
        self, format: str, size: tuple[int, int] = (120, 80), *, orientation: int | None = None, **options: Any
    ) -> bytes: ...


@pytest.fixture(scope="session")
def picture() -> Picture:
    def make(
        format: str, size: tuple[int, int] = (120, 80), *, orientation: int | None = None, **options: Any
    ) -> bytes:
        packed = io.BytesIO()
        if orientation is not None:
            exif = Image.Exif()
            exif[0x0112] = orientation
            options["exif"] = exif
        Image.effect_noise(size, 50).convert("RGB").save(packed, format, **options)
        return packed.getvalue()

    return make


@pytest.fixture(scope="session")
def sample() -> dict[str, bytes]:
    """The samples by name."""
    return {path.name: path.read_bytes() for path in sorted(SAMPLES.iterdir())}
