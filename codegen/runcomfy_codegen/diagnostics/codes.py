"""Every diagnostic code with its title and its explanation; `runcomfy-codegen explain CODE` prints from here.

E001 to E009 are files that cannot be read, E010 to E029 schemas, E030 to E039 names, E040 to E049 patches, E060 to
E069 the output, E070 to E099 pages and catalog replies. W1xx are the warnings beside them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of diagnostic: what it is, why it is a problem, its cure. Indented paragraphs of `text` are examples."""

    code: str
    title: str
    text: str


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
        "Readers disagree which of two equal keys counts, so a schema with one may be read differently here and there. "
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
        "An escape like \\ud83d stands without its other half. It is not a character and cannot be written as UTF-8.",
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
        "error. Delete the operation, or the file.",
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
    Code(
        "W101",
        "a file that is not read",
        "A model's folder holds input.json, output.json, example.json and patch.json.",
    ),
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


SCHEMA_CODES = (
    Code(
        "E010",
        "a keyword has a value it cannot have",
        "The keyword is one of the dialect, its value is not: a length that is no whole number, a `required` that is "
        "no list. What was meant cannot be known, so nothing is guessed. docs/dialect.md lists each keyword's values.",
    ),
    Code(
        "E011",
        "an unknown type",
        "The types are string, integer, float, number, boolean, array, object and null; `float` and `number` are the "
        "same. A list of types means any of them.",
    ),
    Code(
        "E012",
        "a required property is not defined",
        "Payloads may hold only the properties that are defined, so one that is required but not defined leaves no "
        "payload that passes. Mostly the property was renamed upstream and the list forgotten. Say in patch.json "
        "which name is meant, or that the requirement goes:\n\n"
        '    [{"op": "replace", "path": "/required/0", "value": "images"}]\n'
        '    [{"op": "remove", "path": "/required/0"}]',
    ),
    Code(
        "E013",
        "nothing can satisfy a property",
        "The schema asks for what cannot be: a minimum above the maximum, an integer where there is none between the "
        "bounds, an enum none of whose values is of the property's type.",
    ),
    Code(
        "E014",
        "a keyword that is not in the dialect",
        "JSON Schema has keywords that RunComfy's schemas do not use and that no class here could check: $ref, "
        "allOf, not, if, contains and their like; at the top of an input schema also enum, const, oneOf and anyOf. "
        "To pass over one silently would let payloads through that the server refuses. Write the same with the "
        "dialect's own keywords, or take the keyword away with patch.json.",
    ),
    Code(
        "E015",
        "a pattern that cannot be read",
        "`pattern` is a regular expression that Python and JavaScript read alike. This one Python cannot read.",
    ),
    Code(
        "E016",
        "no input schema",
        'An input schema is an object with `"type": "object"` and `"properties"`: the keys of the request body. A file '
        "that wraps it (the whole catalog entry, say) can be unwrapped by a patch that moves the inner object up:\n\n"
        '    [{"op": "move", "from": "/input_schema", "path": ""}]',
    ),
    Code(
        "E017",
        "no output schema",
        'An output.json is what the API page prints: `{"output": {"type": "object", "properties": {...}}}`. A model '
        "whose "
        "output is the common one needs none.",
    ),
    Code(
        "E020",
        "a malformed rule",
        "A rule of `validations` has a `validation_rule`, a `validation_value` and a `validation_error`. The value "
        "of a "
        'rule that is known is a number from 0, the same in a string, or a fraction: 15, "0.33", "1/3".',
    ),
    Code(
        "E021",
        "a rule on a file where no file stands",
        "The rule measures a file (its size, its pixels), but the property's format does not say that it takes one, so "
        "nothing would apply the rule. Say with patch.json which kind of file it is:\n\n"
        '    [{"op": "add", "path": "/properties/image/format", "value": "image_uri"}]',
    ),
    Code(
        "W110",
        "an unknown keyword",
        "The keyword is none of the dialect or of JSON Schema; it changes nothing about which payloads pass. Look "
        "for a slip of the pen: maxlength for maxLength.",
    ),
    Code(
        "W111",
        "a keyword that says nothing here",
        "Keywords bind values of their own type: minLength says nothing about numbers, minimum nothing about strings.",
    ),
    Code(
        "W112",
        "a property without a type",
        "Without a type, an enum or alternatives any JSON value passes; the class has Any.",
    ),
    Code(
        "W113",
        "a text that is none",
        "A title, a description or another keyword that only informs has a value of the wrong kind. It is left out.",
    ),
    Code(
        "W120",
        "a default or an example that its own schema refuses",
        "It is off the enum, out of bounds or of another type, or it is the bare name of a file where a URL belongs. "
        "It is documented as it stands and never sent: "
        "what is not given is not sent, the server applies its own default.",
    ),
    Code(
        "W121",
        "a value of an enum that can never be given",
        "The value does not fit the type or the bounds beside the enum, so it is left out of the class.",
    ),
    Code("W122", "a value stands twice in an enum", "It counts once."),
    Code("W123", "a name stands twice in `required`", "It counts once."),
    Code(
        "W124",
        "two media formats that disagree",
        "The format of an array says one kind of file, that of its items another. The items' counts.",
    ),
    Code(
        "W126",
        "an example that its schema refuses",
        "example.json is the request body that the API page shows. It does not fit the input schema of the same page.",
    ),
    Code(
        "W127",
        "a pattern that takes too long on some texts",
        "An expression such as `^(a|aa)+$` tries very many ways to match before it gives up, twice as many with each "
        "letter more. A check gives such a search up after a tenth of a second and reports the pattern as not checked. "
        "If the server uses the same expression, it may hang on the same text.",
    ),
    Code(
        "W130",
        "a rule that is not known",
        "The rules known are file_size_mb, width_pixels, height_pixels, shortest_side_pixels and width/height, each "
        "with <, <=, >, >=, ≤ or ≥. Another one is kept on the class, and every check reports it as not "
        "checked: it is never passed off as kept.",
    ),
)


