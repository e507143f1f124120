"""evaluation.json: what the registry shows, what the quality gate reads, and the scores of each candidate.

The champion's metrics have the format of SageMaker's model quality statistics, which the registry knows; a step reads
them by the paths in contract.py.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import atomic_files
import scores
from candidates import Candidate, Champion
from dataset import Dataset
from scores import Scores

# JsonGet reads at most two megabytes, so a larger matrix is written without its zeros.
_MAX_MATRIX_SIZE = 1_000_000
_CELL_OVERHEAD = 10  # characters of a cell in addition to its name


@dataclass(frozen=True)
class Latency:
    """How long one picture takes, from the bytes of its file to the answer, in milliseconds."""

    median: float
    p95: float
    pictures: int
    device: str


@dataclass(frozen=True)
class Evaluation:
    """The results of all candidates."""

    data: Dataset
    candidates: Mapping[str, Candidate]
    scores: Mapping[str, Scores]
    latencies: Mapping[str, Latency]
    champion: Champion

    def notes(self) -> list[str]:
        """Returns warnings that a person should read before trusting the numbers."""
        trained_on = {
            name: candidate.predictor.description.dataset_sha256 for name, candidate in self.candidates.items()
        }
        return [
            f"{name} was trained on another version of the data set: its training pictures may include test pictures"
            for name, sha256 in trained_on.items()
            if sha256 != self.data.sha256
        ]


def write(evaluation: Evaluation, path: Path) -> None:
    """Writes evaluation.json."""
    text = json.dumps(document(evaluation), ensure_ascii=False, allow_nan=False, indent=1)
    with atomic_files.open_atomically(path) as file:
        file.write(f"{text}\n".encode())


def document(evaluation: Evaluation) -> dict[str, Any]:
    """Returns the content of evaluation.json."""
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
    deviations = scores.deviations(best.targets, best.answers, len(classes))
    values = scores.averages(best.confusion)
    baseline = scores.best_constant(best.confusion)
    return {
        "confusion_matrix": _matrix(best, classes),
        **{name: {"value": value, "standard_deviation": deviations[name]} for name, value in values.items()},
        **{
            f"{name}_best_constant_classifier": {"value": value, "standard_deviation": 0.0}
            for name, value in baseline.items()
        },
    }


def _matrix(best: Scores, classes: Sequence[str]) -> dict[str, dict[str, int]]:
    is_complete = len(classes) * sum(len(name.encode()) + _CELL_OVERHEAD for name in classes) <= _MAX_MATRIX_SIZE
    return {
        name: {other: int(count) for other, count in zip(classes, row, strict=True) if is_complete or count}
        for name, row in zip(classes, best.confusion, strict=True)
    }


def _candidate(evaluation: Evaluation, name: str) -> dict[str, Any]:
    description = evaluation.candidates[name].predictor.description
    candidate_scores, latency = evaluation.scores[name], evaluation.latencies[name]
    return {
        "architecture": description.architecture,
        "image_size": description.image_size,
        "dataset_sha256": description.dataset_sha256,
        "loss": candidate_scores.loss,
        "accuracy": candidate_scores.accuracy,
        "top_5_accuracy": candidate_scores.top_5_accuracy,
        "macro_f1": candidate_scores.macro_f1,
        "calibration_error": candidate_scores.calibration_error,
        "latency_milliseconds": {
            "median": latency.median,
            "p95": latency.p95,
            "pictures": latency.pictures,
            "device": latency.device,
        },
        "classes": _classes(candidate_scores, evaluation.data),
    }


def _classes(candidate_scores: Scores, data: Dataset) -> dict[str, dict[str, Any]]:
    table = candidate_scores.by_class
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
