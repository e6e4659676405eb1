"""`completion`: the script that teaches a shell; with an end of ours where a shell needs more than cyclopts writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..exit_codes import OK
from ..output import emit_json

if TYPE_CHECKING:
    from typing import Literal

    from cyclopts import App

    from ..options import Common

if TYPE_CHECKING:

    Shell = Literal["bash", "zsh", "fish", "powershell"]


# bash breaks words at "=" and ":", and inputs are key=value. The words are taken from the line again, whole; bash
# wants what follows the last break.
_BASH = r"""
_runcomfy_client_whole_words() {
  local -a COMP_WORDS
  read -ra COMP_WORDS <<< "${COMP_LINE:0:COMP_POINT}"
  [[ "${COMP_LINE:0:COMP_POINT}" == *[[:space:]] ]] && COMP_WORDS+=("")
  local COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  _runcomfy_client "$@"
  local word="${COMP_WORDS[COMP_CWORD]}"
  local begun="${word%"${word##*[=:]}"}"
  COMPREPLY=("${COMPREPLY[@]#"$begun"}")
  [[ ${#COMPREPLY[@]} -eq 1 && "${COMPREPLY[0]}" == *[=/] ]] && compopt -o nospace 2> /dev/null
  return 0
}
complete -F _runcomfy_client_whole_words runcomfy-client
"""

# cyclopts only defines the function. Evaluated, the script must tell zsh of it; as a file in $fpath it is the function.
_ZSH = r"""
if [[ $funcstack[1] == _runcomfy-client ]]; then
  _cyclopts_runcomfy-client "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
  compdef _cyclopts_runcomfy-client runcomfy-client
fi
"""

# After "scale=" and "folder/" the word goes on: no space there.
_ZSH_ADD = "    (( ${#_cyc_vals} )) && compadd -d"
_ZSH_ADD_GLUED = """
    local -a _glue
    [[ -n ${(M)_cyc_vals:#*[=/]} ]] && _glue=(-S '')
    (( ${#_cyc_vals} )) && compadd "${_glue[@]}" -d"""


def print_completion(app: App, shell: Shell, common: Common) -> int:
    script = _script(app, shell)
    if common.json:
        emit_json({"shell": shell, "script": script})
    else:
        print(script)
    return OK


def _script(app: App, shell: Shell) -> str:
    """The script for a shell, to be evaluated by it or saved where it looks for completions."""
    script = app.generate_completion(shell=shell)
    if shell == "bash":
        return script + _BASH
    return script.replace(_ZSH_ADD, _ZSH_ADD_GLUED) + _ZSH if shell == "zsh" else script
