"""`model_classes SCHEMAS OUT`: pydantic classes by datamodel-code-generator, formatted by black, a module per schema.

Both run in this one process, as libraries, with the cheapest settings that give typed pydantic v2 classes; SCHEMAS
holds standard JSON Schema files. This is the floor under any generator that stands on the two.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import black
from black.mode import TargetVersion
from datamodel_code_generator import InputFileType, LiteralType, PythonVersion, generate
from datamodel_code_generator.enums import DataModelType

MODE = black.Mode(line_length=120, target_versions={TargetVersion.PY311})


def main(arguments: list[str]) -> int:
    """See the module."""
    schemas, out = (Path(argument) for argument in arguments)
    for source in sorted(schemas.rglob("*.json")):
        target = (out / source.relative_to(schemas)).with_suffix(".py")
        target.parent.mkdir(parents=True, exist_ok=True)
        text = classes(source.read_text(encoding="utf-8"))
        target.write_text(black.format_str(text, mode=MODE), encoding="utf-8")
    return 0


def classes(schema: str) -> str:
    """The text of the classes for one schema, not yet formatted."""
    text = generate(
        schema,
        input_file_type=InputFileType.JsonSchema,
        class_name=json.loads(schema)["title"],
        output_model_type=DataModelType.PydanticV2BaseModel,
        target_python_version=PythonVersion.PY_311,
        enum_field_as_literal=LiteralType.All,
        field_constraints=True,
        use_annotated=True,
        disable_timestamp=True,
        formatters=[],
    )
    assert isinstance(text, str)
    return text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
