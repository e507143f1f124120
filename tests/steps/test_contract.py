"""The contract: both sides of a process boundary use the same names."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from entrypoints import contract
from pedigree.language.definition import read
from tests.support.definitions import define

ROOT = Path(__file__).parents[2]
DEFINING = (*ROOT.glob("steps/*.py"), *ROOT.glob("pipeline/**/*.py"))
FUNCTIONS = tuple(ROOT.glob("lambda/**/*.py"))  # which cannot import it, and spell its names themselves
RUNNING = tuple(path for path in ROOT.glob("entrypoints/*.py") if path.name != "contract.py")
BOTH = {
    *("FLAG_SOURCE", "FLAG_SHA256", "FLAG_IMAGE_SIZE", "FLAG_SPLITS", "FLAG_TEST", "FLAG_DATASET", "FLAG_CANDIDATE"),
    *("FLAG_OUTPUT", "CHECKSUM", "TRAINING", "VALIDATION", "TEST", "DATASET", "WEIGHTS", "EVALUATION", "CHAMPION"),
    *("DATASET_FILE", "DATASET_HASH", "EVALUATION_FILE", "MODEL_ARCHIVE", "METRICS", "WEIGHTS_NONE"),
    *("WEIGHTS_CHANNEL", "CHECKPOINTS", "CODE_OF_A_MODEL", "PICTURE_TYPES"),
    *("JSON_TYPE", "PREPARE", "TRAIN", "INFERENCE"),
}


def used(paths: tuple[Path, ...]) -> set[str]:
    """The names of the contract that some files use."""
    nodes = (node for path in paths for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    return {
        node.attr
        for node in nodes
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "contract"
    }


def spelled() -> set[tuple[str, str]]:
    """The names of the contract that functions define again, each with its value there."""
    nodes = (node for path in FUNCTIONS for node in ast.parse(path.read_text(encoding="utf-8")).body)
    return {
        (target.id, node.value.value)
        for node in nodes
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id in vars(contract)
    }


def test_functions_spell_its_names_as_it_does() -> None:
    assert spelled()
    assert not [name for name, value in spelled() if value != getattr(contract, name)]


def test_both_sides_use_what_they_share() -> None:
    assert not BOTH - used(DEFINING)
    assert not BOTH - used(RUNNING)


def test_every_name_of_the_contract_is_used() -> None:
    inside = set(re.findall(r"\b[A-Z][A-Z0-9_]+\b", (ROOT / "entrypoints" / "contract.py").read_text(encoding="utf-8")))
    names = {name for name in vars(contract) if name.isupper()}
    functions = {name for name, _ in spelled()}
    assert not names - used(DEFINING) - used(RUNNING) - functions - {"MINIMIZE", "MAXIMIZE"} - (inside - names)


def test_processing_steps_pass_only_flags_that_their_scripts_accept() -> None:
    for processing in (step for step in read(define()).all_steps() if step.type == "Processing"):
        application = processing.arguments["AppSpecification"]
        source = (ROOT / "entrypoints" / application["ContainerEntrypoint"][-1]).read_text(encoding="utf-8")
        accepted = {getattr(contract, flag) for flag in re.findall(r"contract\.(FLAG_\w+)", source)}
        accepted |= set(re.findall(r'add_argument\("(--[a-z-]+)"', source))
        arguments = [word for word in application["ContainerArguments"] if isinstance(word, str)]
        assert {word for word in arguments if word.startswith("--")} <= accepted


@pytest.mark.parametrize(
    ("step_name", "channels"),
    [
        ("PrepareData", (contract.TRAINING, contract.VALIDATION, contract.TEST, contract.DATASET)),
        ("Tune", (contract.TRAINING, contract.VALIDATION, contract.DATASET)),
        ("Evaluate", (contract.TEST, contract.DATASET, contract.EVALUATION, contract.CHAMPION)),
    ],
)
def test_the_architecture_names_the_channels_of_a_step(step_name: str, channels: tuple[str, ...]) -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    [row] = [line for line in text.splitlines() if line.startswith(f"| {step_name} |")]
    assert set(channels) <= set(re.findall(r"[a-z]+", row))


@pytest.mark.parametrize("output", [contract.DATASET_FILE, contract.EVALUATION_FILE, contract.MODEL_ARCHIVE])
def test_the_architecture_names_what_the_steps_hand_on(output: str) -> None:
    assert output in (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
