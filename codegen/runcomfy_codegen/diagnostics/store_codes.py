"""The faults of files: those that cannot be read, names, patches, and files in the way of the output."""

from __future__ import annotations

from .codes import Code

STORE_CODES = (
    Code(
        "E001",
        "a file cannot be read",
        "The file is there but is not read: permissions, a directory, a pipe or a device in its place, a broken disk, "
        "or a link that leads out of the store, which may come from somebody else. The system's own words follow.",
    ),
    Code(
        "E002",
        "a file is not UTF-8",
        "Schemas are UTF-8 without a byte order mark, as JSON demands. Editors on Windows like to write UTF-16 or to "
        "put a byte order mark in front.",
    ),
    Code(
        "E003",
        "a file is not JSON",
        "The place is where the reader could not go on; the cause is often just before it: a comma too many, a quote "
        "that was never closed, two documents in one file, a comment.",
    ),
    Code(
        "E004",
        "NaN or Infinity",
        "JSON has no such numbers. Python's reader lets them pass; the API's would not.",
    ),
    Code(
        "E005",
        "a key stands twice",
        "Readers disagree which of two equal keys counts, so a schema with one judges differently here and there. "
        "Keep one of the two. (A patch cannot cure this: it needs a document that can be read.)",
    ),
    Code(
        "E006",
        "too deep",
        "No real schema is nested that deeply. A file that is was made to break its reader.",
    ),
    Code(
        "E007",
        "a number too large",
        "The number is beyond what a double holds, so no two readers would agree on it.",
    ),
    Code(
        "E008",
        "half a surrogate pair",
        "An escape like \\ud83d stands without its other half. It is no character and cannot be written as UTF-8.",
    ),
    Code(
        "E030",
        "a folder that is no model id",
        "The id of a model is the path from schemas/ to its folder: provider/name or provider/family/task. Its "
        "segments hold letters, digits, '.', '_' and '-', begin with a letter or digit and do not end with '.', so "
        "that an id is a folder on every file system and never leads out of the store or out of the output.",
    ),
    Code(
        "E031",
        "two properties get one Python name",
        "A property's name becomes a Python name: lower case, every run of other characters than a to z and 0 to 9 "
        "becomes one `_`, the ends are trimmed. Two properties that become the same are refused: a silent `_1` would "
        "depend on the order of a file that somebody else writes, and a name is what programs are written against.\n\n"
        "Give one of them a name of your own in schemas/names.json, wire name to Python name:\n\n"
        '    {"acme/poster-1": {"properties": {"num-steps": "num_steps_dashed"}}}\n\n'
        "The wire name stays what is sent.",
    ),
    Code(
        "E032",
        "two models get one Python name",
        "An id provider/family/task becomes client.provider.family.task, an id of two segments client.provider.name. "
        "Ids that differ only in characters that names do not have (a dot, a dash) may meet, a model may get the name "
        "of a family, and two families may get one class. Give one of them a name of your own:\n\n"
        '    {"acme/poster-1.0/draw": {"name": "acme.poster_v1.draw"}}\n\n'
        "A model that is published keeps its name; the newcomer has to give way.",
    ),
    Code(
        "E033",
        "two ids differ only by case",
        "The API tells `4K` from `4k`, most file systems and people do not. The two would be one folder on some "
        "machines and two on others.",
    ),
    Code(
        "E034",
        "a name without letters",
        "Python names of this client are ASCII. What is written in another alphabet, or in signs alone, leaves nothing "
        "to make a name of. Choose one in schemas/names.json:\n\n"
        '    {"acme/poster-1": {"properties": {"宽度": "width"}}}',
    ),
    Code(
        "E035",
        "names.json is faulty",
        "schemas/names.json maps model ids to the names that are published, or chosen:\n\n"
        '    {"acme/poster-1/draw": {\n'
        '        "name": "acme.poster_1.draw",\n'
        '        "properties": {"width×height": "width_height"},\n'
        '        "objects": {"DrawLora": {"path": "path"}}}}\n\n'
        "Every part may be missing; `generate` fills it in. Names are lower case, begin with a letter, and are none "
        "that Python, pydantic or the client uses itself.",
    ),
    Code(
        "E036",
        "a published name would change",
        "The package that was generated last uses another name than names.json asks for now. Programs that use the "
        "old name would break. If that is meant, run `runcomfy-codegen generate --accept-renames` once.",
    ),
    Code(
        "E037",
        "two objects get one class",
        "An object inside an input gets a class named after the method and the properties that lead to it: `lora` of "
        "`edit` is EditLora, an item of `loras` is EditLorasItem. Where two meet, rename one of the properties in "
        "schemas/names.json; the class follows it.",
    ),
    Code(
        "E040",
        "patch.json is no patch",
        "A patch is a list of operations of RFC 6902, applied to the model's input.json when it is read; the file that "
        "was received stays as it is.\n\n"
        '    [{"op": "replace", "path": "/required/0", "value": "images"}]',
    ),
    Code(
        "E041",
        "a patch does not apply",
        "The place that an operation names is not there, or a `test` found something else. Either the operation was "
        "wrong from the start, or upstream has changed the schema since.",
    ),
    Code(
        "E042",
        "a patch that is not needed any more",
        "The operation changes nothing, or the schema is without errors as it was received: upstream has fixed the "
        "fault. Delete the operation, or the file, so that nobody wonders what it is for.",
    ),
    Code(
        "E060",
        "a file is in the way",
        "Every file of the generated package begins with the generator's own first line. A file without it was made by "
        "somebody else; it is neither overwritten nor deleted, and as long as it is there nothing is written. Links "
        "are refused too: what is written must land in the output folder.",
    ),
    Code(
        "E061",
        "a store without models",
        "There is no model below the folder of schemas, but the package that was generated has some. They are not "
        "deleted for what is most likely a wrong --schemas.",
    ),
    Code(
        "E062",
        "models that would be deleted",
        "The package that was generated has models that the store does not have. Mostly the store is another one than "
        "the package was made of, so they are not deleted unless you ask for it: `runcomfy-codegen generate --delete`. "
        "A store that the project itself names says what the package is to hold, and needs no flag:\n\n"
        "    [tool.runcomfy]\n"
        '    schemas = "schemas"',
    ),
    Code("W101", "a file nobody reads", "A model's folder holds input.json, output.json, example.json and patch.json."),
    Code(
        "W102",
        "files without a model",
        "A folder has files of a model but no input.json, so it is none. Was the file renamed, or the folder left "
        "over?",
    ),
    Code(
        "W103",
        "a folder that Windows cannot have",
        "Windows keeps con, prn, aux, nul, com1 to com9 and lpt1 to lpt9 for devices, with any ending. The model works "
        "elsewhere, and its module gets another name; on Windows its folder cannot be checked out.",
    ),
    Code(
        "W136",
        "names of a model that is not there",
        "schemas/names.json has names for a model that has no folder. `generate` drops them.",
    ),
)
