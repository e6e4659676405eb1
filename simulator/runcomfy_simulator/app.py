"""The ASGI application of one simulator, put together from its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette

from .api import Api
from .engine import Engine
from .files import Files

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from .catalogue import Catalogue
    from .settings import Settings


class World:
    """One simulated API: its state, and the application that serves it."""

    def __init__(self, catalogue: Catalogue, settings: Settings) -> None:
        self.engine = Engine(catalogue, settings)
        self.files = Files(self.engine)
        self.app: ASGIApp = Starlette(routes=Api(self.engine, self.files).routes())

    def close(self) -> None:
        self.files.studio.close()
