"""A model server has its model at /opt/ml/model, what its code requires, and nothing of the daemon or the user."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pedigree.localaws.containers.runtime import ENVIRONMENT, container_runtime
from pedigree.localaws.services.sagemaker.endpoints.fleet import Fleet
from pedigree.localaws.services.sagemaker.endpoints.instances import InstanceSpec
from pedigree.localaws.services.sagemaker.endpoints.server_process import ServerSpec
from tests.support.waiting import until

CODE = """
import os, pathlib
def model_fn(folder):
    return folder
def transform_fn(model, body, kind, accept):
    try:
        pathlib.Path(model, "new").write_text("x")
    except OSError as error:
        return f"{model} {error.strerror} {os.path.exists(body.decode())}"
"""
REQUIRING = """
import of_one_model
def model_fn(folder):
    return of_one_model.VALUE
def transform_fn(model, body, kind, accept):
    return model
"""

REACHING = """
import json, socket
def model_fn(folder):
    return folder
def transform_fn(model, body, kind, accept):
    family, address = json.loads(body)
    with socket.socket(getattr(socket, family)) as own:
        own.settimeout(5)
        try:
            own.connect(tuple(address) if isinstance(address, list) else address)
        except OSError as error:
            return type(error).__name__
    return "reached"
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "model" / "code").mkdir(parents=True)
    return tmp_path / "model"


@pytest.fixture
def fleet(model: Path) -> Iterator[Fleet]:
    spec = ServerSpec(sys.executable, model, ENVIRONMENT, print, containers=container_runtime((model.parent,)))
    fleet = Fleet(InstanceSpec((spec,)))
    yield fleet
    fleet.end(0)


def test_a_model_is_read_only_at_its_real_path_and_the_rest_is_hidden(fleet: Fleet, model: Path) -> None:
    (model / "code" / "inference.py").write_text(CODE)
    fleet.resize(1)
    for path in (model, Path(__file__)):
        answer = fleet.invoke(str(path).encode(), {}).content.decode()
        assert answer == "/opt/ml/model Read-only file system False"


def isolated(model: Path, *, is_isolated: bool) -> Fleet:
    (model / "code" / "inference.py").write_text(REACHING)
    containers = container_runtime((model.parent,))
    return Fleet(InstanceSpec((ServerSpec(sys.executable, model, ENVIRONMENT, print, 60, containers, is_isolated),)))


@pytest.mark.parametrize(("is_isolated", "local"), [(True, "ConnectionRefusedError"), (False, "reached")])
def test_an_isolated_model_answers_and_reaches_nothing(model: Path, is_isolated: bool, local: str) -> None:
    fleet = isolated(model, is_isolated=is_isolated)
    name = f"\0of-another-program-{id(model)}"
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as named:
        named.bind(name)
        named.listen()
        fleet.resize(2)
        try:
            for family, address in (("AF_INET", server.getsockname()), ("AF_UNIX", name)):
                for _ in fleet.processes:
                    assert fleet.invoke(json.dumps([family, address]).encode(), {}).content.decode() == local
            if is_isolated:
                outside = json.dumps(["AF_INET", ["192.0.2.1", 80]]).encode()
                assert fleet.invoke(outside, {}).content == b"OSError"  # no route: nothing was sent
        finally:
            fleet.end(0)


def test_an_isolated_model_that_ends_is_replaced(model: Path) -> None:
    fleet = isolated(model, is_isolated=True)
    fleet.resize(1)
    (before,) = fleet.processes
    os.killpg(before, signal.SIGKILL)
    until(lambda: fleet.processes not in ([], [before]))
    assert fleet.invoke(json.dumps(["AF_INET", ["127.0.0.1", 1]]).encode(), {}).content == b"ConnectionRefusedError"
    fleet.end(0)


def test_what_a_models_code_requires_is_installed_for_it_alone(fleet: Fleet, model: Path) -> None:
    wheel = model / "code" / "of_one_model-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("of_one_model.py", "VALUE = 'installed'")
        info = "of_one_model-1.0.dist-info"
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: of-one-model\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    (model / "code" / "requirements.txt").write_text(f"--no-index\n/opt/ml/model/code/{wheel.name}\n")
    (model / "code" / "inference.py").write_text(REQUIRING)
    fleet.resize(2)
    assert fleet.invoke(b"", {}).content == b"installed"
    assert not list(Path(sys.prefix).rglob("of_one_model*"))
    fleet.end(0)
    assert [path.name for path in model.parent.iterdir()] == ["model"]