PAGE_CODES = (
    Code(
        "E070",
        "a page is no text",
        "A page is read as UTF-8 text or as HTML. What is empty, larger than any page, in another encoding or not text "
        "at all (a picture, a PDF, an archive) is refused before it is looked into.\n\nThe surest way to save a page: "
        "open the model's API page, select all, copy, paste into a plain text editor, save as UTF-8.",
    ),
    Code(
        "E071",
        "a page names no model",
        "The model id is read off the request that every API page shows:\n\n"
        "    --url https://model-api.runcomfy.net/v1/models/acme/poster-1/text-to-image\n\n"
        "A page without it may be an error page, a login page, the model's playground instead of its API page, or a "
        "copy of the lower half.",
    ),
    Code(
        "E072",
        "a page is about two models",
        "Two requests on the page name different models, so it is not clear whose schema follows. Save each model's "
        "page in a file of its own. Ids are case-sensitive.",
    ),
    Code(
        "E073",
        "a model id that cannot be used",
        "The id becomes a folder of the schema store and part of a URL. Its segments hold letters, digits, '.', '_' "
        "and '-', begin with a letter or digit, and there are at least two of them. So no id leads out of the store.",
    ),
    Code(
        "E074",
        "a page's JSON is broken",
        "Text that begins like a JSON block breaks off or goes wrong at the place shown. Mostly the page was not "
        "copied to its end, or a program changed its quotes on the way.",
    ),
    Code(
        "E075",
        "a page has no input schema",
        "The input schema is a block of JSON on the API page, below the requests:\n\n"
        '    {"type": "object", "title": "...", "required": [...], "properties": {...}}\n\n'
        "The headings around it do not matter, so a page in any language will do.",
    ),
    Code(
        "E076",
        "a page has two schemas",
        "Two blocks of the page are both input schemas (or both output schemas) and say different things. The same "
        "schema twice, or once more with translated texts, is accepted.",
    ),
    Code(
        "E078",
        "two pages of one model disagree",
        "Pages given in one call are about the same model but do not say the same, translated texts apart. One of them "
        "is older. Leave it out.",
    ),
    Code(
        "E079",
        "a page says other than the store",
        "The store has this model already, and the page differs in more than titles and descriptions. Each change is "
        "listed; a breaking one may refuse a payload that was accepted before. With --replace the page wins.",
    ),
    Code(
        "W174",
        "broken JSON passed over",
        "A block that begins like JSON is broken, but it cannot be a schema or the example: often a sample reply with "
        "dots in it. All that the page must have was found elsewhere.",
    ),
    Code(
        "E085",
        "a file is no catalog reply",
        "A reply of GET /v1/models is an object with a list `models`, or that list alone, or one entry. An API page is "
        "read with `import`, not with `pull`.",
    ),
    Code(
        "E086",
        "an entry without a schema",
        "The catalog names the model but sends no input_schema with it. A list has schemas only if it was asked for "
        "with include_schema=true. Other entries are not touched by this.",
    ),
    Code(
        "E087",
        "no such model in the catalog",
        "An id or a glob fits no model, so it is misspelt or the model is gone; nothing is written then. Ids are "
        "case-sensitive: 4K is not 4k. In a glob, * stands for slashes too. Quote globs, or the shell may expand them.",
    ),
    Code(
        "W186",
        "an entry without an id",
        "An entry of a catalog reply is not an object or has no text under model_id. It is passed over.",
    ),
    Code(
        "W187",
        "a model twice in one reply",
        "A catalog reply has two entries of one id that say different things. The first one counts.",
    ),
)


def all_codes() -> dict[str, Code]:
    """Every code of the program, by its name."""
    return {code.code: code for code in (*STORE_CODES, *SCHEMA_CODES, *PAGE_CODES)}
