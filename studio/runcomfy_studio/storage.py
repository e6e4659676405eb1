"""What the studio keeps on disk: its secret, the drafts of forms, and the files that were dropped into them.

Everything lies in one folder of the user's own, which nobody else may read. Nothing here is a record of what was paid:
that is the journal's.

    uploads/<digest>/<name>     a dropped file
    uploads/<digest>.unsent     there until a job is sent with it; its time is that of the file's last use in a form

A file without that mark may be in a job's record, of whichever journal, and stays. One with it is removed at a start
when no form has used it for KEEP_DAYS days and no draft holds it.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import secrets
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from runcomfy_client.media.kinds import mime_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

# So much of its digest names a dropped file: nobody meets two of the same by chance.
DIGITS = 20
# What media fields hold for a file that was dropped into one: its digest, and the name it had.
REFERENCE = re.compile(r"file:([0-9a-f]{20})/([^/\\\x00-\x1f]{1,100})")
LARGEST_UPLOAD = 512 * 1024 * 1024
# So many days a dropped file stays that no job was sent with, no draft holds and no form uses.
KEEP_DAYS = 30
_UNSENT = ".unsent"
_REFERENCE_IN_DRAFT = re.compile(rb"file:([0-9a-f]{20})/")
_LARGEST_DRAFT = 64 * 1024 * 1024


class Draft(NamedTuple):
    """The input in a model's form, None if there is none yet, and the job key that its next submit goes under."""

    payload: dict[str, object] | None
    key: str


class UploadError(Exception):
    """A dropped file that is not kept; the text is for the page."""


