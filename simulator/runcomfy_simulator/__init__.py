"""A local Model API that behaves like RunComfy's: for demos, development and tests, without a token, money or network.

Importing it loads nothing heavy; `Simulator` is loaded on first touch, so the pytest plugin can live in any run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .profiles import PROFILES, Profile
    from .server import Simulator
    from .settings import Settings

__all__ = ["PROFILES", "Profile", "Settings", "Simulator"]

_HOMES = {"PROFILES": "profiles", "Profile": "profiles", "Settings": "settings", "Simulator": "server"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value
