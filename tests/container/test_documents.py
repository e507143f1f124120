"""The flags in the guide to the scripts exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import contract

ENTRYPOINTS = Path(contract.__file__).parent
GUIDE = (ENTRYPOINTS.parent / "docs" / "training-anywhere.md").read_text(encoding="utf-8")
OF_OTHERS = {"--nproc-per-node", "--shm-size", "--help"}  # torchrun's, docker's, and everybody's
FLAG = re.compile(r"(?<![\w-])--[a-z][a-z_-]*[a-z]")


def flags_of(script: str) -> set[str]:
    """Returns the flags in a script's help."""
    command = [sys.executable, str(ENTRYPOINTS / script), "--help"]
    return set(FLAG.findall(subprocess.run(command, capture_output=True, text=True, check=True).stdout))


@pytest.mark.parametrize("script", [contract.PREPARE, contract.TRAIN, contract.EVALUATE])
def test_the_commands_of_the_guide_have_flags_that_are_there(script: str) -> None:
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL)).replace("\\\n", " ")
    commands = [line.partition(script)[2] for line in blocks.splitlines() if f"entrypoints/{script}" in line]
    assert commands
    assert {flag for command in commands for flag in FLAG.findall(command)} <= flags_of(script)


def test_the_words_of_the_guide_speak_of_flags_that_are_there() -> None:
    named = {flag.replace("_", "-") for code in re.findall(r"`([^`\n]+)`", GUIDE) for flag in FLAG.findall(code)}
    assert {"--cache-dir", "--layers", "--checkpoint-dir"} <= named
    assert named - OF_OTHERS <= flags_of(contract.TRAIN) | flags_of(contract.PREPARE) | flags_of(contract.EVALUATE)
