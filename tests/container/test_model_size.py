"""A model.json that names a larger network than its weights are for is refused before the network takes memory."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
import torch
from peak_memory import run_measured

import model_folder
from errors import ModelError
from networks import WithoutMemory, build
from torchvision_import import torchvision

SMALL = "squeezenet1_1"


def described(folder: Path, architecture: str = SMALL, classes: int = 2, head_width: int = 0) -> Path:
    names = [f"c{number}" for number in range(classes)]
    description = model_folder.ModelDescription(
        architecture, head_width, 0.0, tuple(names), tuple(names), 64, (0.5,) * 3, (0.5,) * 3
    )
    folder.mkdir(exist_ok=True)
    model_folder.write(folder, build(SMALL, 2, image_size=64), description, [])
    return folder


def changed(folder: Path, **members: object) -> Path:
    path = folder / model_folder.MODEL_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), **members}))
    return folder


def test_the_weights_of_a_training_are_read(tmp_path: Path) -> None:
    network, description = model_folder.read(described(tmp_path / "model"))
    assert (description.architecture, network.training) == (SMALL, False)


NAMES = [f"c{number}" for number in range(1_000_000)]


@pytest.mark.parametrize("members", [{"architecture": "regnet_y_128gf"}, {"classes": NAMES, "labels": NAMES}])
def test_a_network_of_gigabytes_is_refused_without_building_it(tmp_path: Path, members: dict[str, object]) -> None:
    folder = changed(described(tmp_path / "model"), **members)
    script = "import model_folder\ntry: model_folder.read(pathlib.Path(sys.argv[1]))\n"
    message, megabytes = run_measured(script + "except model_folder.ModelError as error: print(error)", folder)
    assert "does not have the weights for model.json: it has " in message
    assert megabytes < 400


def test_packed_weights_are_refused(tmp_path: Path) -> None:
    path = described(tmp_path / "model") / model_folder.WEIGHTS_FILE
    with zipfile.ZipFile(path) as plain:
        members = {name: plain.read(name) for name in plain.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    with pytest.raises(ModelError, match="it is compressed"):
        model_folder.read(tmp_path / "model")


def test_weights_in_torch_s_old_format_are_refused(tmp_path: Path) -> None:
    path = described(tmp_path / "model") / model_folder.WEIGHTS_FILE
    torch.save(torch.load(path, weights_only=True), path, _use_new_zipfile_serialization=False)
    with pytest.raises(ModelError, match=r"does not have the weights for model\.json"):
        model_folder.read(tmp_path / "model")


@pytest.mark.parametrize("architecture", torchvision.models.list_models(module=torchvision.models))
def test_every_network_can_be_measured_without_memory(architecture: str) -> None:
    size = 299 if architecture == "inception_v3" else 224
    with WithoutMemory():
        network = build(architecture, 3, image_size=size)
    assert all(value.device.type == "meta" for value in network.parameters())
    assert sum(value.nbytes for value in network.buffers() if value.device.type != "meta") < 1_000_000
