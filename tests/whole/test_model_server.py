"""A model's code that only loads its model is served with the toolkit's defaults, by the container's own torch."""

from __future__ import annotations

import json
from pathlib import Path

from pedigree.localaws.services.sagemaker.endpoints import inference_defaults as defaults
from pedigree.localaws.services.sagemaker.endpoints.fleet import Fleet
from pedigree.localaws.services.sagemaker.endpoints.instances import InstanceSpec

CONTAINER = Path(__file__).parents[2] / ".venv-container" / "bin" / "python"
ROWS = [[1.0, 2.0], [3.0, 4.0]]
DOUBLING = """
import torch
class Doubling(torch.nn.Module):
    def forward(self, rows):
        return rows * 2
def model_fn(folder):
    return Doubling()
"""


def test_code_that_only_loads_its_model_gets_tensors(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "inference.py").write_text(DOUBLING)
    (tmp_path / "code" / "requirements.txt").write_text("torch\n")
    fleet = Fleet(InstanceSpec(str(CONTAINER), tmp_path, {}, lambda _line: None))
    fleet.resize(1)
    response = fleet.invoke(json.dumps(ROWS).encode(), {"Content-Type": defaults.JSON, "Accept": defaults.CSV})
    assert (response.status, response.content_type, response.content) == (200, defaults.CSV, b"2.0,4.0\n6.0,8.0\n")
    response = fleet.invoke(b"x", {"Content-Type": "image/png"})
    assert (response.status, b"image/png is not one of" in response.content) == (415, True)
    fleet.end(0)
