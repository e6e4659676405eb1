"""What the API says of itself: its OpenAPI document, and a page to browse it and try it, whole in one file."""

from __future__ import annotations

from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from .replies import origin_of, to_json

if TYPE_CHECKING:
    from starlette.requests import Request

    from .catalogue import Catalogue


class Description:
    """Serves /openapi.json and /docs."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

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
        # The generator knows how to describe the API; how requests are judged here is the simulator's own.
        from runcomfy_codegen.openapi import ModelSchemas, make_document

        common = self._catalogue.common_output
        models = [
            ModelSchemas(
                model_id=model.model_id,
                input=model.input_schema,
                output=None if model.output_schema is common else model.output_schema,
                example=model.example,
            )
            for model in self._catalogue
        ]
        made = make_document(models, common, version=version("runcomfy-client"), server=origin_of(request))
        return to_json(made)
