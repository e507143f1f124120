"""Runs train.py in tests: real processes, alone or together, and their results."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import torch

import contract
import model_folder

TRAIN = Path(contract.__file__).with_name(contract.TRAIN)
PATIENCE = 300
SMALL = ("--architecture", "squeezenet1_1", "--weights", "none", "--image-size", "32", "--batch-size", "4")
WHOLE = (*SMALL, "--layers", "all", "--learning-rate", "0.001", "--precision", "fp32", "--workers", "0")
HEAD = (*SMALL, "--layers", "head", "--precision", "fp32", "--workers", "0", "--epochs", "3", "--cache-dir", "none")
NORMALIZED = (*WHOLE, "--architecture", "resnet18")
"""A network that keeps running means and deviations, which are no weights and must not be lost."""

Process = subprocess.Popen[str]


def environment(**more: str) -> dict[str, str]:
    """Returns the environment of a process, without a container's variables."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("SM_", "AWS_"))}
    return {**inherited, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1", **more}


def start(*arguments: object, code: str = "", **more: str) -> Process:
    """Starts a training; the code, if given, runs first."""
    command = [sys.executable, "-c", code] if code else [sys.executable, str(TRAIN)]
    return subprocess.Popen(
        [*command, *map(str, arguments)],
        cwd=TRAIN.parent if code else None,
        env=environment(**more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run(*arguments: object, code: int = 0, **more: str) -> tuple[str, str]:
    """Runs a training that must end with a code; returns its output."""
    process = start(*arguments, **more)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == code, err[-3000:]
    return out, err


def launcher_environments(count: int) -> list[dict[str, str]]:
    """Returns the launcher's variables for each of several processes on this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1])}
    world = {"WORLD_SIZE": str(count), "LOCAL_WORLD_SIZE": str(count)}
    return [{"RANK": str(rank), "LOCAL_RANK": str(rank), **world, **meeting} for rank in range(count)]


def start_together(count: int, *arguments: object) -> list[Process]:
    """Starts several processes that train together."""
    return [start(*arguments, **place) for place in launcher_environments(count)]


def together(count: int, *arguments: object, code: int = 0) -> list[tuple[str, str]]:
    """Runs several processes that must end with a code; only the first one logs metrics."""
    processes = start_together(count, *arguments)
    outputs = [process.communicate(timeout=PATIENCE) for process in processes]
    assert [process.returncode for process in processes] == [code] * count, outputs
    assert not any("[metric]" in out for out, _ in outputs[1:])
    return outputs


def read_until(process: Process, pattern: str) -> str:
    """Reads the output up to a line with this pattern, which must come."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if re.search(pattern, line):
            return "".join(lines)
    raise AssertionError(f"{pattern} never came: {''.join(lines)} {process.communicate()}")


def weights(folder: Path) -> Mapping[str, torch.Tensor]:
    """Returns the weights of a model directory."""
    found: Mapping[str, torch.Tensor] = torch.load(folder / model_folder.WEIGHTS_FILE, weights_only=True)
    return found


def metrics(folder: Path) -> Mapping[str, float]:
    """Returns the metrics of the model in a directory."""
    return model_folder.read_description(folder).metrics


def equal(one: Mapping[str, torch.Tensor], other: Mapping[str, torch.Tensor]) -> bool:
    """Returns whether two states are the same, bit by bit."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
