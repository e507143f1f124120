"""A model's code that only loads its model is served with the toolkit's defaults, by the container's own torch."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from pedigree.localaws.services.sagemaker.endpoints.fleet import Fleet
from pedigree.localaws.services.sagemaker.endpoints.instances import InstanceSpec
from pedigree.localaws.services.sagemaker.endpoints.server_process import InstanceError, ServerSpec

CONTAINER = Path(__file__).parents[2] / ".venv-container" / "bin" / "python"
JSON, CSV = "application/json", "text/csv"
ROWS = [[1.0, 2.0], [3.0, 4.0]]
DOUBLING = """
import torch
class Doubling(torch.nn.Module):
    def forward(self, rows):
        return rows * 2
def model_fn(folder):
    return Doubling()
"""


SAVE = """
import sys, torch
layer = torch.nn.Linear(2, 1, bias=False)
layer.weight.data.fill_(3.0)
model = torch.jit.trace(layer, torch.ones(1, 2)) if sys.argv[2] == "script" else layer.state_dict()
(torch.jit.save if sys.argv[2] == "script" else torch.save)(model, sys.argv[1])
"""


def save(path: Path, kind: str) -> None:
    subprocess.run([CONTAINER, "-W", "ignore", "-c", SAVE, str(path), kind], check=True)


def fleet_of(folder: Path) -> Fleet:
    fleet = Fleet(InstanceSpec((ServerSpec(str(CONTAINER), folder, {}, lambda _line: None),)))
    fleet.resize(1)
    return fleet


@pytest.mark.parametrize("name", ["model.pt", "model.pth", "mine.pt"])
def test_an_archive_of_torchscript_needs_no_code(tmp_path: Path, name: str) -> None:
    save(tmp_path / name, "script")
    fleet = fleet_of(tmp_path)
    response = fleet.invoke(json.dumps(ROWS).encode(), {"Content-Type": JSON, "Accept": JSON})
    assert (response.status, json.loads(response.content)) == (200, [[9.0], [21.0]])
    fleet.end(0)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"model.pth": "state"}, "model.pth is not TorchScript; load it with a model_fn in code/inference.py"),
        ({"a.pt": "script", "b.pth": "script"}, "not one .pt or .pth but a.pt, b.pth"),
        ({}, "there is no model.pt, and not one .pt or .pth but none"),
    ],
)
def test_an_archive_that_needs_code_says_so(tmp_path: Path, files: dict[str, str], message: str) -> None:
    for name, kind in files.items():
        save(tmp_path / name, kind)
    with pytest.raises(InstanceError, match=message):
        fleet_of(tmp_path)


def test_code_that_only_loads_its_model_gets_tensors(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "inference.py").write_text(DOUBLING)
    (tmp_path / "code" / "requirements.txt").write_text("torch\n")
    fleet = fleet_of(tmp_path)
    response = fleet.invoke(json.dumps(ROWS).encode(), {"Content-Type": JSON, "Accept": CSV})
    assert (response.status, response.content_type, response.content) == (200, CSV, b"2.0,4.0\n6.0,8.0\n")
    response = fleet.invoke(b"x", {"Content-Type": "image/png"})
    assert (response.status, b"image/png is not one of" in response.content) == (415, True)
    fleet.end(0)
