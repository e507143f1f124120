"""The program that starts a script may be the training toolkit of the image's own environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pedigree.localaws.images.catalog import ImageCatalog
from pedigree.localaws.images.environments import Environments
from pedigree.localaws.services.sagemaker.resources.images import PROGRAMS, Images, training_command

JOB: dict[str, Any] = {
    "AlgorithmSpecification": {"TrainingImage": "pytorch-training:2.1"},
    "HyperParameters": {"sagemaker_program": "train.py"},
}


@pytest.fixture
def train(tmp_path: Path) -> Path:
    path = tmp_path / "bin" / "train"
    path.parent.mkdir()
    return path


def command(environment: Path) -> tuple[str, ...]:
    return training_command(JOB, Images(ImageCatalog(pytorch=environment), Environments(environment)))


def test_the_toolkit_of_aws_starts_without_torch(train: Path, tmp_path: Path) -> None:
    train.write_text("#!/usr/bin/python3\nfrom sagemaker_training.cli.train import main\nmain()\n", encoding="utf-8")
    assert command(tmp_path) == (str(tmp_path / "bin" / "python"), f"{PROGRAMS}/toolkit_start.py", str(train))


def test_another_program_of_that_name_is_run_as_it_is(train: Path, tmp_path: Path) -> None:
    train.write_text("#!/bin/sh\necho training\n", encoding="utf-8")
    assert command(tmp_path) == (str(train),)


def test_an_environment_without_a_toolkit_has_ours(tmp_path: Path) -> None:
    assert command(tmp_path) == (str(tmp_path / "bin" / "python"), f"{PROGRAMS}/script_mode.py")
