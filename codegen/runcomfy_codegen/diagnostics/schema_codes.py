"""The faults of schemas. An error: no class can judge as the schema does. A warning: all else."""

from __future__ import annotations

from .codes import Code

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
        "JSON Schema has keywords that RunComfy's schemas do not use and that no class here could judge by: $ref, "
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
