"""The model directory: a saved model gives the same logits, and implausible content is refused."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from drawn_pictures import HISTORY, model, network

import contract
import model_folder
import networks
from errors import ModelError


@pytest.fixture
def written(tmp_path: Path) -> Path:
    model_folder.write(tmp_path / "model", network(model()), model(), HISTORY)
    return tmp_path / "model"


def test_a_saved_model_gives_the_same_logits(written: Path) -> None:
    again, description = model_folder.read(written)
    batch = torch.rand(2, 3, 32, 32)
    with torch.inference_mode():
        assert torch.equal(again(batch), network(model())(batch))
    assert description == model()
    assert model_folder.read_history(written) == HISTORY


def test_the_weights_are_a_plain_state_dict_under_their_own_names(written: Path) -> None:
    state = torch.load(written / "model.pth", weights_only=True)
    assert set(state) == set(network(model()).state_dict())
    assert not any(name.startswith("module.") for name in state)


def test_the_code_needs_nothing_that_is_not_beside_it(written: Path) -> None:
    own = {path.stem for path in Path(model_folder.__file__).parent.glob("*.py")}
    there = {path.stem for path in (written / "code").iterdir()}
    allowed = there | {"torch", "torchvision", "numpy", "PIL", "sagemaker_inference"} | sys.stdlib_module_names
    for path in (written / "code").iterdir():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert {name.partition(".")[0] for name in names} <= allowed
    assert contract.INFERENCE in {f"{name}.py" for name in there & own}


@pytest.mark.parametrize("width", [0, 16])
def test_a_head_of_any_kind_is_built_again(tmp_path: Path, width: int) -> None:
    description = model(head_width=width, dropout=0.5)
    classifier = networks.build("resnet18", 3, head_width=width, dropout=0.5)
    model_folder.write(tmp_path, classifier, description, [])
    again, _ = model_folder.read(tmp_path)
    assert [type(layer) for layer in again.head] == [type(layer) for layer in classifier.head]


def test_without_a_history_there_are_no_epochs(written: Path) -> None:
    (written / "history.json").unlink()
    assert model_folder.read_history(written) == []


WRONG: dict[str, dict[str, Any]] = {
    "architecture": {"architecture": 18},
    "unknown network": {"architecture": "os.system"},
    "huge image": {"image_size": 10**9},
    "image of nothing": {"image_size": 0},
    "huge head": {"head_width": 10**12},
    "head of text": {"head_width": "16"},
    "dropout": {"dropout": 7},
    "labels": {"labels": ["one"]},
    "no classes": {"classes": [], "labels": []},
    "numbers for classes": {"classes": [1, 2, 3]},
    "two colors": {"mean": [0.5, 0.5]},
    "no spread": {"std": [0.2, 0, 0.2]},
    "nan": {"mean": [float("nan"), 0, 0]},
    "classes that are none": {"classes": None},
    "a key too many": {"surprise": 1},
}


@pytest.mark.parametrize("what", WRONG)
def test_an_implausible_description_is_refused(written: Path, what: str) -> None:
    document = json.loads((written / "model.json").read_text())
    (written / "model.json").write_text(json.dumps(document | WRONG[what]))
    with pytest.raises(ModelError, match="; "):
        model_folder.read(written)


NO_DOCUMENTS = ["", "null", "{}", "{", "[" * 100_000, '"text"']


@pytest.mark.parametrize(
    ("name", "text"),
    [("model.json", "[]"), *((name, text) for name in ("model.json", "history.json") for text in NO_DOCUMENTS)],
)
def test_an_invalid_file_is_refused(written: Path, name: str, text: str) -> None:
    (written / name).write_text(text)
    with pytest.raises(ModelError, match=f"{name}.*; use the file that train.py writes"):
        (model_folder.read_history if name == "history.json" else model_folder.read_description)(written)


class Command:
    """A pickle that runs a command when it is loaded without care."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return Path.touch, (Path("touched"),)  # type: ignore[return-value]


def test_weights_that_would_run_code_are_refused(
    written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"backbone.conv1.weight": Command()}, written / "model.pth")
    with pytest.raises(ModelError, match="does not have the weights"):
        model_folder.read(written)
    assert not (tmp_path / "touched").exists()


@pytest.mark.parametrize("state", [{}, [1, 2], {"backbone.conv1.weight": torch.zeros(1)}])
def test_weights_of_another_network_are_refused(written: Path, state: object) -> None:
    torch.save(state, written / "model.pth")
    with pytest.raises(ModelError, match="does not have the weights"):
        model_folder.read(written)
