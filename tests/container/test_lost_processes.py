"""A process of a distributed training that ends, at any moment and by any signal: the others end with one line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from torch import distributed
from train_process import PATIENCE, WHOLE, launcher_environments, start

from process_group import is_lost_peer

VICTIM = """
import os, signal
from torch import distributed
import checkpoints, command, dataset_splits, model_folder, process_group, train, trainer
def ending(*arguments, **named):
    os.kill(os.getpid(), signal.{signal})
{target} = ending
command.run(train.main)
"""
COULD_NOT_CONNECT = r"could not connect to the others at 127.0.0.1:\d+ \(.*\); start all of them with the same .*"
LOST = r"lost the connection to the others \(.*\); read the log of the process that ended first, or raise .*"


@pytest.mark.parametrize(
    ("victim", "name", "target", "message"),
    [
        (0, "SIGKILL", "train.join", COULD_NOT_CONNECT),
        (1, "SIGKILL", "train.join", COULD_NOT_CONNECT),
        (1, "SIGTERM", "distributed.init_process_group", COULD_NOT_CONNECT),
        (0, "SIGKILL", "process_group.ProcessGroup.broadcast", LOST),
        (1, "SIGSEGV", "train.create_context", LOST),
        (0, "SIGSEGV", "trainer.Trainer._step", LOST),
        (1, "SIGKILL", "process_group.ProcessGroup.all_reduce_sum", LOST),
        (0, "SIGKILL", "checkpoints.Checkpoints.save", LOST),
    ],
)
def test_the_end_of_one_process_is_one_line_of_the_other(
    victim: int, name: str, target: str, message: str, data: Path, tmp_path: Path
) -> None:
    how = ["--data", data, *WHOLE, "--epochs", "50", "--wait-minutes", "0.2", "--model-dir", tmp_path]
    places = launcher_environments(2)
    ending = start(*how, code=VICTIM.format(target=target, signal=name), **places[victim])
    other = start(*how, **places[1 - victim])
    _, err = other.communicate(timeout=PATIENCE)
    ending.communicate(timeout=PATIENCE)
    assert ending.returncode < 0
    assert other.returncode == 2, err[-3000:]
    assert re.fullmatch(rf"train.py: process {2 - victim} of 2 {message}\n", err)


@pytest.mark.parametrize(
    "error",
    [
        distributed.DistNetworkError("failed to recv, got 0 bytes"),
        distributed.DistStoreError("Timed out after 3 seconds waiting for clients. 1/2 clients joined."),
        distributed.DistBackendError("NCCL error: remote process exited or there was a network error"),
        RuntimeError("[/gloo/transport/tcp/pair.cc:538] Connection closed by peer [127.0.0.1]:5"),
        RuntimeError("[/gloo/transport/tcp/unbound_buffer.cc:78] Timed out waiting 3000ms for recv operation"),
        RuntimeError("Gloo connectFullMesh failed with [/gloo/transport/tcp/pair.cc:144] no error"),
        RuntimeError("[enforce fail at /gloo/context.cc:30] rank < size"),
    ],
    ids=str,
)
def test_every_error_of_a_library_about_another_process_is_known(error: Exception) -> None:
    assert is_lost_peer(error)


def test_a_bug_is_not_the_loss_of_another_process() -> None:
    assert not is_lost_peer(RuntimeError("a bug"))
