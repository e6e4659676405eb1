"""An OpenAPI 3.1 document of the whole Model API from the models' schemas; plain data in, plain data out."""

from __future__ import annotations

from .document import ModelSchemas, make_document

__all__ = ["ModelSchemas", "make_document"]