class Storage:
    """The studio's folder, made when it is first needed. Raises OSError where it cannot be."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in ("drafts", "uploads"):
            (folder / name).mkdir(exist_ok=True, mode=0o700)

    def secret(self) -> bytes:
        """The secret behind cookies and links; it stays the same, so that open tabs go on after a restart."""
        path = self.folder / "secret"
        with suppress(FileExistsError):
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(32))
        secret = path.read_bytes()
        if len(secret) < 32:
            raise OSError(f"{path} is damaged; delete it, and the studio makes a new one")
        path.chmod(0o600)
        return secret

    def draft(self, model_id: str) -> Draft:
        """What was last in a model's form."""
        try:
            path = self._draft_path(model_id)
            values = json.loads(path.read_text("utf-8")) if path.stat().st_size <= _LARGEST_DRAFT else {}
            if values["model_id"] != model_id:
                return Draft(None, "")
            payload, key = values["payload"], values["key"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return Draft(None, "")
        return Draft(payload if isinstance(payload, dict) else None, key if isinstance(key, str) else "")

    def keep_draft(self, model_id: str, draft: Draft) -> None:
        path = self._draft_path(model_id)
        text = json.dumps({"model_id": model_id, "payload": draft.payload, "key": draft.key})
        handle, part = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(part).replace(path)

    def _draft_path(self, model_id: str) -> Path:
        # A model id is a path of its own, and two may differ by case alone.
        return self.folder / "drafts" / f"{hashlib.sha256(model_id.encode()).hexdigest()[:40]}.json"

    async def keep_upload(self, chunks: AsyncIterator[bytes], name: str) -> str:
        """Keep a dropped file and return what a media field holds for it. Raises UploadError."""
        handle, part = tempfile.mkstemp(dir=self.folder / "uploads")
        digest, size = hashlib.sha256(), 0
        try:
            with os.fdopen(handle, "wb") as file:
                async for chunk in chunks:
                    size += len(chunk)
                    if size > LARGEST_UPLOAD:
                        raise UploadError(f"The file is larger than {LARGEST_UPLOAD // 1024**2} MB.")
                    digest.update(chunk)
                    file.write(chunk)
            if not size:
                raise UploadError("The file is empty.")
            return await asyncio.to_thread(self._take_upload, Path(part), digest.hexdigest()[:DIGITS], safe_name(name))
        finally:
            await asyncio.to_thread(Path(part).unlink, missing_ok=True)

    def _take_upload(self, part: Path, digest: str, name: str) -> str:
        folder = self.folder / "uploads" / digest
        if folder.exists():
            self._note_use(digest)
        else:
            self._mark_of(digest).touch(mode=0o600)
            folder.mkdir(exist_ok=True, mode=0o700)
        if self._file_in(folder) is None:
            part.replace(folder / name)
        return f"file:{digest}/{name}"

    def upload(self, digest: str) -> Path | None:
        """The dropped file whose SHA-256 begins so, if it is still here."""
        name = digest[:DIGITS]
        return self._file_in(self.folder / "uploads" / name) if re.fullmatch("[0-9a-f]{20}", name) else None

    def file_of(self, value: object) -> Path | None:
        """The dropped file that a media field's text stands for, for a form that has it."""
        match = REFERENCE.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            return None
        self._note_use(match[1])
        return self.upload(match[1])

    def sent_file_of(self, value: object) -> Path | None:
        """The same for a job that is sent: its record names the file from now on, so it stays."""
        path = self.file_of(value)
        if path is not None:
            self._mark_of(path.parent.name).unlink(missing_ok=True)
        return path

    def _mark_of(self, digest: str) -> Path:
        return self.folder / "uploads" / f"{digest}{_UNSENT}"

    def _note_use(self, digest: str) -> None:
        with suppress(FileNotFoundError):
            os.utime(self._mark_of(digest))

    def clean_up(self) -> None:
        """Remove dropped files that nobody needs, and what killed studios left half-written."""
        oldest = time.time() - KEEP_DAYS * 24 * 3600
        uploads, drafts = self.folder / "uploads", self.folder / "drafts"
        old = [path for folder in (uploads, drafts) for path in folder.iterdir() if _is_older(path, oldest)]
        if not old:
            return
        in_drafts = {
            digest.decode()
            for draft in drafts.glob("*.json")
            for digest in _REFERENCE_IN_DRAFT.findall(draft.read_bytes())
        }
        for path in old:
            if path.parent == uploads and path.suffix == _UNSENT and path.stem not in in_drafts:
                shutil.rmtree(uploads / path.stem, ignore_errors=True)
                path.unlink(missing_ok=True)
            elif path.name.startswith(tempfile.gettempprefix()):
                path.unlink(missing_ok=True)

    def _file_in(self, folder: Path) -> Path | None:
        try:
            return next((path for path in folder.iterdir() if path.is_file()), None)
        except OSError:
            return None


def _is_older(path: Path, oldest: float) -> bool:
    try:
        return path.is_file() and path.stat().st_mtime < oldest
    except OSError:
        return False


def safe_name(name: str) -> str:
    """A file's name as the browser has it, as a name that is good in a folder, a snippet and a header."""
    name = re.split(r"[/\\]", name)[-1]
    name = "".join(char if char.isprintable() and char not in ':*?"<>|' else "_" for char in name).strip(". ")
    while len(name.encode("utf-8", "replace")) > 100:
        name = name[1:]
    return name.lstrip("-") or "file"


# What a browser shows in place; all else is only offered for saving. SVG and HTML are not here: they hold scripts.
_DISPLAYED = {
    *("image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp"),
    *("video/mp4", "video/webm", "video/quicktime"),
    *("audio/mpeg", "audio/wav", "audio/flac", "audio/aac", "audio/mp4", "application/ogg"),
}

_FILE_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; media-src 'self'"


def file_headers(path: Path) -> dict[str, str]:
    """How a file goes to the browser: its type is read off its content, and nothing in it may run."""
    mime = mime_of(path)
    is_known = mime in _DISPLAYED
    how = "inline" if is_known else "attachment"
    return {
        "Content-Type": mime if is_known else "application/octet-stream",
        "Content-Disposition": f"{how}; filename*=UTF-8''{quote(path.name, safe='')}",
        "Content-Security-Policy": _FILE_POLICY,
        "Cache-Control": "private, max-age=3600",
    }


def display_kind(path: Path) -> str:
    """What the page shows of a file: "image", "video", "audio", or "" if it only offers it for saving."""
    try:
        mime = mime_of(path)
    except OSError:
        return ""
    return ("audio" if mime == "application/ogg" else mime.partition("/")[0]) if mime in _DISPLAYED else ""
