"""The command of a training job that has none of its own: the training toolkit in the environment of its image."""

from __future__ import annotations

from pathlib import Path

_START = Path(__file__).with_name("toolkit_start.py")
_AWS_TOOLKIT = b"sagemaker_training"


def command(environment: Path | None) -> tuple[str, ...]:
    """The command that starts the toolkit; empty if no environment stands for the image.

    AWS's own toolkit is started by toolkit_start.py; another program with its name is run as it is.
    """
    if environment is None:
        return ()
    program = environment / "bin" / "train"
    if not program.is_file() or _AWS_TOOLKIT not in program.read_bytes():
        return (str(program),)
    return (str(environment / "bin" / "python"), "-c", _START.read_text(encoding="utf-8"), str(program))
