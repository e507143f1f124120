"""A SavedModel answers as TensorFlow Serving does behind AWS's image, through the handlers of inference.py if any.

TensorFlow is too large for these tests: a module in its place has models that double numbers and shout texts.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from pedigree.localaws.services.sagemaker.endpoints import model_server
from pedigree.localaws.services.sagemaker.resources.images import PROGRAMS_FOLDER

TENSORFLOW = """
import pathlib, types
import numpy

class errors:
    class OpError(Exception):
        pass

class Tensor:
    def __init__(self, values):
        self.numpy = lambda: values

class Signature:
    def __init__(self, kinds):
        self.structured_input_signature = (), {n: types.SimpleNamespace(dtype=k) for n, k in kinds.items()}

    def __call__(self, **tensors):
        if any(tensor.dtype == object and None in tensor for tensor in tensors.values()):
            raise errors.OpError("no value")
        shout = numpy.vectorize(lambda one: one.upper(), otypes=[object])
        return {f"{n}_out": Tensor(shout(v) if v.dtype == object else 2 * v) for n, v in tensors.items()}

class saved_model:
    def load(path):
        kinds = {"number": {"x": "float32"}, "both": {"a": "int64", "s": "object"}}
        name = (pathlib.Path(path) / "saved_model.pb").read_text()
        return types.SimpleNamespace(signatures={"serving_default": Signature(kinds[name])})

def constant(value, dtype):
    if dtype == "object":
        value = [one.encode() if isinstance(one, str) else one for one in value]
    return numpy.array(value, dtype)
