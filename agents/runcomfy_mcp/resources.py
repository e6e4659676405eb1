"""What an agent can read: a model's schema, and the files of results.

runcomfy://models/{model_id}                     the JSON Schema of its input
runcomfy://jobs/{request_id}/files/{n}           a file of a result that is stored, from 1 on
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError
from mcp_types import Resource, ResourceTemplate
from runcomfy_client.errors import RunComfyError

from .text import LONGEST_TITLE, clean, to_json

if TYPE_CHECKING:
    from runcomfy_client.result_store import AsyncResultStore, StoredResult

    from .models import Models

# A larger file is read at its path: as base64 in a message it would be in memory several times.
LARGEST_FILE = 32 * 1024 * 1024
# Of the newest results; a client that lists resources wants to see the last ones.
MOST_LISTED = 50
SCHEMA_MIME = "application/schema+json"
_FILE = re.compile(r"runcomfy://jobs/([^/?#]+)/files/([1-9][0-9]{0,5})")
_MODEL = "runcomfy://models/"

TEMPLATES = [
    ResourceTemplate(
        name="model",
        title="A model's input",
        uri_template=f"{_MODEL}{{model_id}}",
        description="The standard JSON Schema of the model's input. The slashes of an id may stand as they are.",
        mime_type=SCHEMA_MIME,
    ),
    ResourceTemplate(
        name="file",
        title="A file of a result",
        uri_template="runcomfy://jobs/{request_id}/files/{n}",
        description="File number n, from 1 on, of a job that wait_for_job has seen to complete.",
    ),
]


def file_uri(request_id: str, number: int) -> str:
    return f"runcomfy://jobs/{quote(request_id, safe='')}/files/{number}"


class Resources:
    """The resources of one server."""

    def __init__(self, models: Models, store: AsyncResultStore) -> None:
        self._models = models
        self._store = store

    async def list(self) -> list[Resource]:
        """The files of the newest results."""
        resources = []
        for stored in (await self._store.list())[:MOST_LISTED]:
            for number, file in enumerate(stored.files, 1):
                title = f"{stored.model_id or 'a job'}: {file.kind} {number}"
                resources.append(
                    Resource(
                        name=file.path.name,
                        title=clean(title, LONGEST_TITLE),
                        uri=file_uri(stored.request_id, number),
                        mime_type=file.mime,
                        size=file.size,
                    )
                )
        return resources[:MOST_LISTED]

    async def read(self, uri: str) -> ReadResourceContents:
        """A schema or a file. Raises ResourceNotFoundError, and ResourceError for a file that is too large."""
        if uri.startswith(_MODEL):
            try:
                schema = self._models.schema(unquote(uri.removeprefix(_MODEL)))
            except RunComfyError as error:
                raise ResourceNotFoundError(f"{error.message} search_models finds the ids.") from error
            return ReadResourceContents(content=to_json(schema), mime_type=SCHEMA_MIME)
        match = _FILE.fullmatch(uri)
        stored = await self._store.find(unquote(match[1])) if match else None
        if match is None or stored is None or not 1 <= int(match[2]) <= len(stored.files):
            message = (
                f"There is no {clean(uri, LONGEST_TITLE)!r} here. wait_for_job names the files of a job; call it first."
            )
            raise ResourceNotFoundError(message)
        return await asyncio.to_thread(_content, stored, int(match[2]))


def _content(stored: StoredResult, number: int) -> ReadResourceContents:
    file = stored.files[number - 1]
    if file.size > LARGEST_FILE:
        raise ResourceError(f"This {file.kind} has {file.size} bytes. Read it at {file.path}.")
    return ReadResourceContents(content=file.path.read_bytes(), mime_type=file.mime)
