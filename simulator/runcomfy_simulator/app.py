"""The ASGI application of one simulator, put together from its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from .admin import Admin
from .api import Api
from .description import Description
from .engine import Engine
from .fault_injection.connections import Connections
from .fault_injection.gate import Gate
from .fault_injection.schedule import Schedule
from .files import Files
from .host_check import HostCheck
from .replies import Replies

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp

    from .catalog import Catalog
    from .settings import Settings


class Application:
    """One simulated API: its state, and the ASGI application that serves it."""

    def __init__(self, catalog: Catalog, settings: Settings) -> None:
        self.engine = Engine(catalog, settings)
        self.files = Files(self.engine)
        self.schedule = Schedule(rate=settings.fault_rate, seed=settings.seed)
        self.connections = Connections(settings.request_seconds)
        replies = Replies(self.engine, settings.profile)
        api = Api(self.engine, self.files, Gate(self.engine, self.schedule, self.connections), replies)
        admin = Admin(self.engine, self.files, self.schedule)
        description = Description(catalog, settings.profile)
        routes = [*api.routes(), *admin.routes(), *description.routes()]
        # A client that disconnects while it sends needs no log line.
        starlette = Starlette(routes=routes, exception_handlers={ClientDisconnect: _no_reply})
        self.app: ASGIApp = HostCheck(starlette, settings.allow_hosts, replies)

    def close(self) -> None:
        self.files.renderer.close()


async def _no_reply(_: Request, __: Exception) -> Response:
    return Response(status_code=400)
