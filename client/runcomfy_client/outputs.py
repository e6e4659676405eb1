"""The bases of output classes: a result has been paid for, so what does not fit becomes None and a warning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationError, model_validator
from pydantic_core import core_schema

from .schema.findings import pointer
from .schema.messages import brief

if TYPE_CHECKING:
    from typing import Self

    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ModelWrapValidatorHandler
    from pydantic.json_schema import JsonSchemaValue


class FileURL(str):
    """The URL of a result file: a plain string that also answers to ``.url``. It expires after an unpublished time."""

    __slots__ = ()

    @property
    def url(self) -> str:
        return str(self)

    @classmethod
    def _read(cls, value: object) -> FileURL:
        # Now and then RunComfy sends an object with a url in the place of the url.
        url = value.get("url") if isinstance(value, Mapping) else value
        if not isinstance(url, str):
            raise ValueError("expected a URL")
        return cls(url)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._read, serialization=core_schema.plain_serializer_function_ser_schema(str)
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "format": "uri"}


class OutputModel(BaseModel):
    """Base of all output classes. Nothing is ever refused: unknown keys are kept, what does not fit is left out.

    ``warnings`` lists what was left out. Python's warnings are not used, since they can be turned into errors.
    """

    model_config = ConfigDict(extra="allow", populate_by_name=True, protected_namespaces=())

    _warnings: tuple[str, ...] = PrivateAttr(default=())

    @property
    def warnings(self) -> tuple[str, ...]:
        return self._warnings

    @model_validator(mode="wrap")
    @classmethod
    def _validate_leniently(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if isinstance(value, cls):
            return value
        warnings: list[str] = []
        if not isinstance(value, Mapping):
            warnings.append(f"expected an object, got {brief(value)}")
            value = {}
        output: Self | None = _drop_what_does_not_fit(value, handler, warnings)
        if output is None:
            # Required and missing, or a validator that accepts nothing: keep the value unvalidated.
            output = cls.model_construct(**{str(key): item for key, item in value.items()})
            warnings.append("the output does not fit its schema and was kept as it came")
        output._warnings = tuple(warnings)
        return output


class MediaOutput(OutputModel):
    """The common output. Which of its fields a model fills is up to the model; the others are None."""

    image: FileURL | None = None
    images: list[FileURL] | None = None
    video: FileURL | None = None
    videos: list[FileURL] | None = None
    audio: FileURL | None = None
    audios: list[FileURL] | None = None


def _drop_what_does_not_fit(value: Any, handler: ModelWrapValidatorHandler[Any], warnings: list[str]) -> Any:
    """The output without what does not fit; None if even that cannot be made."""
    while True:
        try:
            return handler(value)
        except ValidationError as error:
            places = [problem["loc"] for problem in error.errors(include_url=False, include_context=False)]
        smaller = value
        # From the end, so that an item left out does not move those that are still to go.
        for place in sorted({path for place in places if (path := _data_path(value, place))}, key=_reverse_order):
            warnings.append(f"{pointer(place)}: {brief(_at(value, place))} does not fit and was left out")
            smaller = _without(smaller, place)
        if smaller is value:
            return None
        value = smaller


def _data_path(value: object, place: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """The part of an error's place that leads through the data; behind it pydantic names branches of its schema."""
    keys: list[int | str] = []
    for key in place:
        inside = key in value if isinstance(value, Mapping) else isinstance(value, list) and key in range(len(value))
        if not inside:
            break
        value = _at(value, (key,))
        keys.append(key)
    return tuple(keys)


def _at(value: Any, place: tuple[int | str, ...]) -> object:
    for key in place:
        value = value[key]
    return value


def _without(value: Any, place: tuple[int | str, ...]) -> Any:
    """A copy without one place; nothing of the reply itself is changed."""
    key, *rest = place
    copied: Any = dict(value) if isinstance(value, Mapping) else list(value)
    if rest:
        copied[key] = _without(copied[key], tuple(rest))
    else:
        del copied[key]
    return copied


def _reverse_order(place: tuple[int | str, ...]) -> tuple[tuple[int, int, str], ...]:
    return tuple((0, -key, "") if isinstance(key, int) else (1, 0, key) for key in place)
