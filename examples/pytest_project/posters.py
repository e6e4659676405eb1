"""Orders posters and saves them; a poster that was paid for is never ordered again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runcomfy import JobFailedError

if TYPE_CHECKING:
    from pathlib import Path

    from runcomfy import RunComfy


class NoPosterError(Exception):
    """The poster cannot be made; the message is for the one who ordered it."""


def make_poster(client: RunComfy, text: str, folder: Path) -> Path:
    """The poster's file. With a journal in the client, the same text is paid for once."""
    job = client.bytedance.dreamina_4_0.text_to_image(
        prompt=text, width_height="1024x1024(1:1)", options={"job_key": f"poster: {text}"}
    )
    try:
        result = job.wait(timeout=300)
    except JobFailedError as failure:
        raise NoPosterError(f"{text!r} cannot be drawn: {failure}") from failure
    return result.download(folder)[0]
