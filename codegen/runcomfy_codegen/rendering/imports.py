"""The import block of a generated module: sections in order, names sorted, nothing that is not used."""

from __future__ import annotations

from dataclasses import dataclass, field

LINE_LENGTH = 120

_STANDARD = ("collections", "functools", "typing")


@dataclass
class Imports:
    """Names by module. `relative` modules begin with dots."""

    names: dict[str, set[str]] = field(default_factory=dict)

    def add(self, module: str, *names: str) -> None:
        if names:
            self.names.setdefault(module, set()).update(names)

    def merge(self, other: dict[str, tuple[str, ...]]) -> None:
        for module, names in other.items():
            self.add(module, *names)

    def lines(self) -> list[list[str]]:
        """The import statements by section: standard library, libraries, our own."""
        sections: list[list[str]] = [[], [], []]
        for module in sorted(self.names, key=_order):
            names = ", ".join(sorted(self.names[module], key=_name_order))
            sections[_section(module)].append(f"from {module} import {names}")
        return [section for section in sections if section]

    def text(self, indent: str = "") -> str:
        """The block in black's form, so that no formatter need run over it."""
        sections = [[_import_lines(line, indent) for line in section] for section in self.lines()]
        return "\n\n".join("\n".join(section) for section in sections)

    def frozen(self) -> dict[str, tuple[str, ...]]:
        return {module: tuple(sorted(names)) for module, names in sorted(self.names.items())}


def relative(depth: int, module: str) -> str:
    """A module of the package, seen from a module that lies `depth` packages below the root."""
    return "." * (depth + 1) + module


def _import_lines(line: str, indent: str) -> str:
    if len(indent + line) <= LINE_LENGTH:
        return indent + line
    head, _, names = line.partition(" import ")
    listed = "".join(f"{indent}    {name},\n" for name in names.split(", "))
    return f"{indent}{head} import (\n{listed}{indent})"


def _section(module: str) -> int:
    return 2 if module.startswith(".") else 0 if module.partition(".")[0] in _STANDARD else 1


def _order(module: str) -> tuple[int, str]:
    # As ruff sorts: the farther relative import first.
    dots = len(module) - len(module.lstrip("."))
    return (-dots, module)


def _name_order(name: str) -> tuple[int, str]:
    # Constants, then classes, then functions, as ruff sorts them.
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return (kind, name)
