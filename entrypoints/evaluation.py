"""evaluation.json: what the registry shows, what the quality gate reads, and what each candidate scored.

The metrics of the champion are in the shape of SageMaker's model quality statistics, which the registry knows; a step
reads them by the paths of the contract.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import scores
import atomic_files
from candidates import Candidate, Champion
from dataset import Dataset
from scores import Scores

# The file must stay below the two megabytes that JsonGet reads: a larger matrix is written without its zeros.
_LARGEST_MATRIX = 1_000_000
_CELL = 10  # characters of a cell beside its name


@dataclass(frozen=True)
class Latency:
    """How long one picture takes, from the bytes of its file to the answer, in milliseconds."""

    median: float
    p95: float
    pictures: int
    device: str


@dataclass(frozen=True)
class Evaluation:
    """All that is known after the candidates have answered."""

    data: Dataset
    candidates: Mapping[str, Candidate]
    scores: Mapping[str, Scores]
    latencies: Mapping[str, Latency]
    champion: Champion

    def notes(self) -> list[str]:
        """What a person should know before believing the numbers."""
        trained_on = {name: one.predictor.model.dataset_sha256 for name, one in self.candidates.items()}
        return [
            f"{name} was trained on another state of the data set: test pictures may be among those it learned from"
            for name, sha256 in trained_on.items()
            if sha256 != self.data.sha256
        ]


def write(evaluation: Evaluation, path: Path) -> None:
    """Write evaluation.json."""
    text = json.dumps(document(evaluation), ensure_ascii=False, allow_nan=False, indent=1)
    with atomic_files.whole(path) as file:
        file.write(f"{text}\n".encode())


def document(evaluation: Evaluation) -> dict[str, Any]:
    """What evaluation.json holds."""
    best = evaluation.scores[evaluation.champion.name]
    return {
        "version": 0.0,
        "dataset": {
            "item_count": len(best.targets),
            "sha256": evaluation.data.sha256,
            "classes": len(evaluation.data.classes),
        },
        "multiclass_classification_metrics": _model_quality(best, evaluation.data.classes),
        "champion": {"name": evaluation.champion.name, "reason": evaluation.champion.reason},
        "notes": evaluation.notes(),
        "candidates": {name: _candidate(evaluation, name) for name in evaluation.candidates},
    }


def _model_quality(best: Scores, classes: Sequence[str]) -> dict[str, Any]:
    spread = scores.deviations(best.targets, best.answers, len(classes))
    values = scores.averages(best.confusion)
    constant = scores.best_constant(best.confusion)
    return {
        "confusion_matrix": _matrix(best, classes),
        **{name: {"value": value, "standard_deviation": spread[name]} for name, value in values.items()},
        **{
            f"{name}_best_constant_classifier": {"value": value, "standard_deviation": 0.0}
            for name, value in constant.items()
        },
    }


def _matrix(best: Scores, classes: Sequence[str]) -> dict[str, dict[str, int]]:
    whole = len(classes) * sum(len(name.encode()) + _CELL for name in classes) <= _LARGEST_MATRIX
    return {
        name: {other: int(count) for other, count in zip(classes, row, strict=True) if whole or count}
        for name, row in zip(classes, best.confusion, strict=True)
    }


def _candidate(evaluation: Evaluation, name: str) -> dict[str, Any]:
    model = evaluation.candidates[name].predictor.model
    own, latency = evaluation.scores[name], evaluation.latencies[name]
    return {
        "architecture": model.architecture,
        "image_size": model.image_size,
        "dataset_sha256": model.dataset_sha256,
        "loss": own.loss,
        "accuracy": own.accuracy,
        "top_5_accuracy": own.top_5_accuracy,
        "macro_f1": own.macro_f1,
        "calibration_error": own.calibration_error,
        "latency_milliseconds": {
            "median": latency.median,
            "p95": latency.p95,
            "pictures": latency.pictures,
            "device": latency.device,
        },
        "classes": _classes(own, evaluation.data),
    }


def _classes(own: Scores, data: Dataset) -> dict[str, dict[str, Any]]:
    table = own.by_class
    return {
        name: {
            "label": label,
            "pictures": int(table.support[index]),
            "precision": float(table.precision[index]),
            "recall": float(table.recall[index]),
            "f1": float(table.f1[index]),
        }
        for index, (name, label) in enumerate(zip(data.classes, data.labels, strict=True))
    }
