"""Loads the models to compare, each from an archive that is not trusted, and chooses the best one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import contract
import model_archive
import model_folder
import predictor
from dataset import Dataset
from errors import DataError, InvalidFlagError, ModelError, ScriptError
from predictor import Predictor
from scores import Scores

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")


@dataclass(frozen=True)
class Candidate:
    """A model to compare: its name, its unpacked folder, and what is in it."""

    name: str
    folder: Path
    predictor: Predictor
    history: list[dict[str, Any]]


@dataclass(frozen=True)
class Champion:
    """The name of the best candidate, and the reason as a sentence."""

    name: str
    reason: str


def parse(values: Sequence[str]) -> Mapping[str, Path]:
    """Parses values like `best=path` into paths by name."""
    archives: dict[str, Path] = {}
    for value in values:
        name, equals, path = value.partition("=")
        if not equals or not path or not _NAME.fullmatch(name):
            raise InvalidFlagError(
                f"{contract.FLAG_CANDIDATE} {value} is not name=path", f"write {contract.BEST}=model.tar.gz"
            )
        if name in archives:
            raise InvalidFlagError(f"{contract.FLAG_CANDIDATE} {name} is used twice", "give each its own name")
        archives[name] = Path(path)
    return archives


def load(name: str, path: Path, data: Dataset, work_folder: Path) -> Candidate:
    """Loads a candidate from an archive or a model directory, and checks that it has the data set's classes."""
    try:
        folder = _unpack(name, path, work_folder)
        description = model_folder.read_description(folder)
        if description.classes != data.classes:
            raise ModelError(_class_mismatch(description.classes, data.classes), "train it on this data set")
        return Candidate(name, folder, predictor.load(folder), model_folder.read_history(folder))
    except ScriptError as error:
        raise error.about(f"candidate {name}:") from None


def choose_champion(scores: Mapping[str, Scores]) -> Champion:
    """Chooses the highest accuracy, then the lowest loss, then the candidate that was named first."""
    ranking = sorted(scores, key=lambda name: (-scores[name].accuracy, scores[name].loss))
    return Champion(ranking[0], _explain(scores, *ranking[:2]))


def _unpack(name: str, path: Path, work_folder: Path) -> Path:
    if not path.exists():
        raise DataError(f"{path} does not exist", f"name a {contract.MODEL_ARCHIVE} or a model directory")
    folder = path
    if not path.is_dir():
        folder = work_folder / name
        model_archive.unpack(path, folder)
    if not (folder / model_folder.CODE_FOLDER / contract.INFERENCE).is_file():
        raise ModelError(
            f"{path} has no {model_folder.CODE_FOLDER}/{contract.INFERENCE} and cannot be served",
            f"use what {contract.TRAIN} writes",
        )
    return folder


def _class_mismatch(model_classes: Sequence[str], dataset_classes: Sequence[str]) -> str:
    unknown, missing = (
        sorted(set(model_classes) - set(dataset_classes)),
        sorted(set(dataset_classes) - set(model_classes)),
    )
    if unknown:
        return f"it has the class {unknown[0]}, which is not in the data set"
    if missing:
        return f"it lacks the class {missing[0]} of the data set"
    return "it has the data set's classes in a different order or more than once"


def _explain(scores: Mapping[str, Scores], first: str, second: str | None = None) -> str:
    if second is None:
        return f"{first} is the only candidate"
    winner, runner_up = scores[first], scores[second]
    if winner.accuracy > runner_up.accuracy:
        return f"{first} has the higher accuracy: {winner.accuracy:.4f} against {runner_up.accuracy:.4f} of {second}"
    tie = f"{first} and {second} have the same accuracy, {winner.accuracy:.4f}"
    if winner.loss < runner_up.loss:
        return f"{tie}; {first} has the lower loss: {winner.loss:.6g} against {runner_up.loss:.6g}"
    return f"{tie}, and the same loss; {first} was named first"
