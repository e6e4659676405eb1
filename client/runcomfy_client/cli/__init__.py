"""The command line. `console.main` is its entry, `app` its parser; each group of commands is a module of `commands`.

| module | holds |
|---|---|
| `console` | the entry: streams, choice of the package, the light path of `validate`, errors to exit codes |
| `app` | the parser and what it says about a wrong line |
| `commands` | every command: its help, its options, and what it does |
| `package` | the generated package in use, its client, the journal's file |
| `options` | options and arguments that commands share, and what TAB offers for them |
| `inputs` | KEY=VALUE words to a payload |
| `validation`, `reports` | checking files, and the four forms of a report |
| `payload_files`, `yaml_payload` | the payloads of files, and where a part of one stands |
| `errors` | exit codes, and errors in the command line's words |
| `output`, `text` | what is printed where, and what escapes it |
| `progress`, `batch_progress` | the live line of a wait, and that of a batch |
"""

from __future__ import annotations
