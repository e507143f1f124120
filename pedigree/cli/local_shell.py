"""Shell commands for eval: into the environment of a local AWS, and back to what was there before.

What a variable had before is kept in a variable of the shell that is not exported, so no secret is printed.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pedigree.cli.local_environment import OTHERS, OURS, removed_variables, variables
from pedigree.local_endpoint import VARIABLE

if TYPE_CHECKING:
    from pedigree.localaws.process import Daemon

_BEFORE, _ADDED = "_PEDIGREE_BEFORE", "_PEDIGREE_ADDED"
_NAME = "_PEDIGREE_NAME"
_MARKED = f"{_BEFORE}_PS1"
_PROMPT_MARK = "(local aws) "
# zsh splits no variable into words, but the output of a command.
_RESTORE = f"""for {_NAME} in $(echo "${{{_ADDED}-}}"); do unset "${_NAME}"; done
for {_NAME} in $(echo "${{{_BEFORE}-}}"); do
  eval "export ${_NAME}=\\"\\${_BEFORE}_${_NAME}\\""; unset "{_BEFORE}_${_NAME}"
done; unset {_NAME} {_BEFORE} {_ADDED}"""


def entering(
    running: Daemon, environ: Mapping[str, str], session: Mapping[str, str] | None = None, *, marks_prompt: bool = False
) -> Iterator[str]:
    """The commands that make clients in the shell use the local AWS; they can come twice.

    The variables of a session stand in place of the account's key.
    """
    ours, removed = {**variables(running, environ), **(session or {})}, removed_variables(environ)
    if not environ.get(VARIABLE):
        before = [name for name in dict.fromkeys((*removed, *ours)) if name in environ]
        yield f"{_BEFORE}={shlex.quote(' '.join(before))}"
        yield f"{_ADDED}={shlex.quote(' '.join(name for name in ours if name not in environ))}"
        yield from (f'{_BEFORE}_{name}="${name}"' for name in before)
    if marks_prompt:
        yield f'[ -n "${{{_MARKED}+x}}" ] || {{ {_MARKED}="$PS1"; PS1="{_PROMPT_MARK}$PS1"; }}'
    yield f"unset {' '.join(removed)}"
    yield from (f"export {name}={shlex.quote(value)}" for name, value in ours.items())


def leaving(environ: Mapping[str, str]) -> Iterator[str]:
    """The commands that undo those; none for a shell that has not entered."""
    if not environ.get(VARIABLE):
        return
    yield f"unset {' '.join((*OURS, *OTHERS))}"
    yield _RESTORE
    yield f'[ -z "${{{_MARKED}+x}}" ] || {{ PS1="${_MARKED}"; unset {_MARKED}; }}'
