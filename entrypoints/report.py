"""report.html: what a person wants to see of an evaluation, in one file that needs nothing else.

No script, no network, pictures inside. Names come from archives that nobody vouches for, so every text is escaped, and
a policy in the page forbids it to fetch or to run anything, should something slip through.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

import charts
import contract
import pictures
from evaluation import Evaluation
from scores import Scores
from split import Split

WORST_CLASSES = 15
WORST_MISTAKES = 18
_THUMBNAIL = 160
_LARGEST = 1e12
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1f2933; background: #fff; max-width: 1080px; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
table { border-collapse: collapse; }
th, td { padding: .3rem .8rem; text-align: right; border-bottom: 1px solid #d5dbe3; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; } tr.champion { background: #e9f7ec; }
.note { background: #fff4d6; border-left: 4px solid #b7791f; padding: .5rem .8rem; }
.row { display: flex; flex-wrap: wrap; gap: 1.2rem; } svg { max-width: 100%; height: auto; }
figure { margin: 0; width: 160px; } figcaption { font-size: .8rem; line-height: 1.35; overflow-wrap: anywhere; }
.faint { color: #616e7c; } .wide { overflow-x: auto; }
"""


def page(evaluation: Evaluation, split: Split) -> str:
    """The whole page."""
    best = evaluation.scores[evaluation.champion.name]
    labels = evaluation.data.labels
    notes = [f'<p class="note">{escape(note)}</p>' for note in evaluation.notes()]
    sections = [
        f"<h1>Evaluation: {escape(evaluation.champion.name)} is the champion</h1>",
        f"<p>{escape(evaluation.champion.reason)}.</p>",
        *notes,
        _summary(evaluation),
        _section("Learning curves", _learning_curves(evaluation)),
        _section("Worst classes", [_worst_classes(best, labels)]),
        _section("Worst mistakes", [_worst_mistakes(best, labels, split)]),
        _section("Confusion matrix", [charts.matrix("rows: true · columns: answered", best.confusion, labels)]),
        _section("Calibration", _calibration(evaluation)),
    ]
    head = (
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f'<meta name="viewport" content="width=device-width"><title>Evaluation</title><style>{_STYLE}</style>'
    )
    body = "\n".join(sections)
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head><body>\n{body}\n</body></html>\n'


def _section(title: str, parts: Sequence[str]) -> str:
    return f'<h2>{escape(title)}</h2>\n<div class="row">{"".join(parts) or "<p>nothing recorded</p>"}</div>'


def _summary(evaluation: Evaluation) -> str:
    heads = ("candidate", "network", "accuracy", "top 5", "macro F1", "loss", "calibration error", "ms an image", "p95")
    rows = []
    for name, own in evaluation.scores.items():
        latency = evaluation.latencies[name]
        cells = (
            *(name, evaluation.candidates[name].predictor.model.architecture, f"{own.accuracy:.2%}"),
            *(f"{own.top_5_accuracy:.2%}", f"{own.macro_f1:.4f}", f"{own.loss:.4f}", f"{own.calibration_error:.4f}"),
            *(f"{latency.median:.1f}", f"{latency.p95:.1f}"),
        )
        rows.append((cells, name == evaluation.champion.name))
    best = evaluation.scores[evaluation.champion.name]
    about = (
        f"{len(best.targets)} test images of {len(evaluation.data.classes)} classes; "
        f"data set {evaluation.data.sha256[:12]}; latency on {latency.device}, one image at a time, decoding included"
    )
    return f'{_table(heads, rows)}<p class="faint">{escape(about)}</p>'


def _table(heads: Sequence[str], rows: Iterable[tuple[Sequence[str], bool]]) -> str:
    top = "".join(f"<th>{escape(head)}</th>" for head in heads)
    body = "".join(
        f"<tr{' class=champion' if marked else ''}>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
        for cells, marked in rows
    )
    return f'<div class="wide"><table><tr>{top}</tr>{body}</table></div>'


def _learning_curves(evaluation: Evaluation) -> list[str]:
    """A chart for each measure of each candidate, training beside validation."""
    return [
        charts.curves(f"{name}: {measure}", _series(candidate.history, measure))
        for name, candidate in evaluation.candidates.items()
        for measure in ("loss", "accuracy")
    ]


def _series(history: Sequence[Mapping[str, Any]], measure: str) -> dict[str, charts.Points]:
    """The finite numbers that the history has of a measure, by the part of the data that they were measured on."""
    found: dict[str, charts.Points] = {}
    for metric in contract.METRICS:
        part, _, kind = metric.partition(":")
        points = [
            (float(number), float(epoch[metric])) for number, epoch in enumerate(history, 1) if _finite(epoch, metric)
        ]
        if kind == measure:
            found[part] = points
    return found


def _finite(epoch: Mapping[str, Any], metric: str) -> bool:
    value = epoch.get(metric)
    # nan and inf are not below anything, and nothing that is can overflow.
    return isinstance(value, (int, float)) and abs(value) < _LARGEST


def _worst_classes(best: Scores, labels: Sequence[str]) -> str:
    table = best.by_class
    order = [index for index in np.argsort(table.f1, kind="stable") if table.support[index]][:WORST_CLASSES]
    rows = [
        (
            (
                labels[index],
                str(table.support[index]),
                f"{table.precision[index]:.1%}",
                f"{table.recall[index]:.1%}",
                f"{table.f1[index]:.3f}",
                _confused(best, int(index), labels),
            ),
            False,
        )
        for index in order
    ]
    return _table(("class", "images", "precision", "recall", "F1", "most often taken for"), rows)


def _confused(best: Scores, index: int, labels: Sequence[str]) -> str:
    wrong = best.confusion[index].copy()
    wrong[index] = 0
    return f"{labels[int(wrong.argmax())]} ({wrong.max()})" if wrong.any() else "–"


def _worst_mistakes(best: Scores, labels: Sequence[str], split: Split) -> str:
    """The wrong answers that the champion was surest against."""
    wrong = np.flatnonzero(best.answers != best.targets)
    order = wrong[np.argsort(-best.losses[wrong], kind="stable")][:WORST_MISTAKES]
    return "".join(_mistake(best, int(index), labels, split.paths[index]) for index in order) or "<p>none</p>"


def _mistake(best: Scores, index: int, labels: Sequence[str], path: Path) -> str:
    true, answer = labels[best.targets[index]], labels[best.answers[index]]
    words = f"<b>{escape(true)}</b> taken for <b>{escape(answer)}</b>, {best.confidences[index]:.0%} sure"
    # Where a name is too long for its line, it goes on after a mark and not in the middle of a word.
    name = re.sub(r"([/_-])", r"\1<wbr>", escape(f"{path.parent.name}/{path.name}"))
    where = f'<span class="faint">{name}</span>'
    image = f'<img src="{_thumbnail(path)}" alt="{escape(true)}">'
    return f"<figure>{image}<figcaption>{words}<br>{where}</figcaption></figure>"


def _thumbnail(path: Path) -> str:
    picture = pictures.decode(path.read_bytes())
    small = pictures.center_cropped(pictures.resized(picture, _THUMBNAIL), _THUMBNAIL)
    return f"data:image/jpeg;base64,{base64.b64encode(pictures.as_jpeg(small)).decode('ascii')}"


def _calibration(evaluation: Evaluation) -> list[str]:
    return [
        charts.reliability(f"{name}: calibration error {own.calibration_error:.4f}", own.bins)
        for name, own in evaluation.scores.items()
    ]
