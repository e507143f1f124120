"""The test environment of the scripts: what they may rely on, and what they may not."""

from __future__ import annotations

import ast
import importlib.util
from importlib.metadata import version
from pathlib import Path

import pytest

import contract


def test_it_has_the_torch_of_aws_image_without_cuda() -> None:
    import torch

    assert torch.__version__.startswith("2.13.0")
    assert torch.version.cuda is None


@pytest.mark.parametrize("name", ["sagemaker_training", "sagemaker_pytorch_training", "smdebug"])
def test_it_has_the_libraries_of_aws_images(name: str) -> None:
    assert version(name)


@pytest.mark.parametrize(
    "name", ["torch", "torchvision", "numpy", "sagemaker_training", "smdebug", "boto3", "botocore"]
)
def test_its_libraries_are_compiled_since_jobs_cannot_write_there(name: str) -> None:
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    modules = [path for path in Path(spec.origin).parent.rglob("*.py") if not {"test", "tests"} & set(path.parts)]
    assert len(modules) > 10
    uncompiled = [path for path in modules if not Path(importlib.util.cache_from_source(str(path))).exists()]
    assert [path for path in uncompiled if is_readable(path)] == []


def is_readable(module: Path) -> bool:
    """Whether this Python can read it: torch has modules for later ones."""
    try:
        ast.parse(module.read_bytes())
    except SyntaxError:
        return False
    return True


@pytest.mark.parametrize("name", ["sagemaker", "pydantic", "typer", "moto"])
def test_it_has_nothing_of_the_definition_side(name: str) -> None:
    assert importlib.util.find_spec(name) is None


def test_the_contract_is_constants_and_imports_nothing() -> None:
    tree = ast.parse(Path(contract.__file__).read_text(encoding="utf-8"))
    kinds = {type(node) for node in tree.body}
    assert kinds == {ast.Expr, ast.Assign}
    assert [node for node in tree.body if isinstance(node, ast.Expr)] == tree.body[:1]
