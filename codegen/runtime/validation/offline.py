"""``runcomfy.validate``: a payload as people have it (a dict, JSON text, a file), judged without a network."""

from __future__ import annotations

import os

from ..registry import known_spec
from .containers import MISSING
from .report import Report
from .spec import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .probe import Probe
    from .report import Finding
    from .spec import ModelSpec

__all__ = ["validate", "validate_spec"]


def validate(model_id: str, payload: object, probe: bool | Probe = False) -> Report:
    """Judge a payload against a model's schema and bring back everything that is wrong with it.

    Args:
        model_id: such as "bytedance/dreamina-4-0/edit".
        payload: the request body with wire names: a dict, JSON text (str or bytes), or the path of a JSON file
            (pathlib.Path). In a dict, media fields take what a submit takes: URLs, data: URIs, paths, bytes, open
            binary files, PIL images. An input class's instance stands for its payload.
        probe: also look at the media behind URLs, reading only their first bytes; a Probe says how far to go.

    Raises:
        UnknownModelError: no model of this id was generated; nothing else is raised.
    """
    return validate_spec(known_spec(model_id), payload, probe)


def validate_spec(spec: ModelSpec, payload: object, probe: bool | Probe = False) -> Report:
    """As ``validate``, for a spec that is at hand."""
    if type(payload) is dict and not probe:
        return check(spec, payload)
    faults: list[Finding] = []
    if isinstance(payload, (str, bytes, bytearray, os.PathLike)):
        from .reading import read_payload

        payload, faults = read_payload(payload)
        if payload is MISSING:
            return Report(spec.model_id, faults)
    elif not isinstance(payload, dict):
        payload = _plain(payload)
    if probe:
        from .probe import Probe, probed

        payload = probed(spec.input, payload, Probe() if probe is True else probe)
    return Report(spec.model_id, [*faults, *(spec.input.judge(payload) or ())]) if faults else check(spec, payload)


def _plain(payload: object) -> object:
    """The dict that another kind of mapping, or an input class's instance, stands for."""
    from collections.abc import Mapping

    to_payload = getattr(payload, "to_payload", None)
    if callable(to_payload):
        return to_payload()
    return dict(payload) if isinstance(payload, Mapping) else payload
