"""report.html: the evaluation for people, in one file with everything in it.

No scripts, no network, pictures inline. The names come from archives that are not trusted, so all text is escaped; a
content security policy blocks fetching and scripts in case something slips through.
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

MAX_CLASSES = 15
MAX_MISTAKES = 18
_THUMBNAIL = 160
_MAX_PLOTTABLE = 1e12
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
    """Returns the whole page."""
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
    header = (
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f'<meta name="viewport" content="width=device-width"><title>Evaluation</title><style>{_STYLE}</style>'
    )
    body = "\n".join(sections)
    return f'<!DOCTYPE html>\n<html lang="en"><head>{header}</head><body>\n{body}\n</body></html>\n'


def _section(title: str, parts: Sequence[str]) -> str:
    return f'<h2>{escape(title)}</h2>\n<div class="row">{"".join(parts) or "<p>nothing recorded</p>"}</div>'


def _summary(evaluation: Evaluation) -> str:
    headers = (
        "candidate",
        "network",
        "accuracy",
        "top 5",
        "macro F1",
        "loss",
        "calibration error",
        "ms an image",
        "p95",
    )
    rows = []
    for name, candidate_scores in evaluation.scores.items():
        latency = evaluation.latencies[name]
        cells = (
            *(name, evaluation.candidates[name].predictor.description.architecture, f"{candidate_scores.accuracy:.2%}"),
            *(
                f"{candidate_scores.top_5_accuracy:.2%}",
                f"{candidate_scores.macro_f1:.4f}",
                f"{candidate_scores.loss:.4f}",
                f"{candidate_scores.calibration_error:.4f}",
            ),
            *(f"{latency.median:.1f}", f"{latency.p95:.1f}"),
        )
        rows.append((cells, name == evaluation.champion.name))
    best = evaluation.scores[evaluation.champion.name]
    summary = (
        f"{len(best.targets)} test images of {len(evaluation.data.classes)} classes; "
        f"data set {evaluation.data.sha256[:12]}; latency on {latency.device}, one image at a time, decoding included"
    )
    return f'{_table(headers, rows)}<p class="faint">{escape(summary)}</p>'


def _table(headers: Sequence[str], rows: Iterable[tuple[Sequence[str], bool]]) -> str:
    header_row = "".join(f"<th>{escape(header)}</th>" for header in headers)
    body = "".join(
        f"<tr{' class=champion' if is_champion else ''}>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
        for cells, is_champion in rows
    )
    return f'<div class="wide"><table><tr>{header_row}</tr>{body}</table></div>'


def _learning_curves(evaluation: Evaluation) -> list[str]:
    """Returns a chart for each measure of each candidate, with training and validation together."""
    return [
        charts.curves(f"{name}: {measure}", _series(candidate.history, measure))
        for name, candidate in evaluation.candidates.items()
        for measure in ("loss", "accuracy")
    ]


def _series(history: Sequence[Mapping[str, Any]], measure: str) -> dict[str, charts.Points]:
    """Returns the finite values of a measure in the history, by the part of the data."""
    series: dict[str, charts.Points] = {}
    for metric in contract.METRICS:
        part, _, kind = metric.partition(":")
        points = [
            (float(number), float(epoch[metric]))
            for number, epoch in enumerate(history, 1)
            if _is_plottable(epoch, metric)
        ]
        if kind == measure:
            series[part] = points
    return series


def _is_plottable(epoch: Mapping[str, Any], metric: str) -> bool:
    value = epoch.get(metric)
    # nan and inf compare false, and smaller values cannot overflow.
    return isinstance(value, (int, float)) and abs(value) < _MAX_PLOTTABLE


def _worst_classes(best: Scores, labels: Sequence[str]) -> str:
    table = best.by_class
    order = [index for index in np.argsort(table.f1, kind="stable") if table.support[index]][:MAX_CLASSES]
    rows = [
        (
            (
                labels[index],
                str(table.support[index]),
                f"{table.precision[index]:.1%}",
                f"{table.recall[index]:.1%}",
                f"{table.f1[index]:.3f}",
                _most_confused(best, int(index), labels),
            ),
            False,
        )
        for index in order
    ]
    return _table(("class", "images", "precision", "recall", "F1", "most often taken for"), rows)


def _most_confused(best: Scores, index: int, labels: Sequence[str]) -> str:
    wrong = best.confusion[index].copy()
    wrong[index] = 0
    return f"{labels[int(wrong.argmax())]} ({wrong.max()})" if wrong.any() else "–"


def _worst_mistakes(best: Scores, labels: Sequence[str], split: Split) -> str:
    """Returns the wrong answers with the highest loss."""
    wrong = np.flatnonzero(best.answers != best.targets)
    order = wrong[np.argsort(-best.losses[wrong], kind="stable")][:MAX_MISTAKES]
    return "".join(_mistake(best, int(index), labels, split.paths[index]) for index in order) or "<p>none</p>"


def _mistake(best: Scores, index: int, labels: Sequence[str], path: Path) -> str:
    true, answer = labels[best.targets[index]], labels[best.answers[index]]
    caption = f"<b>{escape(true)}</b> taken for <b>{escape(answer)}</b>, {best.confidences[index]:.0%} sure"
    # Long names may wrap after these characters and not in the middle of a word.
    name = re.sub(r"([/_-])", r"\1<wbr>", escape(f"{path.parent.name}/{path.name}"))
    location = f'<span class="faint">{name}</span>'
    image = f'<img src="{_thumbnail(path)}" alt="{escape(true)}">'
    return f"<figure>{image}<figcaption>{caption}<br>{location}</figcaption></figure>"


def _thumbnail(path: Path) -> str:
    picture = pictures.decode(path.read_bytes())
    small = pictures.center_crop(pictures.resize(picture, _THUMBNAIL), _THUMBNAIL)
    return f"data:image/jpeg;base64,{base64.b64encode(pictures.encode_jpeg(small)).decode('ascii')}"


def _calibration(evaluation: Evaluation) -> list[str]:
    return [
        charts.reliability(f"{name}: calibration error {candidate_scores.calibration_error:.4f}", candidate_scores.bins)
        for name, candidate_scores in evaluation.scores.items()
    ]
