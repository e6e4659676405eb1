"""Names that generated code must not use, each with its reason. A name on a list gets a trailing `_`.

The lists are frozen: adding a name would rename what people already call, so `schemas/names.json` locks every
published name, and a test compares the lists with what pydantic and the runtime really define.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..reading.store import DEVICES

if TYPE_CHECKING:
    from collections.abc import Mapping


def _with_reason(reason: str, names: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), reason)


# Python 3.11 to 3.13 agree on these; `match`, `case` and `type` are keywords only in places that names cannot take.
KEYWORDS: Final[Mapping[str, str]] = _with_reason(
    "is a keyword of Python",
    "and as assert async await break class continue def del elif else except finally for from global if import in is "
    "lambda nonlocal not or pass raise return try while with yield",
)

# A class body or a method's signature that defines one of these would change what the annotations below it mean.
_ANNOTATIONS: Final[Mapping[str, str]] = _with_reason(
    "is a builtin type that annotations of generated code use", "bool bytes dict float int list object str"
)

# A field of that name would hide a part of the class; pydantic warns about it or refuses it.
_PYDANTIC: Final[Mapping[str, str]] = _with_reason(
    "is an attribute of pydantic's BaseModel",
    "construct copy dict from_orm json model_computed_fields model_config model_construct model_copy model_dump "
    "model_dump_json model_extra model_fields model_fields_set model_json_schema model_parametrized_name "
    "model_post_init model_rebuild model_validate model_validate_json model_validate_strings parse_file parse_obj "
    "parse_raw schema schema_json update_forward_refs validate",
)

PROPERTIES: Final[Mapping[str, str]] = {
    **KEYWORDS,
    **_ANNOTATIONS,
    **_PYDANTIC,
    **_with_reason("is an attribute of every input class", "from_payload to_payload"),
    **_with_reason("is the first parameter of every method", "self"),
    **_with_reason("is the argument of every endpoint method that says how to send", "options"),
}

OUTPUT_PROPERTIES: Final[Mapping[str, str]] = {
    **KEYWORDS,
    **_ANNOTATIONS,
    **_PYDANTIC,
    **_with_reason("is an attribute of every output class", "raw warnings"),
}

# Methods of a family, families and methods of a provider; each is a module, too.
RESOURCES: Final[Mapping[str, str]] = {
    **KEYWORDS,
    **dict.fromkeys(sorted(DEVICES), "is the name of a device on Windows, where no file can have it"),
    **_ANNOTATIONS,
    **_with_reason("is the decorator that the class itself uses", "property"),
}

# Providers are attributes of the client beside these.
CLIENT: Final[Mapping[str, str]] = {
    **RESOURCES,
    **_with_reason(
        "is a name of the client itself",
        "aclose balance base_url batch catalog close job jobs journal login logout max_retries models options pending "
        "requests resume submit timeout token uploads user_agent validate with_options",
    ),
}

# A class of that name would hide what the module imports under it.
CLASSES: Final[Mapping[str, str]] = {
    **_with_reason("is a constant of Python", "False None True"),
    **_with_reason(
        "is a name that modules of classes and of methods import",
        "Annotated Any AsyncClient AsyncJob AsyncResource AsyncRunComfy AudioInput Field FileURL ImageInput InputModel "
        "InputObject Job Literal Mapping MediaOutput OutputModel RequestOptions Resource RunComfy Sequence "
        "SequenceNotStr SyncClient VideoInput",
    ),
}

# A folder of that name, once on the path, would be imported in place of the client's module of that name. Python knows
# the names of its own modules.
PACKAGES: Final[Mapping[str, str]] = {
    **_with_reason(
        "is a library that the client needs, or one that such a library needs",
        "PIL aiohappyeyeballs aiohttp aiosignal annotated_types anyio attr attrs certifi cyclopts docstring_parser "
        "frozenlist h11 httpcore httpx httpx_aiohttp idna markdown_it mdurl multidict platformdirs propcache pydantic "
        "pydantic_core pygments regex rich rich_rst ruamel sniffio tinytag typing_extensions typing_inspection yarl",
    ),
    **_with_reason("is another package of this distribution", "runcomfy_client runcomfy_codegen runcomfy_simulator"),
}

# Constants of a spec module that are always there.
CONSTANTS: Final[Mapping[str, str]] = _with_reason("is a constant of every spec module", "INPUT MODEL")
