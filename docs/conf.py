"""The site, built from docs/*.md and the reference that the generator writes: `make docs`."""

from __future__ import annotations

import inspect
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runcomfy_codegen.cli import run
from sphinx.errors import ExtensionError

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "runcomfy-client"
copyright = "the authors, MIT licence"
release = installed_version("runcomfy-client")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
source_suffix = {".md": "markdown"}
# models.md is the list for readers of the repository; links to it lead to the pages of the models on the site.
exclude_patterns = ["README.md", "models.md"]
nitpicky = True
# Types are named as the source names them; only links between pages are checked.
nitpick_ignore_regex = [(r"py:.*", r".*")]
# Schemas and code are quoted as they are.
smartquotes = False
myst_heading_anchors = 3

autoclass_content = "both"
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80
add_module_names = False
default_role = "code"

html_theme = "furo"
html_title = f"runcomfy-client {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_use_index = False
html_domain_indices = False
pygments_style = "friendly"
pygments_dark_style = "github-dark"
copybutton_exclude = ".linenos, .gp, .go"


def setup(app: Sphinx) -> None:
    """Called by Sphinx. `-D runcomfy_schemas=DIR` documents the models of another store."""
    app.connect("autodoc-skip-member", _skip_providers)
    app.connect("autodoc-process-docstring", _list_parameters, priority=400)  # before napoleon
    app.add_config_value("runcomfy_schemas", "", "env", (str,))
    app.connect("builder-inited", _write_reference)
    app.connect("source-read", _link_model_pages)
    # Before the theme, which asks for the tree at 500.
    app.connect("html-page-context", _fold_navigation, priority=400)


def _skip_providers(app: Sphinx, what: str, name: str, of: object, skip: bool, options: object) -> bool | None:
    """Leave the providers out of the clients' members; models have pages of their own."""
    getter = of.fget if isinstance(of, property) else None
    return True if getattr(getter, "__module__", "") == "runcomfy._client" else None


def _list_parameters(app: Sphinx, what: str, name: str, of: object, options: object, lines: list[str]) -> None:
    """Make a list of the lines `parameter: what it is` that stand in a paragraph of their own in our docstrings."""
    try:
        known = set(inspect.signature(of).parameters) if callable(of) else set()
    except (TypeError, ValueError):
        known = set()
    known |= set(getattr(of, "__annotations__", ()))
    for number, line in enumerate(lines):
        parameter, colon, text = line.partition(": ")
        if colon and parameter in known:
            lines[number] = f":param {parameter}: {text}"
        elif number and lines[number - 1].startswith((":param ", "    ")) and line and not line.startswith(" "):
            lines[number] = f"    {line}"  # the paragraph goes on


def _write_reference(app: Sphinx) -> None:
    """The pages of the models, written anew; Sphinx then reads only those that changed."""
    arguments = ["reference", "--output", str(Path(app.srcdir, "reference"))]
    if app.config.runcomfy_schemas:
        arguments += ["--schemas", app.config.runcomfy_schemas]
    if run(arguments) != 0:
        raise ExtensionError("runcomfy-codegen reference has failed")


def _link_model_pages(app: Sphinx, docname: str, source: list[str]) -> None:
    source[0] = source[0].replace("](models.md)", "](reference/all-models.md)")


def _fold_navigation(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object) -> None:
    """Unfold only the branch one stands in, or each page would list, and cost, as much as there are models."""
    whole = context["toctree"]
    context["toctree"] = lambda **options: whole(**{**options, "collapse": True})
