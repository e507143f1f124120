"""The functions spell the names of event fields and outputs themselves; these tests compare both sides."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from botocore.loaders import Loader
from botocore.model import ServiceModel

from entrypoints import contract
from steps import await_endpoint, configure_autoscaling, deploy_endpoint
from tests.functions.events import approval_event, callback, deploy_event, record, scale_event
from tests.functions.running import deploy, process, scale
from tests.support.definitions import define, step
from tests.support.fakes.account import PACKAGE, FakeAccount

FOLDER = Path(__file__).parents[2] / "lambda"
README = (FOLDER / "README.md").read_text(encoding="utf-8")
CALLING = ("deploy_endpoint", "await_endpoint", "configure_autoscaling")
FUNCTIONS = (*CALLING, "predict")  # which signs its one request itself, and has one more for S3
FOLDERS = {"deploying", "predicting", "shared"}
ALLOWED = {"boto3", "botocore", *FOLDERS}


class RecordingEvent(dict[str, Any]):
    """An event that records which fields are read."""

    def __init__(self, event: dict[str, Any]) -> None:
        super().__init__(event)
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return super().get(name, default)


def declared(name: str) -> set[str]:
    """Returns the outputs that a step of the definition declares."""
    return {item["OutputName"] for item in step(define(), name)["OutputParameters"]}


def test_deploy_endpoint_reads_every_argument_of_its_step_and_returns_the_declared_outputs() -> None:
    event = RecordingEvent(deploy_event(capture_percent=1))
    result = deploy(FakeAccount(), event)
    assert event.names - {contract.AWAIT_QUEUE_URL} == event.keys()
    assert result.keys() == declared("DeployEndpoint") == set(deploy_endpoint.RESULTS)
    assert all(isinstance(value, str) for value in result.values())


def test_deploy_endpoint_reads_every_field_of_the_approval_rule() -> None:
    account = FakeAccount()
    account.register(PACKAGE, later=True)
    event = RecordingEvent(approval_event(capture_percent=1))
    deploy(account, event)
    assert event.names == event.keys()


def test_configure_autoscaling_reads_every_argument_of_its_step_and_returns_the_declared_outputs() -> None:
    account = FakeAccount()
    deploy(account, deploy_event())
    account.settle()
    event = RecordingEvent(scale_event())
    result = scale(account, event)
    assert event.names == event.keys()
    assert result.keys() == declared("ConfigureAutoscaling") == set(configure_autoscaling.RESULTS)


def test_await_endpoint_reads_the_message_of_its_step_and_returns_the_declared_outputs() -> None:
    account = FakeAccount()
    token = callback()["token"]
    account.sagemaker.tokens[token] = ""
    name = deploy(account, deploy_event())[contract.ENDPOINT_CONFIG_NAME]
    account.settle()
    assert process(account, record(endpoint_config_name=name)) == []
    assert account.sagemaker.answers[token].keys() == declared("AwaitEndpoint") == set(await_endpoint.RESULTS)


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda path: str(path.relative_to(FOLDER)))
def test_a_function_imports_only_lambdas_libraries_and_its_own_folders(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 11))
    assert set(_imported(tree)) <= sys.stdlib_module_names | ALLOWED


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_has_the_same_handler_name(name: str) -> None:
    tree = ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))
    (handler,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "handler"]
    assert [argument.arg for argument in handler.args.args] == ["event", "context"]


def test_the_readme_lists_the_calls_of_each_function() -> None:
    rows = re.findall(r"^\| (\w+) \| ([a-z0-9-]+) \| (.+) \|$", README, re.MULTILINE)
    own = [row for row in rows if row[0] in CALLING]
    documented = {(function, service, item) for function, service, listed in own for item in listed.split(", ")}
    assert documented == {(name, *call) for name in CALLING for path in package(name) for call in _calls(path)}


def test_a_package_contains_what_its_function_imports() -> None:
    rows = re.findall(r"^\| (\w+) \| (\1\.py[^|]*) \|", README, re.MULTILINE)
    documented = {function: set(listed.split(", ")) for function, listed in rows}
    folders = {name: {f"{path.parent.name}/" for path in package(name)[1:]} for name in FUNCTIONS}
    assert {name: {f"{name}.py", *folders[name]} for name in FUNCTIONS} == {
        name: documented[name] for name in FUNCTIONS
    }


def package(name: str) -> list[Path]:
    """Returns the files of a function: its own, and those of the folders that it imports."""
    own = FOLDER / f"{name}.py"
    folders = FOLDERS & set(_imported(ast.parse(own.read_text(encoding="utf-8"))))
    return [own, *(path for folder in sorted(folders) for path in sorted((FOLDER / folder).glob("*.py")))]


def _calls(path: Path) -> Iterator[tuple[str, str]]:
    """Yields the service and operation of each call in a file: two strings, one after the other."""
    calls = (node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call))
    for call in calls:
        texts = [str(item.value) for item in call.args if isinstance(item, ast.Constant)]
        if len(texts) > 1 and texts[0] in operations():
            yield texts[0], operations()[texts[0]][texts[1]]


@cache
def operations() -> dict[str, dict[str, str]]:
    """Returns the operations of each service that the fake account has, by boto3's names."""
    loader = Loader()
    models = {name: ServiceModel(loader.load_service_model(name, "service-2"), name) for name in FakeAccount().services}
    return {name: {xform_name(item): item for item in model.operation_names} for name, model in models.items()}


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]
