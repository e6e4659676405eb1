"""Ready lines to paste: one job in Python, sync and async, with curl, and the check that costs nothing."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

import black
from black.mode import Mode, TargetVersion

from ..openapi.common import API_SERVER
from ..rendering.literals import literal, string
from ..rendering.markdown import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..lowering import ir
    from ..reading.source import Json

API = f"{API_SERVER}/v1"
# What fits a column of text beside a navigation.
_MODE = Mode(target_versions={TargetVersion.PY311}, line_length=80)


def sync_call(model: ir.Model, given: Mapping[str, Json]) -> str:
    """Submit, wait, fetch."""
    return _python(f"""
from runcomfy import RunComfy

client = RunComfy()
job = client.{model.names.dotted}({_arguments(model, given)})
result = job.wait(timeout=600)
print(result.download("out/"))
""")


def async_call(model: ir.Model, given: Mapping[str, Json]) -> str:
    """The same with `await`."""
    return _python(f"""
import asyncio

from runcomfy import AsyncRunComfy


async def main() -> None:
    async with AsyncRunComfy() as client:
        job = await client.{model.names.dotted}({_arguments(model, given)})
        result = await job.wait(timeout=600)
        print(await result.download("out/"))


asyncio.run(main())
""")


def offline_check(model: ir.Model, given: Mapping[str, Json]) -> str:
    """Every fault of a payload, without a token and without the network."""
    return _python(f"""
import runcomfy

payload = {literal(dict(given))}
report = runcomfy.validate({string(model.model_id)}, payload)
print(report.ok, report.errors, report.unchecked)
""")


def curl_lines(model: ir.Model, given: Mapping[str, Json]) -> str:
    """Submit, then ask for the state and the result."""
    body = printable(json.dumps(given, indent=2, ensure_ascii=False))
    return f"""\
curl {API}/models/{model.model_id} \\
  -H "Authorization: Bearer $RUNCOMFY_API_TOKEN" \\
  -H "Content-Type: application/json" \\
  -d {shlex.quote(body)}

# with the request_id of the reply:
curl {API}/requests/$REQUEST_ID/status \\
  -H "Authorization: Bearer $RUNCOMFY_API_TOKEN"
curl {API}/requests/$REQUEST_ID/result \\
  -H "Authorization: Bearer $RUNCOMFY_API_TOKEN"
"""


def _arguments(model: ir.Model, given: Mapping[str, Json]) -> str:
    names = {each.wire: each.name for each in model.input.properties}
    # A comma after the last one: each argument gets a line of its own.
    return "".join(f"{names[wire]}={literal(value)}," for wire, value in given.items() if wire in names)


def _python(text: str) -> str:
    return black.format_str(text.lstrip("\n"), mode=_MODE)
