"""The API's description: its OpenAPI document, and a page in one file to browse and try it."""

from __future__ import annotations

from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from .replies import json_response, request_origin

if TYPE_CHECKING:
    from starlette.requests import Request

    from .catalog import Catalog
    from .profiles import Profile


class Description:
    """Serves /openapi.json and /docs."""

    def __init__(self, catalog: Catalog, profile: Profile) -> None:
        self._catalog = catalog
        self._profile = profile

    def routes(self) -> list[Route]:
        return [
            Route("/", self.home, methods=["GET"]),
            Route("/docs", self.page, methods=["GET"]),
            Route("/openapi.json", self.document, methods=["GET"]),
        ]

    async def home(self, _: Request) -> Response:
        return RedirectResponse("/docs")

    async def page(self, _: Request) -> Response:
        text = (files(__package__) / "page.html").read_text(encoding="utf-8")
        return Response(text, media_type="text/html")

    async def document(self, request: Request) -> Response:
        # The generator knows how to describe the API; how requests are checked here is the simulator's own.
        from runcomfy_codegen.openapi import ModelSchemas, make_document

        common = self._catalog.common_output
        models = [
            ModelSchemas(
                model_id=model.model_id,
                input=model.input_schema,
                output=None if model.output_schema is common else model.output_schema,
                example=model.example,
                listing=model.metadata,
            )
            for model in self._catalog
        ]
        document: dict[str, Any] = make_document(
            models, common, version=version("runcomfy-client"), server=request_origin(request)
        )
        if self._profile.undeclared_keys != "refuse":
            _open_inputs(document)
        if self._profile.token_code == 403:
            _document_403(document)
        return json_response(document)


def _document_403(document: dict[str, Any]) -> None:
    """Add to an OpenAPI document that a bad token can be answered with 403 wherever it can be with 401."""
    for operations in document["paths"].values():
        for operation in operations.values():
            if "401" in operation.get("responses", {}):
                operation["responses"].setdefault("403", operation["responses"]["401"])


def _open_inputs(document: dict[str, Any]) -> None:
    """Let the inputs in an OpenAPI document have keys that they do not declare, as this simulator does."""
    for operations in document["paths"].values():
        content = operations.get("post", {}).get("requestBody", {}).get("content", {})
        reference = content.get("application/json", {}).get("schema", {}).get("$ref")
        if reference:
            _open(document["components"]["schemas"][reference.rpartition("/")[2]])


def _open(schema: Any) -> None:
    if isinstance(schema, dict):
        if schema.get("additionalProperties") is False:
            del schema["additionalProperties"]
        for key in ("items", "additionalProperties"):
            _open(schema.get(key))
        for part in (schema.get("properties") or {}).values():
            _open(part)
        for key in ("anyOf", "oneOf", "allOf"):
            for part in schema.get(key) or ():
                _open(part)
