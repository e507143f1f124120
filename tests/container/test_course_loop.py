"""The baseline of the training benchmark trains, and its parts add up to its time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
COLORS = {"001.Red": (220, 30, 30), "002.Blue": (30, 30, 220)}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes that are easy to learn."""
    folder = tmp_path_factory.mktemp("dogImages")
    for split, count in (("train", 10), ("valid", 3)):
        for name, color in COLORS.items():
            (folder / split / name).mkdir(parents=True)
            for number in range(count):
                picture = Image.new("RGB", (50 + number, 40), color)
                picture.save(folder / split / name / f"{number}.jpg")
    return folder


def epochs(data: Path, *more: str) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "benchmarks.course_loop", str(data), "--architecture", "resnet18", *more]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("layers", ["head", "all"])
def test_it_trains_and_tells_the_time_of_every_epoch(data: Path, layers: str) -> None:
    logged = epochs(data, "--layers", layers, "--epochs", "3", "--size", "32", "--batch-size", "8")
    assert [epoch["epoch"] for epoch in logged] == [1, 2, 3]
    for epoch in logged:
        assert epoch["images"] == 20
        assert epoch["seconds"] == pytest.approx(epoch["waiting"] + epoch["forward"] + epoch["backward"])
        assert epoch["images_per_second"] == pytest.approx(20 / epoch["seconds"])
        assert 0 <= epoch["validation_accuracy"] <= 1
    assert logged[-1]["loss"] < logged[0]["loss"]
