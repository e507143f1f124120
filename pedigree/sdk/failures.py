"""Says in one line why a script failed: the place in the user's own code, the cause, and what to do."""

from __future__ import annotations

import sys
import sysconfig
import traceback
from pathlib import Path

from botocore.exceptions import ClientError

from pedigree.language.text import clip
from pedigree.sdk.errors import ScriptError
from pedigree.sdk.offline import NetworkError

_OTHERS = tuple(str(Path(sysconfig.get_paths()[name]).resolve()) for name in ("stdlib", "purelib", "platlib"))
_LONGEST = 300
_OF_VERSION_3 = ("core", "mlops", "serve", "train")
_PACKAGES = {"dotenv": "python-dotenv", "PIL": "pillow", "sklearn": "scikit-learn", "yaml": "pyyaml"}
"""Packages whose name is not their module's."""
_OWN = str(Path(__file__).resolve().parents[1])


def explained(error: BaseException, path: Path, output: str) -> ScriptError:
    """The error that a user reads."""
    if isinstance(error, SystemExit):
        return _ended(error, path, output)
    cause = f"{_place(error, path)}: {type(error).__name__}: {_words(str(error))}"
    network = next((each for each in _chain(error) if isinstance(each, NetworkError)), None)
    if network is not None:
        return ScriptError(
            f"{_place(error, path)}: {network}", "fetch it before, and let the script read a file or the local S3"
        )
    return ScriptError(cause, _remedy(error, path))


def _ended(end: SystemExit, path: Path, output: str) -> ScriptError:
    words = str(end.code) if isinstance(end.code, str) else output.strip().rpartition("\n")[2]
    said = f": {_words(words)}" if words else ""
    return ScriptError(
        f"{path} ended itself with exit code {end.code if isinstance(end.code, int) else 1}{said}",
        "give its arguments after --, as in: pedigree check SCRIPT -- --region us-east-1",
    )


def _words(text: str) -> str:
    return clip(" ".join(text.split()), _LONGEST)


def _remedy(error: BaseException, path: Path) -> str:
    if isinstance(error, ModuleNotFoundError):
        return f"install it where pedigree is: {sys.executable} -m pip install {_package(str(error.name))}"
    if isinstance(error, KeyError) and "environ" in "".join(_lines(error)):
        return f"set it before: {error.args[0]}=… pedigree …"
    if isinstance(error, ClientError):
        return "the script runs without an account: let it take what it asks for from an argument or a file"
    return f"see where it comes from with: python {path}"


def _package(module: str) -> str:
    """What to install for a module. A module of the SDK that is missing is of its other version."""
    top, _, inner = module.partition(".")
    if top == "sagemaker" and inner:
        return "'sagemaker>=3'" if inner.partition(".")[0] in _OF_VERSION_3 else "'sagemaker<3'"
    return _PACKAGES.get(top, top)


def _place(error: BaseException, path: Path) -> str:
    """File and line of the last frame in the user's own code."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{_short(error.filename)}:{error.lineno}"
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_own(frame.filename)]
    return f"{_short(own[-1].filename)}:{own[-1].lineno}" if own else str(path)


def _is_own(filename: str) -> bool:
    resolved = str(Path(filename).resolve())
    return not filename.startswith("<") and not resolved.startswith((*_OTHERS, _OWN))


def _short(filename: str) -> str:
    path = Path(filename)
    return str(path.relative_to(Path.cwd())) if path.is_absolute() and path.is_relative_to(Path.cwd()) else filename


def _lines(error: BaseException) -> list[str]:
    return traceback.format_tb(error.__traceback__)


def _chain(error: BaseException | None) -> list[BaseException]:
    """An error with those that led to it."""
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found
