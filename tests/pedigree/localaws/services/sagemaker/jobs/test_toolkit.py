"""The command of a training job without one of its own is the toolkit of its image's environment."""

from __future__ import annotations

from pathlib import Path

from pedigree.localaws.services.sagemaker.jobs import toolkit


def program(environment: Path, text: str) -> Path:
    path = environment / "bin" / "train"
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    return path


def test_without_an_environment_there_is_none() -> None:
    assert toolkit.command(None) == ()


def test_the_toolkit_of_aws_starts_without_torch(tmp_path: Path) -> None:
    train = program(tmp_path, "#!/usr/bin/python3\nfrom sagemaker_training.cli.train import main\nmain()\n")
    python, flag, text, started = toolkit.command(tmp_path)
    assert (python, flag, started) == (str(tmp_path / "bin" / "python"), "-c", str(train))
    assert "StandIn" in text


def test_another_program_of_that_name_is_run_as_it_is(tmp_path: Path) -> None:
    train = program(tmp_path, "#!/bin/sh\necho training\n")
    assert toolkit.command(tmp_path) == (str(train),)


def test_a_program_that_is_not_there_is_missed_when_the_job_starts(tmp_path: Path) -> None:
    assert toolkit.command(tmp_path) == (str(tmp_path / "bin" / "train"),)
