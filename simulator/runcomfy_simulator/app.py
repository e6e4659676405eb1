"""The ASGI application of one simulator, put together from its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette

from .admin import Admin
from .api import Api
from .description import Description
from .engine import Engine
from .faults.gate import Gate
from .faults.schedule import Schedule
from .faults.wires import Wires
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
        self.schedule = Schedule(rate=settings.fault_rate, seed=settings.seed)
        self.wires = Wires()
        api = Api(self.engine, self.files, Gate(self.engine, self.schedule, self.wires))
        admin = Admin(self.engine, self.files, self.schedule)
        self.app: ASGIApp = Starlette(routes=[*api.routes(), *admin.routes(), *Description(catalogue).routes()])

    def close(self) -> None:
        self.files.studio.close()
