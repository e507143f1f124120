"""The models that are compared: each out of an archive that nobody vouches for, and the one that wins."""

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
from errors import DataError, ModelError, ScriptError, UsageError
from predictor import Predictor
from scores import Scores

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")


@dataclass(frozen=True)
class Candidate:
    """A model that may win: its name, its unpacked directory, and what is in it."""

    name: str
    folder: Path
    predictor: Predictor
    history: list[dict[str, Any]]


@dataclass(frozen=True)
class Champion:
    """Who won, and why, in words."""

    name: str
    reason: str


def parse(values: Sequence[str]) -> Mapping[str, Path]:
    """The archives by name, of values like best=path."""
    found: dict[str, Path] = {}
    for value in values:
        name, equals, path = value.partition("=")
        if not equals or not path or not _NAME.fullmatch(name):
            raise UsageError(f"{contract.FLAG_CANDIDATE} {value} is no name=path; write {contract.BEST}=model.tar.gz")
        if name in found:
            raise UsageError(f"{contract.FLAG_CANDIDATE} {name} is there twice; give each its own name")
        found[name] = Path(path)
    return found


def load(name: str, path: Path, data: Dataset, workplace: Path) -> Candidate:
    """The candidate of an archive or of a model directory, ready to answer about a data set."""
    try:
        folder = _unpacked(name, path, workplace)
        description = model_folder.read_description(folder)
        if description.classes != data.classes:
            raise ModelError(_difference(description.classes, data.classes))
        return Candidate(name, folder, predictor.load(folder), model_folder.read_history(folder))
    except ScriptError as error:
        raise type(error)(f"candidate {name}: {error}") from None


def champion(scores: Mapping[str, Scores]) -> Champion:
    """The candidate with the higher accuracy, then with the lower loss, then the one that was named first."""
    order = sorted(scores, key=lambda name: (-scores[name].accuracy, scores[name].loss))
    return Champion(order[0], _reason(scores, *order[:2]))


def _unpacked(name: str, path: Path, workplace: Path) -> Path:
    if not path.exists():
        raise DataError(f"{path} is not there; name a {contract.MODEL_ARCHIVE} or a model directory")
    folder = path
    if not path.is_dir():
        folder = workplace / name
        model_archive.unpack(path, folder)
    if not (folder / model_folder.CODE_FOLDER / contract.INFERENCE).is_file():
        raise ModelError(
            f"{path} has no {model_folder.CODE_FOLDER}/{contract.INFERENCE} and cannot be served; "
            f"use what {contract.TRAIN} writes"
        )
    return folder


def _difference(own: Sequence[str], wanted: Sequence[str]) -> str:
    remedy = "train it on this data set"
    strange, missing = sorted(set(own) - set(wanted)), sorted(set(wanted) - set(own))
    if strange:
        return f"it knows the class {strange[0]}, which the data set has not; {remedy}"
    if missing:
        return f"it does not know the class {missing[0]} of the data set; {remedy}"
    return f"it has the data set's classes in another order or more than once; {remedy}"


def _reason(scores: Mapping[str, Scores], first: str, second: str | None = None) -> str:
    if second is None:
        return f"{first} is the only candidate"
    one, other = scores[first], scores[second]
    if one.accuracy > other.accuracy:
        return f"{first} has the higher accuracy: {one.accuracy:.4f} against {other.accuracy:.4f} of {second}"
    tie = f"{first} and {second} have the same accuracy, {one.accuracy:.4f}"
    if one.loss < other.loss:
        return f"{tie}; {first} has the lower loss: {one.loss:.6g} against {other.loss:.6g}"
    return f"{tie}, and the same loss; {first} was named first"
