"""Where the generator finds its inputs and puts its output when it is not told."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent
_CHECKOUT = _PACKAGE.parent.parent
_DATA = _PACKAGE / "_data"


def in_checkout() -> bool:
    """Does the generator run from the repository, or from an installed wheel, which carries its data inside?"""
    return not _DATA.is_dir()


def generator_folder() -> Path:
    """The generator's own modules; in a wheel its data lies there too, below `_data`."""
    return _PACKAGE


def runtime_folder() -> Path:
    return _CHECKOUT / "codegen" / "runtime" if in_checkout() else _DATA / "runtime"


def templates_folder() -> Path:
    return _CHECKOUT / "templates" if in_checkout() else _DATA / "templates"


def _project() -> Path:
    """The working directory if it has schemas of its own, or nothing else could be meant; else the checkout."""
    here = Path()
    return _CHECKOUT if in_checkout() and not (here / "schemas").is_dir() else here


def default_schemas() -> Path:
    """`schemas/` here; without one, and run from a checkout, the checkout's."""
    return _project() / "schemas"


def packaged_schemas() -> Path:
    """The schemas that a wheel brings along, for reading only; in a checkout the same as the default."""
    return _CHECKOUT / "schemas" if in_checkout() else _DATA / "schemas"


def default_output() -> Path:
    """The folder that holds the package: beside the default schemas."""
    return _project() / "generated"
