"""What a media field takes, as types for checkers; at run time any value goes, since the check is the judge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

if TYPE_CHECKING:
    from os import PathLike
    from typing import BinaryIO, TypeAlias

    from PIL.Image import Image

    from .local import LocalMedia

    ImageInput: TypeAlias = str | PathLike[str] | bytes | BinaryIO | LocalMedia | Image
    VideoInput: TypeAlias = str | PathLike[str] | bytes | BinaryIO | LocalMedia
    AudioInput: TypeAlias = str | PathLike[str] | bytes | BinaryIO | LocalMedia
else:

    class _MediaSchema:
        """Tells pydantic that a media field holds what it was given, and JSON Schema that the wire has a string."""

        def __init__(self, format: str) -> None:
            self.format = format

        def __get_pydantic_core_schema__(self, source: object, handler: object) -> Any:
            from pydantic_core import core_schema

            shown = core_schema.plain_serializer_function_ser_schema(_wire_text, when_used="json")
            return core_schema.any_schema(serialization=shown)

        def __get_pydantic_json_schema__(self, schema: object, handler: object) -> dict[str, str]:
            return {"type": "string", "format": self.format}

    def _wire_text(value: object) -> object:
        data_uri = getattr(value, "data_uri", None)
        return data_uri() if callable(data_uri) else value

    ImageInput = Annotated[Any, _MediaSchema("image_uri")]
    VideoInput = Annotated[Any, _MediaSchema("video_uri")]
    AudioInput = Annotated[Any, _MediaSchema("audio_uri")]

__all__ = ["AudioInput", "ImageInput", "VideoInput"]
