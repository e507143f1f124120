"""The SDK that runs a function of @step or @remote: AWS has it in an image, here a layer brings it.

Version 3 of the SDK is several packages; the one with the runtime counts as the others do, but from 2 on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

_OPTION = "--client_sagemaker_pysdk_version"
_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.\d+)*")
_FIRST_OF_SEVERAL = 3
_PACKAGES = ("sagemaker-[0-9]*", "sagemaker_core-[0-9]*")
_NAMED = re.compile(r"sagemaker(?:-core)?\s*(?:[\[<>=!~;(].*)?")


def runtime_requirement(command: Sequence[str], requirements: str, environment: Path) -> str:
    """The package that runs the function of a job's command, in the client's version, as a line of requirements.

    It is empty for any other job, and if the list or the environment has the SDK already.
    """
    given = command[command.index(_OPTION) + 1 :][:1] if _OPTION in command else []
    version = _VERSION.fullmatch(given[0]) if given else None
    if not version or any(_NAMED.fullmatch(line) for line in requirements.splitlines()) or _has_sdk(environment):
        return ""
    major = int(version[1])
    if major < _FIRST_OF_SEVERAL:
        return f"sagemaker=={version[0]}\n"
    return f"sagemaker-core=={major - 1}.{version[2]}.*\n"


def _has_sdk(environment: Path) -> bool:
    return any(path for name in _PACKAGES for path in environment.glob(f"lib/python*/site-packages/{name}.dist-info"))
