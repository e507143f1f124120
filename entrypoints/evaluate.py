"""Score every candidate on the test pictures, write what came out, and hand out the champion.

    python evaluate.py --candidate best=model.tar.gz --test TEST --dataset FOLDER --output-dir OUT

A candidate is an archive, or a model directory. Below the output folder: evaluation/ with evaluation.json and
report.html, and champion/ with the winner's archive, packed anew from exactly the files that were scored.
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
import atomic_files
from candidates import Candidate
from torch_errors import in_plain_words
from errors import ModelError, UsageError
from evaluation import Evaluation, Latency
from flags import Parser
from split import Split

BATCH = 64
REPORT_FILE = "report.html"
_WARM_UP = 5
_TIMED = 50
_LONGEST_TIMING = 20.0  # seconds a candidate, for networks that take long
_SHOWN = 10  # lines of progress

log = logging.getLogger("evaluate")


def main() -> None:
    """Evaluate as the command line asks."""
    flags = _flags()
    archives = candidates.parse(flags.candidate)
    data = dataset.read(flags.dataset)
    pictures = split.find(flags.test, data.classes)
    with tempfile.TemporaryDirectory(prefix="evaluate-") as workplace:
        found = {name: candidates.load(name, path, data, Path(workplace)) for name, path in archives.items()}
        log.info("%d candidates, %d test images, %d classes", len(found), len(pictures.paths), len(data.classes))
        scored = {
            name: scores.score(logits, pictures.targets)
            for name, logits in answers(found, pictures, flags.batch_size).items()
        }
        latencies = {name: _latency(candidate, pictures) for name, candidate in found.items()}
        whole = Evaluation(data, found, scored, latencies, candidates.champion(scored))
        _tell(whole)
        _write(whole, pictures, flags.output_dir)


def _flags() -> argparse.Namespace:
    parser = Parser(contract.EVALUATE, (__doc__ or "").partition("\n")[0])
    parser.add_argument(contract.FLAG_CANDIDATE, action="append", required=True, metavar="NAME=PATH")
    parser.add_argument(contract.FLAG_TEST, type=Path, required=True, help="folder of the test images, by class")
    parser.add_argument(contract.FLAG_DATASET, type=Path, required=True, help="folder with dataset.json")
    parser.add_argument(contract.FLAG_OUTPUT, type=Path, required=True)
    parser.add_argument("--batch-size", type=int, default=BATCH)
    flags = parser.parse_args()
    if flags.batch_size < 1:
        raise UsageError(f"--batch-size {flags.batch_size} is no size; use {BATCH}")
    return flags


def answers(found: Mapping[str, Candidate], pictures: Split, batch_size: int) -> dict[str, npt.NDArray[np.float32]]:
    """The logits of every candidate about every picture; each picture is decoded once for all."""
    sides = sorted({one.predictor.model.image_size for one in found.values()})
    rows: dict[str, list[torch.Tensor]] = {name: [] for name in found}
    progress = _Progress(len(pictures.paths))
    for batch in split.batches(pictures, sides, batch_size):
        for name, candidate in found.items():
            try:
                with in_plain_words():
                    rows[name].append(candidate.predictor.logits(batch[candidate.predictor.model.image_size]))
            except ModelError as error:
                raise ModelError(f"candidate {name}: {error}") from error.__cause__
        progress.add(len(batch[sides[0]]))
    return {name: torch.cat(parts).numpy() for name, parts in rows.items()}


class _Progress:
    """A line of the log for every tenth of the work."""

    def __init__(self, total: int) -> None:
        self._total, self._done, self._began = total, 0, time.perf_counter()

    def add(self, count: int) -> None:
        before, self._done = self._done, self._done + count
        if self._done * _SHOWN // self._total > before * _SHOWN // self._total:
            rate = self._done / (time.perf_counter() - self._began)
            log.info("%d of %d images, %.0f a second", self._done, self._total, rate)


def _latency(candidate: Candidate, pictures: Split) -> Latency:
    """How long the endpoint's own functions take for one picture, from its bytes to the answer."""
    took: list[float] = []
    deadline = time.perf_counter() + _LONGEST_TIMING
    for number in range(_WARM_UP + _TIMED):
        content = pictures.paths[number * len(pictures.paths) // (_WARM_UP + _TIMED)].read_bytes()
        began = time.perf_counter()
        inference.predict_fn([content], candidate.predictor)
        took.append((time.perf_counter() - began) * 1000)
        if time.perf_counter() > deadline:
            break
    timed = took[_WARM_UP:] or took[-1:]
    device = str(candidate.predictor.device)
    return Latency(float(np.median(timed)), float(np.percentile(timed, 95)), len(timed), device)


def _tell(whole: Evaluation) -> None:
    for name, own in whole.scores.items():
        log.info(
            "%s: accuracy %.4f, top 5 %.4f, loss %.4f, macro F1 %.4f, calibration error %.4f, %.1f ms an image",
            *(name, own.accuracy, own.top_5_accuracy, own.loss, own.macro_f1, own.calibration_error),
            whole.latencies[name].median,
        )
    for note in whole.notes():
        log.warning("note: %s", note)
    log.info("champion: %s", whole.champion.reason)


def _write(whole: Evaluation, pictures: Split, output: Path) -> None:
    folder = output / contract.EVALUATION
    page = report.page(whole, pictures).encode()
    with atomic_files.whole(folder / REPORT_FILE) as file:
        file.write(page)
    winner = whole.candidates[whole.champion.name].folder
    model_archive.pack(winner, output / contract.CHAMPION / contract.MODEL_ARCHIVE)
    # Last: whoever finds it finds everything.
    evaluation.write(whole, folder / contract.EVALUATION_FILE)


if __name__ == "__main__":
    command.run(main)
