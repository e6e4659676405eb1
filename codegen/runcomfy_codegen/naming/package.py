"""The name of the generated package: one that can be imported, and that hides nothing else that is."""

from __future__ import annotations

import keyword
import sys

from ..diagnostics.diagnostic import quote
from .reserved import PACKAGES


def package_fault(name: str, output: str) -> str | None:
    """Why a package below the folder `output` cannot have this name, and what to write instead where that is known."""
    *parents, last = name.split(".")
    if parents and all(each.isidentifier() and each.isascii() for each in (*parents, last)):
        folder = "/".join((*(() if output == "." else (output,)), *parents))
        return (
            f"{quote(name)} is no name for a package: it is a path to one. For a package that is imported as {name}, "
            f"write --output {folder} --package {last}"
        )
    if not name.isidentifier() or not name.isascii() or keyword.iskeyword(name) or name.startswith("__"):
        return f"{quote(name)} is no name for a package"
    reason = "is a module of Python itself" if name in sys.stdlib_module_names else PACKAGES.get(name)
    if reason is None:
        return None
    return f"{quote(name)} is no name for the package: it {reason}, and would be hidden; choose another"
