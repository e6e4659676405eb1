"""`balance` and `completion`: the account, and the shell."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter

from ..errors import OK
from ..options import COMMON, HELP, Common, command
from ..output import emit_json, write
from ..package import DEFAULT, SCRIPT, open_client, package_name, program

# bash breaks words at "=" and ":", and inputs are key=value. The words are taken from the line again, whole; bash
# wants what follows the last break.
_BASH = r"""
_NAME_whole_words() {
  local -a COMP_WORDS
  read -ra COMP_WORDS <<< "${COMP_LINE:0:COMP_POINT}"
  [[ "${COMP_LINE:0:COMP_POINT}" == *[[:space:]] ]] && COMP_WORDS+=("")
  local COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  _NAME "$@"
  local word="${COMP_WORDS[COMP_CWORD]}"
  local begun="${word%"${word##*[=:]}"}"
  COMPREPLY=("${COMPREPLY[@]#"$begun"}")
  [[ ${#COMPREPLY[@]} -eq 1 && "${COMPREPLY[0]}" == *[=/] ]] && compopt -o nospace 2> /dev/null
  return 0
}
complete -F _NAME_whole_words PROGRAM
"""

# cyclopts only defines the function. Evaluated, the script must register it; as a file in $fpath it is the function.
# After "scale=" and "folder/" the word goes on: compadd is to put no space there.
_ZSH = r"""
_PROGRAM_no_space() {
  compadd() {
    local -a glue
    [[ -n ${(M)_cyc_vals:#*[=/]} ]] && glue=(-S '')
    builtin compadd "${glue[@]}" "$@"
  }
  { _cyclopts_PROGRAM "$@" } always { unfunction compadd }
}
if [[ $funcstack[1] == _PROGRAM ]]; then
  _PROGRAM_no_space "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
  compdef _PROGRAM_no_space PROGRAM
fi
"""


_FUNCTIONS = {
    "bash": 'NAME() { PROGRAM "$@"; }\n',
    "zsh": 'NAME() { PROGRAM "$@" }\n',
    "fish": "function NAME; PROGRAM $argv; end\n",
    "powershell": "function NAME { PROGRAM @args }\n",
}


@command(group=HELP, order=20, example=("{program} balance",))
def balance(*, common: Common = COMMON) -> int:
    """Print the account's balance; costs nothing, so it is also a check of the token."""
    with open_client(common.base_url, record=False) as client:
        left = client.balance()
    if common.json:
        emit_json({"usd": left.usd, "microdollars": left.microdollars, "currency": left.currency})
    else:
        write(str(left))
    return OK


@command(group=HELP, order=21, example=('eval "$({program} completion bash)"',))
def completion(
    shell: Annotated[Literal["bash", "zsh", "fish", "powershell"], Parameter(help="The shell it is for.")],
    /,
    *,
    common: Common = COMMON,
) -> int:
    """Print the script that makes a shell complete commands, model ids, inputs and their values."""
    script = _script(shell)
    if common.json:
        emit_json({"shell": shell, "script": script})
    else:
        print(script)  # code for a shell: nothing in it may be escaped
    return OK


def _script(shell: Literal["bash", "zsh", "fish", "powershell"]) -> str:
    """The script for a shell, to be evaluated by it or saved where it looks for completions.

    Shells complete commands of one word. For `python -m ourmodels` the script defines such a command, `ourmodels`.
    """
    from ..app import make_app  # which imports this module

    name = SCRIPT
    define = ""
    if program() != SCRIPT and package_name() != DEFAULT:
        name = package_name().rpartition(".")[2]
        define = _FUNCTIONS[shell].replace("NAME", name).replace("PROGRAM", program())
    script = make_app().generate_completion(prog_name=name, shell=shell)
    if shell == "bash":
        script += _BASH.replace("_NAME", "_" + name.replace("-", "_")).replace("PROGRAM", name)
    elif shell == "zsh":
        script += _ZSH.replace("PROGRAM", name)
    return script + define
