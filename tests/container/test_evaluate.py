"""evaluate.py from end to end: as a process on drawn pictures and small networks, and what it refuses."""

from __future__ import annotations

import base64
import io
import json
import math
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from drawn_pictures import CLASSES, HISTORY, LABELS, described, draw_split, fit, model, network
from PIL import Image

import candidates
import contract
import evaluate
import evaluation
import model_archive
import model_folder
import report
import scores
import split
from candidates import Champion
from errors import DataError, InvalidFlagError, ModelError
from evaluation import Evaluation, Latency
from predictor import Predictor

SCRIPT = Path(evaluate.__file__)
SERVE = """
import json, sys
sys.path.insert(0, sys.argv[1] + "/code")
import inference
model = inference.model_fn(sys.argv[1])
def logits(path):
    answer = inference.predict_fn(inference.input_fn(open(path, "rb").read(), "image/jpeg"), model)
    return json.loads(inference.output_fn(answer, "application/json")[0])["logits"][0]
print(json.dumps([logits(path) for path in sys.argv[2:]]))
"""


@dataclass(frozen=True)
class EvaluationFiles:
    """A data set, and archives of a trained and of an untrained model."""

    folder: Path

    def archive(self, name: str) -> Path:
        return self.folder / f"{name}.tar.gz"

    def run(self, output: Path, *named: str, test: str = "test") -> subprocess.CompletedProcess[str]:
        flags = ("--test", self.folder / test, "--dataset", self.folder / "dataset", "--output-dir", output)
        chosen = [part for name in named for part in ("--candidate", name)]
        return subprocess.run(
            [sys.executable, SCRIPT, *map(str, flags), *chosen],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"OMP_NUM_THREADS": "1"},  # tests share their machine
        )


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> EvaluationFiles:
    folder = tmp_path_factory.mktemp("place")
    draw_split(folder / "test", 12)
    described(folder / "dataset")
    learned = fit(network(model()), model(), folder / "test")
    guessing = model(image_size=48, architecture="resnet34", dataset_sha256="6" * 64)
    for name, classifier, description in (("learned", learned, model()), ("guessing", network(guessing), guessing)):
        model_folder.write(folder / name, classifier, description, HISTORY)
        model_archive.pack(folder / name, folder / f"{name}.tar.gz")
    return EvaluationFiles(folder)


