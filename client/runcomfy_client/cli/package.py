"""The generated package that the command line works for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..client import SyncClient
    from ..packages import ModelPackage

DEFAULT = "runcomfy"
_chosen = DEFAULT


def choose(name: str) -> None:
    """Work for another generated package than `runcomfy`, named as one imports it."""
    global _chosen
    _chosen = name


def package() -> ModelPackage:
    """The models that the commands know."""
    found: ModelPackage = import_module(f"{_chosen}._index").PACKAGE
    return found


def client_class() -> type[SyncClient]:
    """The package's own client."""
    found: type[SyncClient] = import_module(_chosen).RunComfy
    return found
