"""Loads a pipeline from a script, in a process of its own: the user's interpreter, with no network and no account.

Every check asks it whether its file is a script, so it imports nothing of botocore.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pedigree.sdk.errors import ScriptError
from pedigree.sdk.script_pipeline import ScriptPipeline

_SCRIPT = re.compile(r"(?P<path>.+\.py)(?::(?P<choice>.+))?")


@dataclass(frozen=True)
class ScriptCall:
    """A script, the name of a pipeline or a function in it, and its arguments.

    With the address of a local AWS, whose keys are in the environment, what the script uploads goes there.
    """

    path: str
    choice: str = ""
    arguments: Sequence[str] = ()
    local_url: str = ""


def script_call(target: str, arguments: Sequence[str] = (), local_url: str = "") -> ScriptCall | None:
    """Reads script.py or script.py:name; None for anything else."""
    match = _SCRIPT.fullmatch(target)
    return ScriptCall(match["path"], match["choice"] or "", tuple(arguments), local_url) if match else None


def load(call: ScriptCall, variables: Mapping[str, str] = os.environ) -> ScriptPipeline:
    """The pipeline of a script; ScriptError says why there is none."""
    if not Path(call.path).is_file():
        raise ScriptError(f"{call.path} is no file", "name a Python script, or a definition in JSON")
    with TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        command = [sys.executable, "-m", "pedigree.sdk", json.dumps(asdict(call)), str(result)]
        done = subprocess.run(  # noqa: S603  # our own module
            command, env=dict(variables), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if not result.exists():
            words = done.stderr.strip().rpartition("\n")[2]
            raise ScriptError(f"{call.path} ended its process with {done.returncode}: {words}", "let it end by itself")
        document = json.loads(result.read_text(encoding="utf-8"))
    if "cause" in document:
        raise ScriptError(document["cause"], document["remedy"])
    return ScriptPipeline(**document)
