"""`completion`: the script that teaches a shell; for bash with a wrapper, because bash breaks words at "=" and ":"."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Literal

    from cyclopts import App

__all__ = ["completion_script"]

# Inputs are key=value. The words are taken from the line again, whole; bash wants what follows the last break.
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


def completion_script(app: App, shell: Literal["bash", "zsh", "fish", "powershell"]) -> str:
    """The script for a shell, to be evaluated by it or saved where it looks for completions."""
    script = app.generate_completion(shell=shell)
    return script + _BASH if shell == "bash" else script
