"""Scores every candidate on the test pictures, writes the results, and packs the champion.

    python evaluate.py --candidate best=model.tar.gz --test TEST --dataset FOLDER --output-dir OUT

A candidate is an archive or a model directory. The output folder gets evaluation/ with evaluation.json and report.html,
and champion/ with the archive of the best model, packed again from exactly the files that were scored.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

import atomic_files
import candidates
import command
import contract
import dataset
import evaluation
import inference
import model_archive
import report
import scores
import split
from candidates import Candidate
from errors import InvalidFlagError, ModelError
from evaluation import Evaluation, Latency
from flags import Parser
from split import Split
from torch_errors import translate_torch_errors

BATCH = 64
REPORT_FILE = "report.html"
_WARM_UP_PICTURES = 5
_TIMED_PICTURES = 50
_MAX_TIMING_SECONDS = 20.0  # seconds a candidate, for networks that take long
_PROGRESS_LINES = 10  # log lines for all pictures

log = logging.getLogger("evaluate")


def main() -> None:
    """Evaluates as the command line says."""
    flags = _flags()
    archives = candidates.parse(flags.candidate)
    data = dataset.read(flags.dataset)
    pictures = split.load(flags.test, data.classes)
    with tempfile.TemporaryDirectory(prefix="evaluate-") as work_folder:
        loaded = {name: candidates.load(name, path, data, Path(work_folder)) for name, path in archives.items()}
        log.info("%d candidates, %d test images, %d classes", len(loaded), len(pictures.paths), len(data.classes))
        scores_by_name = {
            name: scores.score(logits, pictures.targets)
            for name, logits in predict_all(loaded, pictures, flags.batch_size).items()
        }
        latencies = {name: _latency(candidate, pictures) for name, candidate in loaded.items()}
        result = Evaluation(data, loaded, scores_by_name, latencies, candidates.choose_champion(scores_by_name))
        _log_result(result)
        _write(result, pictures, flags.output_dir)


def _flags() -> argparse.Namespace:
    parser = Parser(contract.EVALUATE, (__doc__ or "").partition("\n")[0])
    parser.add_argument(contract.FLAG_CANDIDATE, action="append", required=True, metavar="NAME=PATH")
    parser.add_argument(contract.FLAG_TEST, type=Path, required=True, help="folder of the test images, by class")
    parser.add_argument(contract.FLAG_DATASET, type=Path, required=True, help="folder with dataset.json")
    parser.add_argument(contract.FLAG_OUTPUT, type=Path, required=True)
    parser.add_argument("--batch-size", type=int, default=BATCH)
    flags = parser.parse_args()
    if flags.batch_size < 1:
        raise InvalidFlagError(f"--batch-size {flags.batch_size} is not a batch size", f"use {BATCH}")
    return flags


def predict_all(
    loaded: Mapping[str, Candidate], pictures: Split, batch_size: int
) -> dict[str, npt.NDArray[np.float32]]:
    """Returns each candidate's logits for every picture; each picture is decoded only once."""
    sides = sorted({candidate.predictor.description.image_size for candidate in loaded.values()})
    rows: dict[str, list[torch.Tensor]] = {name: [] for name in loaded}
    progress = _TenthsProgress(len(pictures.paths))
    for batch in split.batches(pictures, sides, batch_size):
        for name, candidate in loaded.items():
            try:
                with translate_torch_errors():
                    rows[name].append(candidate.predictor.logits(batch[candidate.predictor.description.image_size]))
            except ModelError as error:
                raise error.about(f"candidate {name}:") from error.__cause__
        progress.add(len(batch[sides[0]]))
    return {name: torch.cat(parts).numpy() for name, parts in rows.items()}


class _TenthsProgress:
    """Logs a line for every tenth of the pictures."""

    def __init__(self, total: int) -> None:
        self._total, self._done, self._started = total, 0, time.perf_counter()

    def add(self, count: int) -> None:
        before, self._done = self._done, self._done + count
        if self._done * _PROGRESS_LINES // self._total > before * _PROGRESS_LINES // self._total:
            rate = self._done / (time.perf_counter() - self._started)
            log.info("%d of %d images, %.0f a second", self._done, self._total, rate)


def _latency(candidate: Candidate, pictures: Split) -> Latency:
    """Measures how long the endpoint's own functions take for one picture, from its bytes to the answer."""
    milliseconds: list[float] = []
    deadline = time.perf_counter() + _MAX_TIMING_SECONDS
    for number in range(_WARM_UP_PICTURES + _TIMED_PICTURES):
        content = pictures.paths[number * len(pictures.paths) // (_WARM_UP_PICTURES + _TIMED_PICTURES)].read_bytes()
        started = time.perf_counter()
        inference.predict_fn([content], candidate.predictor)
        milliseconds.append((time.perf_counter() - started) * 1000)
        if time.perf_counter() > deadline:
            break
    measured = milliseconds[_WARM_UP_PICTURES:] or milliseconds[-1:]
    device = str(candidate.predictor.device)
    return Latency(float(np.median(measured)), float(np.percentile(measured, 95)), len(measured), device)


def _log_result(result: Evaluation) -> None:
    for name, candidate_scores in result.scores.items():
        log.info(
            "%s: accuracy %.4f, top 5 %.4f, loss %.4f, macro F1 %.4f, calibration error %.4f, %.1f ms an image",
            *(
                name,
                candidate_scores.accuracy,
                candidate_scores.top_5_accuracy,
                candidate_scores.loss,
                candidate_scores.macro_f1,
                candidate_scores.calibration_error,
            ),
            result.latencies[name].median,
        )
    for note in result.notes():
        log.warning("note: %s", note)
    log.info("champion: %s", result.champion.reason)


def _write(result: Evaluation, pictures: Split, output: Path) -> None:
    folder = output / contract.EVALUATION
    page = report.page(result, pictures).encode()
    with atomic_files.open_atomically(folder / REPORT_FILE) as file:
        file.write(page)
    champion_folder = result.candidates[result.champion.name].folder
    model_archive.pack(champion_folder, output / contract.CHAMPION / contract.MODEL_ARCHIVE)
    # Written last: if this file exists, everything exists.
    evaluation.write(result, folder / contract.EVALUATION_FILE)


if __name__ == "__main__":
    command.run(main)