@pytest.fixture(scope="module")
def output(files: EvaluationFiles, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("output")
    named = (f"distributed={files.archive('guessing')}", f"best={files.archive('learned')}")
    done = files.run(folder, *named)
    assert done.returncode == 0, done.stderr
    (folder / "log").write_text(done.stdout)
    return folder


@pytest.fixture(scope="module")
def document(output: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((output / "evaluation" / "evaluation.json").read_text(encoding="utf-8"))
    return found


def found_at(document: Any, path: str) -> Any:
    for name in path.split("."):
        document = document[name]
    return document


def test_the_paths_of_the_contract_lead_to_the_champion(document: dict[str, Any]) -> None:
    assert found_at(document, contract.CHAMPION_NAME) == "best"
    assert found_at(document, contract.CHAMPION_ACCURACY) == document["candidates"]["best"]["accuracy"]


def test_the_accuracy_is_how_often_the_network_is_right(files: EvaluationFiles, document: dict[str, Any]) -> None:
    classifier, description = model_folder.read(files.folder / "learned")
    right = 0
    for index, name in enumerate(CLASSES):
        for path in (files.folder / "test" / name).iterdir():
            values = split.read_pixels(path, [32])[32].float().numpy() / 255
            colors = (values.transpose(1, 2, 0) - np.array(description.mean)) / np.array(description.std)
            with torch.inference_mode():
                logits = classifier(torch.tensor(colors.transpose(2, 0, 1)[None], dtype=torch.float32))
            right += int(logits.argmax()) == index
    assert document["candidates"]["best"]["accuracy"] == pytest.approx(right / 36)
    assert right / 36 > 0.8


def test_the_metrics_are_in_the_shape_of_model_quality(document: dict[str, Any]) -> None:
    metrics = document["multiclass_classification_metrics"]
    matrix = metrics.pop("confusion_matrix")
    assert [sum(matrix[name].values()) for name in CLASSES] == [12, 12, 12]
    assert {"accuracy", "weighted_precision", "weighted_recall", "weighted_f1", "macro_f1"} <= set(metrics)
    for value in metrics.values():
        assert set(value) == {"value", "standard_deviation"}
        assert all(isinstance(number, float) and math.isfinite(number) for number in value.values())
    assert metrics["accuracy_best_constant_classifier"]["value"] == pytest.approx(1 / 3)


def test_every_candidate_has_its_scores(document: dict[str, Any]) -> None:
    assert list(document["candidates"]) == ["distributed", "best"]
    for candidate in document["candidates"].values():
        assert candidate["top_5_accuracy"] == 1
        assert 0 < candidate["latency_milliseconds"]["median"] <= candidate["latency_milliseconds"]["p95"]
        assert [candidate["classes"][name]["label"] for name in CLASSES] == list(LABELS)
        assert all(0 <= candidate["classes"][name]["recall"] <= 1 for name in CLASSES)


def test_the_log_gives_the_reason_and_the_notes(output: Path, document: dict[str, Any]) -> None:
    assert document["champion"]["reason"].startswith("best has the higher accuracy: ")
    assert document["notes"] == [
        "distributed was trained on another version of the data set: its training pictures may include test pictures"
    ]
    log = (output / "log").read_text()
    assert "36 of 36 images" in log
    assert f"champion: {document['champion']['reason']}" in log


def test_the_champions_archive_contains_the_scored_files(files: EvaluationFiles, output: Path, tmp_path: Path) -> None:
    model_archive.unpack(output / "champion" / "model.tar.gz", tmp_path / "champion")
    names = {path.relative_to(tmp_path / "champion") for path in (tmp_path / "champion").rglob("*") if path.is_file()}
    for name in names:
        assert (tmp_path / "champion" / name).read_bytes() == (files.folder / "learned" / name).read_bytes()
    assert {"model.pth", "model.json", "history.json", "code/inference.py"} <= {str(name) for name in names}


class Page(HTMLParser):
    """The tags of a page, and what it refers to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.references: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.references += [value or "" for name, value in attrs if name in ("src", "href", "data", "action")]


def section(page: str, title: str) -> str:
    """Returns the part of a page below a title."""
    return page.partition(f"<h2>{title}</h2>")[2].partition("<h2>")[0]


def test_the_report_needs_nothing_but_itself(output: Path) -> None:
    page = Page(output / "evaluation" / "report.html")
    assert not {"script", "link", "iframe", "object", "form"} & set(page.tags)
    assert all(reference.startswith("data:image/jpeg;base64,") for reference in page.references)


def test_the_report_has_the_pictures_that_a_person_wants(output: Path) -> None:
    page = Page(output / "evaluation" / "report.html")
    text = (output / "evaluation" / "report.html").read_text(encoding="utf-8")
    assert page.tags.count("svg") == 2 * 2 + 1 + 2  # curves of loss and accuracy, the matrix, calibration
    for title in ("Learning curves", "Worst classes", "Worst mistakes", "Confusion matrix", "Calibration"):
        assert f"<h2>{title}</h2>" in text
    curves = section(text, "Learning curves")
    for name in ("best: loss", "best: accuracy", "distributed: loss", "distributed: accuracy"):
        assert name in curves


def test_the_report_shows_the_worst_mistakes_with_their_pictures(files: EvaluationFiles, tmp_path: Path) -> None:
    """For an untrained champion: each with its class, the predicted class, and the confidence."""
    done = files.run(tmp_path, f"only={files.archive('guessing')}")
    assert done.returncode == 0, done.stderr
    document = json.loads((tmp_path / "evaluation" / "evaluation.json").read_text(encoding="utf-8"))
    matrix = document["multiclass_classification_metrics"]["confusion_matrix"]
    wrong = sum(count for name, row in matrix.items() for other, count in row.items() if other != name)
    text = (tmp_path / "evaluation" / "report.html").read_text(encoding="utf-8")
    mistakes = section(text, "Worst mistakes")
    assert wrong > 0
    assert mistakes.count("<figure>") == mistakes.count("<img ") == min(wrong, report.MAX_MISTAKES)
    for encoded in re.findall(r'src="data:image/jpeg;base64,([^"]+)"', mistakes):
        with Image.open(io.BytesIO(base64.b64decode(encoded))) as shown:
            assert min(shown.size) > 8
    assert {label for label in LABELS if label in mistakes} >= {
        label for label, (name, row) in zip(LABELS, matrix.items(), strict=True) if row[name] < sum(row.values())
    }


def test_a_served_champion_answers_as_it_was_scored(files: EvaluationFiles, tmp_path: Path) -> None:
    """The archive serves itself, in a process with only the code in it."""
    model_archive.unpack(files.archive("learned"), tmp_path / "model")
    found = {"best": candidates.load("best", files.archive("learned"), described(tmp_path / "dataset"), tmp_path / "w")}
    pictures = split.load(files.folder / "test", CLASSES)
    scored = evaluate.predict_all(found, pictures, 64)["best"]
    served = subprocess.run(
        [sys.executable, "-c", SERVE, tmp_path / "model", *pictures.paths],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert np.abs(np.array(json.loads(served.stdout)) - scored).max() < 1e-4


def test_the_same_candidate_twice_is_decided_by_order(files: EvaluationFiles, tmp_path: Path) -> None:
    done = files.run(tmp_path, f"one={files.archive('learned')}", f"two={files.folder / 'learned'}")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "evaluation" / "evaluation.json").read_text())["champion"] == {
        "name": "one",
        "reason": "one and two have the same accuracy, 1.0000, and the same loss; one was named first",
    }


def test_a_user_error_is_one_line_and_nothing_is_written(files: EvaluationFiles, tmp_path: Path) -> None:
    done = files.run(tmp_path / "out", f"best={tmp_path}/nowhere.tar.gz")
    assert done.returncode == 2
    assert done.stderr.startswith("evaluate.py: candidate best: ")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def scored(*pairs: tuple[float, float]) -> dict[str, scores.Scores]:
    whole = scores.score([[1.0, 0.0]], [0])
    return {f"c{n}": replace(whole, accuracy=accuracy, loss=loss) for n, (accuracy, loss) in enumerate(pairs)}


@pytest.mark.parametrize(
    ("pairs", "winner", "reason"),
    [
        ([(0.5, 1.0)], "c0", "only candidate"),
        ([(0.5, 1.0), (0.6, 9.0)], "c1", "higher accuracy: 0.6000 against 0.5000 of c0"),
        ([(0.6, 1.0), (0.6, 0.9)], "c1", "lower loss: 0.9 against 1"),
        ([(0.6, 1.0), (0.6, 1.0)], "c0", "named first"),
        ([(0.1, 0.0), (0.6, 1.0), (0.6, 0.5)], "c2", "lower loss"),
    ],
)
def test_the_champion_has_the_higher_accuracy_then_the_lower_loss(
    pairs: list[tuple[float, float]], winner: str, reason: str
) -> None:
    champion = candidates.choose_champion(scored(*pairs))
    assert champion.name == winner
    assert reason in champion.reason


@pytest.mark.parametrize("value", ["best", "best=", "=path", "../best=path", "a b=path", "-x=path"])
def test_a_candidate_is_a_name_and_a_path(value: str) -> None:
    with pytest.raises(InvalidFlagError, match="is not name=path; write"):
        candidates.parse([value])


def test_two_candidates_of_one_name_are_refused() -> None:
    with pytest.raises(InvalidFlagError, match="twice"):
        candidates.parse(["best=a", "best=b"])


@pytest.mark.parametrize(
    ("classes", "reason"),
    [
        (("001.Bars", "002.Checks", "004.Dots"), "has the class 004.Dots"),
        (("001.Bars", "002.Checks"), "lacks the class 003.Rings"),
        (("002.Checks", "001.Bars", "003.Rings"), "a different order"),
    ],
)
def test_a_candidate_with_other_classes_is_refused(tmp_path: Path, classes: tuple[str, ...], reason: str) -> None:
    description = model(classes=classes, labels=classes)
    model_folder.write(tmp_path / "model", network(description), description, [])
    with pytest.raises(ModelError, match=f"candidate best: .*{reason}.*; train it"):
        candidates.load("best", tmp_path / "model", described(tmp_path / "dataset"), tmp_path / "work")


def test_a_candidate_that_could_not_be_served_is_refused(files: EvaluationFiles, tmp_path: Path) -> None:
    shutil.copytree(files.folder / "learned", tmp_path / "model", ignore=shutil.ignore_patterns("inference.py"))
    with pytest.raises(ModelError, match=r"no code/inference\.py"):
        candidates.load("best", tmp_path / "model", described(tmp_path / "dataset"), tmp_path / "work")


def test_a_candidate_that_answers_with_nan_is_refused(files: EvaluationFiles, tmp_path: Path) -> None:
    shutil.copytree(files.folder / "learned", tmp_path / "model")
    state = torch.load(tmp_path / "model" / "model.pth", weights_only=True)
    state["head.0.bias"][1] = math.nan
    torch.save(state, tmp_path / "model" / "model.pth")
    found = candidates.load("best", tmp_path / "model", described(tmp_path / "dataset"), tmp_path / "work")
    with pytest.raises(ModelError, match=r"candidate best: .*nan or inf"):
        evaluate.predict_all({"best": found}, split.load(files.folder / "test", CLASSES), 8)


@pytest.mark.parametrize("size", [1, 7, 64])
def test_the_size_of_batches_changes_no_answer(files: EvaluationFiles, tmp_path: Path, size: int) -> None:
    data = described(tmp_path / "dataset")
    found = {"best": candidates.load("best", files.archive("learned"), data, tmp_path / "work")}
    pictures = split.load(files.folder / "test", CLASSES)
    whole = evaluate.predict_all(found, pictures, 36)["best"]
    assert np.abs(evaluate.predict_all(found, pictures, size)["best"] - whole).max() < 1e-5


@pytest.mark.parametrize("count", [133, 1000])
def test_the_file_stays_below_the_limit_of_json_get(tmp_path: Path, count: int) -> None:
    classes = tuple(f"{number:04}.Some_breed_with_a_long_name" for number in range(count))
    description = model(classes=classes, labels=classes)
    found = candidates.Candidate(
        "best", tmp_path, Predictor(network(description), description, torch.device("cpu")), []
    )
    chance = np.random.default_rng(0)
    own = scores.score(chance.normal(size=(6 * count, count)), np.arange(6 * count) % count)
    data = described(tmp_path, classes)
    whole = Evaluation(data, {"best": found}, {"best": own}, {"best": Latency(1, 2, 3, "cpu")}, Champion("best", "one"))
    evaluation.write(whole, tmp_path / "evaluation.json")
    assert (tmp_path / "evaluation.json").stat().st_size < 2_000_000
    matrix = json.loads((tmp_path / "evaluation.json").read_text())["multiclass_classification_metrics"]
    assert {sum(row.values()) for row in matrix["confusion_matrix"].values()} == {6}
    assert (len(matrix["confusion_matrix"][classes[0]]) == count) == (count == 133)


def test_test_pictures_of_a_strange_class_are_refused(tmp_path: Path) -> None:
    draw_split(tmp_path / "test", 1, classes=("001.Bars", "Other"))
    with pytest.raises(DataError, match="has Other, which is not a class"):
        split.load(tmp_path / "test", CLASSES)


def test_a_split_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not a folder"):
        split.load(tmp_path / "nowhere", CLASSES)
    with pytest.raises(DataError, match="no pictures"):
        split.load(tmp_path, CLASSES)


def test_a_broken_test_picture_is_named(tmp_path: Path) -> None:
    folder = draw_split(tmp_path / "test", 2)
    broken = folder / CLASSES[1] / "001.jpg"
    broken.write_bytes(broken.read_bytes()[:300])
    with pytest.raises(DataError, match=r"002\.Checks/001\.jpg cannot be decoded"):
        list(split.batches(split.load(folder, CLASSES), [32], 4))


@pytest.fixture
def hostile(files: EvaluationFiles, tmp_path: Path) -> str:
    data = replace(described(tmp_path / "dataset"), labels=("<script>alert(1)</script>", "'\"><img src=x>", "&"))
    values: list[Any] = [1.0, math.nan, math.inf, "<b>", None, 10**400, []]
    history = [{"train:loss": value} for value in values]
    found = candidates.load("best", files.archive("guessing"), data, tmp_path / "work")
    found = replace(found, history=history)
    pictures = split.load(files.folder / "test", CLASSES)
    own = scores.score(evaluate.predict_all({"best": found}, pictures, 64)["best"], pictures.targets)
    whole = Evaluation(
        data,
        {"best": found},
        {"best": own},
        {"best": Latency(1, 2, 3, "cpu")},
        candidates.choose_champion({"best": own}),
    )
    (tmp_path / "report.html").write_text(report.page(whole, pictures), encoding="utf-8")
    return (tmp_path / "report.html").read_text(encoding="utf-8")


def test_names_cannot_write_into_the_report(hostile: str, tmp_path: Path) -> None:
    page = Page(tmp_path / "report.html")
    assert "script" not in page.tags
    assert all(reference.startswith("data:image/jpeg;base64,") for reference in page.references)
    assert "&lt;script&gt;" in hostile
    assert page.tags.count("img") >= 1


def test_an_invalid_history_draws_only_its_numbers(hostile: str) -> None:
    assert "best: loss" in hostile
    assert "best: accuracy" not in hostile
