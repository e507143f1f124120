"""End to end on one machine: images are drawn, prepared, trained on, evaluated and served."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

import contract

ENTRYPOINTS = Path(contract.__file__).parent
DRAW = """
import sys
from pathlib import Path
from pipeline.samples import archive, plan
planned = plan.SamplePlan()
with open(sys.argv[1], "wb") as file:
    archive.write(file, planned, planned.samples())
"""
LEARN = (
    *("--architecture", "resnet18", "--weights", "none", "--layers", "all", "--epochs", "4", "--batch-size", "32"),
    *("--learning-rate", "0.0017", "--head-width", "0", "--min-crop-area", "0.8"),
)
SERVE = """
import sys
sys.path.insert(0, sys.argv[1] + "/code")
import inference
model = inference.model_fn(sys.argv[1])
answer = inference.predict_fn(inference.input_fn(open(sys.argv[2], "rb").read(), "image/jpeg"), model)
print(inference.output_fn(answer, "application/json")[0])
"""


EVALUATE = """
import json, sys
from pathlib import Path
import candidates, dataset, evaluate, split
data = dataset.read(Path(sys.argv[2]))
found = {"best": candidates.load("best", Path(sys.argv[1]), data, Path(sys.argv[3]))}
pictures = split.load(Path(sys.argv[4]), data.classes)
logits = evaluate.predict_all(found, pictures, 64)["best"]
print(json.dumps(dict(zip(map(str, pictures.paths), logits.tolist()))))
"""


def run(*command: object, cwd: Path | None = None) -> str:
    words = [sys.executable, *map(str, command)]
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def draw(path: Path) -> None:
    """Draws the sample data set with its command."""
    root = ENTRYPOINTS.parent
    subprocess.run([sys.executable, "-c", DRAW, str(path)], cwd=root, check=True)


@pytest.mark.minutes
def test_a_small_network_learns_the_sample_data_from_nothing(tmp_path: Path) -> None:
    draw(tmp_path / "images.zip")
    prepared, model = tmp_path / "prepared", tmp_path / "model"
    run(ENTRYPOINTS / "prepare.py", "--source", tmp_path / "images.zip", "--image-size", "32", "--output-dir", prepared)
    run(ENTRYPOINTS / "train.py", "--data", prepared, "--model-dir", model, *LEARN)
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as archive:
        archive.add(model, ".")
    flags = (
        "--test",
        prepared / "test",
        "--dataset",
        prepared / "dataset",
        "--output-dir",
        tmp_path / "out",
    )
    run(ENTRYPOINTS / "evaluate.py", "--candidate", f"best={tmp_path / 'model.tar.gz'}", *flags)
    found: Any = json.loads((tmp_path / "out" / "evaluation" / "evaluation.json").read_text(encoding="utf-8"))
    for part in contract.CHAMPION_ACCURACY.split("."):
        found = found[part]
    assert found >= 0.9
    with tarfile.open(tmp_path / "out" / "champion" / "model.tar.gz") as archive:
        archive.extractall(tmp_path / "served", filter="data")
    champion, folders = tmp_path / "out" / "champion" / "model.tar.gz", (prepared / "dataset", tmp_path / "work")
    scored = json.loads(run("-c", EVALUATE, champion, *folders, prepared / "test", cwd=ENTRYPOINTS))
    for picture in list(scored)[::20]:
        answer = json.loads(run("-c", SERVE, tmp_path / "served", picture))
        assert answer["logits"] == [pytest.approx(scored[picture], abs=1e-4)]
