"""A model's code may lack functions, as with the framework's own toolkit, and require packages."""

from __future__ import annotations

import http.client
import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pedigree.localaws.services.sagemaker.endpoints import model_server
from pedigree.localaws.services.sagemaker.endpoints.fleet import Fleet
from pedigree.localaws.services.sagemaker.endpoints.instances import InstanceSpec
from pedigree.localaws.services.sagemaker.endpoints.server_process import InstanceError, ServerSpec
from pedigree.localaws.services.sagemaker.resources.images import PROGRAMS_FOLDER
from tests.support import programs

defaults, formats = programs.load("pytorch_serving"), programs.load("array_formats")
ROWS = [[1.0, 2.0], [3.0, 4.0]]
WHOLE = """
def model_fn(folder):
    return "model"
def transform_fn(model, body, kind, accept):
    return model, accept
"""
Serve = Callable[..., Fleet]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Have a fleet of one server for a model's code."""
    fleets: list[Fleet] = []

    def begun(code: str, requirements: str = "") -> Fleet:
        (tmp_path / "code").mkdir()
        (tmp_path / "code" / "inference.py").write_text(code)
        if requirements:
            (tmp_path / "code" / "requirements.txt").write_text(requirements)
        fleets.append(Fleet(InstanceSpec((ServerSpec(sys.executable, tmp_path, {}, lambda _line: None),))))
        fleets[0].resize(1)
        return fleets[0]

    yield begun
    for fleet in fleets:
        fleet.end(0)


@pytest.mark.parametrize("sent", [formats.JSON, formats.CSV, formats.NPY])
@pytest.mark.parametrize("accepted", [formats.JSON, formats.CSV, formats.NPY])
def test_what_is_written_is_read_again(sent: str, accepted: str) -> None:
    array = formats.decoded(formats.encoded(np.array(ROWS), sent), f"{sent}; charset=utf-8")
    content, kind = defaults.output_fn(array, f"image/png, {accepted};q=0.9")
    assert (formats.decoded(content, kind).tolist(), kind) == (ROWS, accepted)


def test_numbers_of_arrays_are_written_wherever_they_stand() -> None:
    prediction = {"label": np.int64(3), "scores": [np.float32(0.5)], "all": np.array([1])}
    assert json.loads(formats.encoded(prediction, formats.JSON)) == {"label": 3, "scores": [0.5], "all": [1]}


@pytest.mark.parametrize(
    "tried", [lambda: formats.decoded(b"", "image/png"), lambda: defaults.output_fn([1], "image/png")]
)
def test_a_type_that_only_the_models_code_could_know_is_refused(tried: Callable[[], Any]) -> None:
    with pytest.raises(formats.UnsupportedTypeError, match="image/png is not one of") as refused:
        tried()
    assert refused.value.status_code == 415


def test_an_array_of_objects_is_never_unpickled() -> None:
    body = io.BytesIO()
    np.save(body, np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="pickle"):
        formats.decoded(body.getvalue(), formats.NPY)


def test_transform_fn_takes_the_place_of_the_three(serve: Serve) -> None:
    assert serve(WHOLE).invoke(b"x", {"Accept": "text/plain"}).content == b"model"


@pytest.mark.parametrize(
    ("code", "requirements", "message"),
    [
        (
            f"{WHOLE}def predict_fn(data, model):\n    return data\n",
            "",
            "has a transform_fn, so it cannot have input_fn",
        ),
        (
            'raise ValueError("an old model\\n\\nStack trace:\\n  (8) of a library")\n',
            "",
            ": ValueError: an old model$",
        ),
        ("def predict_fn(data, model):\n    return data\n", "", "there is no model.pt"),
        (
            WHOLE,
            "no-such-package-anywhere==1\n",
            "code/requirements.txt asks for what .* lacks: .*no-such-package-anywhere",
        ),
    ],
)
def test_a_model_that_cannot_be_served_says_why(serve: Serve, code: str, requirements: str, message: str) -> None:
    with pytest.raises(InstanceError, match=message):
        serve(code, requirements)


def test_requirements_that_are_met_stop_nothing(serve: Serve) -> None:
    assert serve(WHOLE, "numpy\n").invoke(b"x", {}).status == 200


@pytest.fixture(scope="module")
def serving_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a model server."""
    folder = tmp_path_factory.mktemp("model")
    (folder / "code").mkdir()
    (folder / "code" / "inference.py").write_text(WHOLE)
    words = [sys.executable, str(Path(model_server.__file__)), str(folder), str(PROGRAMS_FOLDER / "pytorch_serving.py")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["port"]
        process.terminate()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "127.0.0.1"}, 200),
        ({"Host": "localhost:{port}"}, 200),
        ({"Host": "127.0.0.1:{port}"}, 200),
        ({"Host": "rebound.example:{port}"}, 403),
        ({"Host": "127.0.0.1:1"}, 403),
        ({}, 403),
        ({"Host": "127.0.0.1:{port}", "Origin": "https://page.example"}, 403),
        ({"Host": "127.0.0.1", "Content-Length": "-1"}, 403),
        ({"Host": "127.0.0.1", "Content-Length": "999999999999"}, 413),
    ],
)
def test_a_page_in_a_browser_reaches_no_model(serving_port: int, headers: dict[str, str], status: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", serving_port, timeout=30)
    connection.putrequest("POST", "/invocations", skip_host=True)
    for name, value in {"Content-Length": "2", "Content-Type": "application/json", **headers}.items():
        connection.putheader(name, value.format(port=serving_port))
    connection.endheaders()
    connection.send(b"{}")
    assert connection.getresponse().status == status
    connection.close()
