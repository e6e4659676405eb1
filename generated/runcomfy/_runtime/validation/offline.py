"""``runcomfy.validate``: a payload as people have it (a dict, JSON text, a file), judged without a network."""

from __future__ import annotations

import os

from .containers import MISSING
from .report import Report
from .spec import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .spec import ModelSpec

__all__ = ["validate", "validate_spec"]


def validate(model_id: str, payload: object, probe: bool = False) -> Report:
    """Judge a payload against a model's schema and bring back everything that is wrong with it.

    Args:
        model_id: such as "bytedance/dreamina-4-0/edit".
        payload: the request body with wire names: a dict, JSON text (str or bytes), or the path of a JSON file
            (pathlib.Path). In a dict, media fields take what a submit takes: URLs, data: URIs, paths, bytes, open
            binary files, PIL images.
        probe: also look at the media behind URLs, reading only their first bytes.

    Raises:
        UnknownModelError: no model of this id was generated; nothing else is raised.
    """
    from ..registry import known_spec

    return validate_spec(known_spec(model_id), payload)


def validate_spec(spec: ModelSpec, payload: object) -> Report:
    """As ``validate``, for a spec that is at hand."""
    if isinstance(payload, (str, bytes, bytearray, os.PathLike)):
        from .reading import read_payload

        payload, faults = read_payload(payload)
        if faults:
            found = None if payload is MISSING else spec.input.judge(payload)
            return Report(spec.model_id, [*faults, *(found or ())])
    return check(spec, payload)
