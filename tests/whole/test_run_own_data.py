"""`make run DATA=…` with a user's own pictures: from a folder of classes to an endpoint that tells them apart."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from pedigree.localaws import process

ROOT = Path(__file__).parents[2]
PEDIGREE = str(Path(sys.executable).with_name("pedigree"))
COLORS = {"красный": (220, 40, 40), "grün": (40, 220, 40), "blue": (40, 40, 220)}
PICTURES = 24
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PEDIGREE"))},
    "PEDIGREE__TUNING__MAX_JOBS": "1",
    "PEDIGREE__TUNING__PARALLEL_JOBS": "1",
    "PEDIGREE__TRAINING__EPOCHS": "15",
}


def drawn(color: tuple[int, int, int], seed: int) -> Image.Image:
    """A square in a color at a random place."""
    rng = random.Random(f"{color}{seed}")
    picture = Image.new("RGB", (32, 32), (rng.randrange(60), rng.randrange(60), rng.randrange(60)))
    left, top, side = rng.randrange(10), rng.randrange(10), rng.randrange(12, 22)
    picture.paste(color, (left, top, left + side, top + side))
    return picture


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for name, color in COLORS.items():
        (folder / name).mkdir()
        for number in range(PICTURES):
            drawn(color, number).save(folder / name / f"bild {number} é.png")
    (folder / ".DS_Store").write_bytes(b"x")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    found = tmp_path_factory.mktemp("local") / "aws"
    yield found
    process.reset(found)


def run(pictures: Path, folder: Path) -> str:
    command = [PEDIGREE, "run", "--folder", str(folder), "--data", str(pictures)]
    done = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_own_pictures_become_an_endpoint_and_are_uploaded_once(pictures: Path, folder: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in pictures.rglob("*")}
    first = run(pictures, folder)
    assert "72 pictures in 3 classes, 24 to 24 of each; their shorter side is about 32 pixels, in color" in first
    accuracy = re.search(r"Champion +\w+: ([0-9.]+)% of 12 test pictures right", first)
    assert accuracy
    assert float(accuracy[1]) >= 80
    prediction = re.search(r"Prediction +(\S+): ", first)
    assert prediction
    assert prediction[1] in COLORS
    assert "Endpoint      dog-breeds: InService" in first
    assert before == {path: path.stat().st_mtime_ns for path in pictures.rglob("*")}

    second = run(pictures, folder)
    assert "+ data" in first
    assert "+ data" not in second
    assert set(re.findall(r"^[0-9:]{8} (\w+) Succeeded.*reused from", second, re.MULTILINE)) >= {"PrepareData", "Tune"}