"""
JSON, LINES, CSV = "application/json", "application/jsonlines", "text/csv"
Ask: TypeAlias = Callable[..., tuple[int, str, Any]]


def save(folder: Path, model: str = "number", version: str = "1") -> None:
    (folder / version).mkdir(parents=True)
    (folder / version / "saved_model.pb").write_text(model)


@contextmanager
def served(tmp_path: Path, code: str = "", **variables: str) -> Iterator[Ask]:
    """A model server of the folder `model`; its answers are read as JSON."""
    (tmp_path / "tensorflow.py").write_text(TENSORFLOW)
    folder = tmp_path / "model"
    if code:
        (folder / "code").mkdir()
        (folder / "code/inference.py").write_text(textwrap.dedent(code))
    program = str(PROGRAMS_FOLDER / "tensorflow_serving.py")
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path), **variables}
    command = [sys.executable, model_server.__file__, str(folder), program]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        connection = http.client.HTTPConnection("127.0.0.1", json.loads(process.stdout.readline())["port"])

        def ask(body: str, content_type: str = JSON, accept: str = JSON) -> tuple[int, str, Any]:
            connection.request("POST", "/invocations", body, {"Content-Type": content_type, "Accept": accept})
            answer = connection.getresponse()
            return answer.status, str(answer.headers["Content-Type"]), json.loads(answer.read())

        yield ask
        connection.close()
        process.terminate()


def test_a_request_may_have_any_form_that_aws_takes(tmp_path: Path) -> None:
    save(tmp_path / "model")
    with served(tmp_path) as ask:
        expected = {"predictions": [[2.2, 4.0], [6.0, 8.0]]}
        for body, kind in (
            ('{"instances": [[1.1, 2], [3, 4]]}', JSON),
            ("[[1.1, 2], [3, 4]]", JSON),
            ("[1.1, 2]\n[3, 4]\n", JSON),
            ("[1.1, 2]\n[3, 4]\n", LINES),
            ("1.1,2\n3,4\n", CSV),
            ("1.1,2\n3,4\n", "text/csv; charset=utf-8"),
        ):
            assert ask(body, kind) == (200, JSON, expected), body
        assert ask("[1.1, 2]")[2] == {"predictions": [[2.2, 4.0]]}
        assert ask("1\n2\n", CSV)[2] == {"predictions": [2.0, 4.0]}
        assert ask('{"inputs": [[1, 2]]}')[2] == {"outputs": [[2.0, 4.0]]}
        assert ask("[1, 2]", JSON, f"{LINES},{JSON}")[:2] == (200, LINES)


def test_several_inputs_have_their_names_in_rows_or_columns(tmp_path: Path) -> None:
    save(tmp_path / "model", "both")
    with served(tmp_path) as ask:
        rows = [{"a": 1, "s": "x"}, {"a": 2, "s": {"b64": "eQ=="}}]
        expected = [{"a_out": 2, "s_out": "X"}, {"a_out": 4, "s_out": "Y"}]
        assert ask(json.dumps({"instances": rows}))[2] == {"predictions": expected}
        columns = {"a": [1], "s": ["x"]}
        assert ask(json.dumps({"inputs": columns}))[2] == {"outputs": {"a_out": [2], "s_out": ["X"]}}


@pytest.mark.parametrize(
    ("body", "kind", "status", "words"),
    [
        ("<a/>", "text/html", 415, "Unsupported Media Type: text/html"),
        ("{nonsense", JSON, 400, "Failed to process element: "),
        ('{"instances": []}', JSON, 400, "'instances' must be a list of rows"),
        ('{"instances": [["x"]]}', JSON, 400, "Failed to process element: "),
        ('{"instances": [{"y": 1}]}', JSON, 400, "inputs of the signature are ['x']; these differ: ['x', 'y']"),
        ('{"instances": [{"x": 1}, {"y": 1}]}', JSON, 400, "input not found: 'x'"),
        ('{"instances": [{"b64": "?"}]}', JSON, 400, "b64 that cannot be decoded"),
        ('{"signature_name": "no", "instances": [1]}', JSON, 400, "signature name or input not found: 'no'"),
        ('{"examples": [1]}', JSON, 400, "Missing 'inputs' or 'instances' key"),
    ],
)
def test_what_cannot_be_answered_is_an_error_in_json(
    tmp_path: Path, body: str, kind: str, status: int, words: str
) -> None:
    save(tmp_path / "model")
    with served(tmp_path) as ask:
        answered, _, document = ask(body, kind)
        assert answered == status
        assert words in document["error"]
        assert ask("[1]")[0] == 200


def test_the_newest_version_of_the_default_model_answers(tmp_path: Path) -> None:
    save(tmp_path / "model/export/first", "both", "00000001")
    save(tmp_path / "model/export/second", "both", "2")
    save(tmp_path / "model/export/second", "number", "10")
    with served(tmp_path, TFS_DEFAULT_MODEL_NAME="second") as ask:
        assert ask("[1]")[2] == {"predictions": [[2.0]]}
    with served(tmp_path) as ask:
        assert ask("[1]")[0] == 400  # the first one has two inputs


def test_handlers_stand_before_and_after_the_model(tmp_path: Path) -> None:
    save(tmp_path / "model")
    code = """
        import json

        def input_handler(data, context):
            assert context.request_content_type == "application/x-numbers", context
            return json.dumps({"instances": [float(x) for x in data.read().decode().split()]})

        def output_handler(response, context):
            if response.status_code != 200:
                raise ValueError(response.content.decode())
            return json.dumps({"total": sum(response.json()["predictions"])}), context.accept_header
        """
    with served(tmp_path, code) as ask:
        assert ask("1 2 3", "application/x-numbers") == (200, JSON, {"total": 12.0})
        status, _, document = ask("", "application/x-numbers")
        assert status == 500
        assert "must be a list of rows" in document["error"]


def test_one_handler_may_call_the_model_by_itself(tmp_path: Path) -> None:
    save(tmp_path / "model/m", version="7")
    code = """
        import requests

        def handler(data, context):
            body = data.read()
            versioned = context.rest_uri.replace(":predict", "/versions/7:predict")
            answers = [requests.post(uri, data=body) for uri in (context.rest_uri, versioned)]
            pairs = (":predict", ":classify"), ("/m:", "/n:"), ("/v1/", "/v2/"), (":predict", "/versions/8:predict")
            others = [requests.post(context.rest_uri.replace(*pair), data=body) for pair in pairs]
            assert [answer.json() for answer in answers] == [answers[0].json()] * 2
            return str([answer.status_code for answer in (*answers, *others)]), "application/json"
        """
    with served(tmp_path, code) as ask:
        assert ask('{"instances": [1]}')[2] == [200, 200, 400, 404, 404, 404]


@pytest.mark.parametrize(
    ("model", "code", "words"),
    [("", "", "no SavedModel bundles found!"), ("number", "x = 1", "Handlers are not implemented correctly")],
)
def test_what_cannot_be_served_ends_the_server_with_its_reason(
    tmp_path: Path, model: str, code: str, words: str
) -> None:
    (tmp_path / "tensorflow.py").write_text(TENSORFLOW)
    (tmp_path / "model/code").mkdir(parents=True)
    if model:
        save(tmp_path / "model", model)
    if code:
        (tmp_path / "model/code/inference.py").write_text(code)
    command = [sys.executable, model_server.__file__, str(tmp_path / "model")]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path)}
    program = str(PROGRAMS_FOLDER / "tensorflow_serving.py")
    done = subprocess.run([*command, program], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert words in done.stderr
