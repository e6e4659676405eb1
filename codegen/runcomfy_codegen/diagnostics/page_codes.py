"""The faults of pages and catalog replies; they use E070 to E099 and W170 to W199."""

from __future__ import annotations

from .codes import Code

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
        "Two requests on the page name different models, so nobody can tell whose schema follows. Save each model's "
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
        "schema twice, or once more with translated texts, is no fault.",
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
        "An entry of a catalog reply is no object or has no text under model_id. It is passed over.",
    ),
    Code(
        "W187",
        "a model twice in one reply",
        "A catalog reply has two entries of one id that say different things. The first one counts.",
    ),
)
