"""How the Makefile calls the verbs, for hints that can be pasted."""

from __future__ import annotations

from collections.abc import Mapping

_PIPELINE = ("upsert", "start", "status", "logs", "stop", "retry", "executions", "schedule")
_SAME = ("destroy", "cost", "predict", "approve", "rollback", "endpoint-status", "ec2-train", "results", "policies")
_TARGETS: Mapping[str, str] = {**{verb: f"pipeline-{verb}" for verb in _PIPELINE}, **{verb: verb for verb in _SAME}}
_LOCAL = ("up", "down", "status", "logs", "reset")


def make_command(verb: str, arguments: str, *, is_local: bool) -> str:
    """The call of make for a verb with its arguments; empty if the Makefile has none."""
    if verb == "local" and arguments in _LOCAL:
        return f"make {arguments}"
    if verb not in _TARGETS:
        return ""
    local = " LOCAL=1" if is_local else ""
    quoted = f'"{arguments}"' if " " in arguments else arguments
    return f"make {_TARGETS[verb]}{local}{f' ARGS={quoted}' if arguments else ''}"
