"""inference.py from the champion's archive, in a bare process: answers as evaluation scored it, or gives the reason."""

from __future__ import annotations

import base64
import inspect
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from drawn_pictures import CLASSES, LABELS, described, draw_split, model, network, picture
from PIL import Image

import candidates
import evaluate
import inference
import model_archive
import model_folder
import predictor
import split
from errors import DataError, ModelError

# What a server is: a process that knows the archive and AWS's four functions; here one without network and site.
SERVER = """
import base64, importlib.util, json, sys
def refuse(event, arguments):
    if event.startswith("socket."):
        raise RuntimeError(f"serving uses the network: {event} {arguments}")
sys.addaudithook(refuse)
spec = importlib.util.spec_from_file_location("inference", sys.argv[1] + "/code/inference.py")
inference = importlib.util.module_from_spec(spec)
spec.loader.exec_module(inference)
model = inference.model_fn(sys.argv[1])
for line in sys.stdin:
    request = json.loads(line)
    try:
        data = inference.input_fn(base64.b64decode(request["body"]), request["type"])
        answer = inference.output_fn(inference.predict_fn(data, model), request["accept"])
    except Exception as error:
        answer = [str(error), getattr(error, "status_code", None)]
    print(json.dumps(answer))
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model directory, out of an archive."""
    folder = tmp_path_factory.mktemp("served")
    model_folder.write(folder / "model", network(model()), model(), [])
    model_archive.pack(folder / "model", folder / "model.tar.gz")
    model_archive.unpack(folder / "model.tar.gz", folder / "opt")
    return folder / "opt"


@pytest.fixture(scope="module")
def loaded(served: Path) -> predictor.Predictor:
    return inference.model_fn(str(served))


def ask(served: Path, *requests: tuple[bytes, str], path: str = "") -> list[Any]:
    """Returns a bare process's responses to requests, each a body with its content type."""
    lines = [
        json.dumps({"body": base64.b64encode(body).decode(), "type": kind, "accept": "application/json"})
        for body, kind in requests
    ]
    done = subprocess.run(
        [sys.executable, "-c", SERVER, str(served)],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        check=True,
        cwd=served.parent,
        env={"PYTHONPATH": path, "OMP_NUM_THREADS": "1", "PATH": ""},
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def encoded(kind: int, form: str = "JPEG") -> bytes:
    buffer = io.BytesIO()
    picture(kind, 7).save(buffer, form, lossless=True)
    return buffer.getvalue()


def in_json(*contents: bytes) -> bytes:
    return json.dumps({"images": [base64.b64encode(item).decode() for item in contents]}).encode()


def test_a_bare_process_gives_the_logits_that_evaluation_saw(served: Path, tmp_path: Path) -> None:
    pictures = split.load(draw_split(tmp_path / "test", 4), CLASSES)
    champion = candidates.load("best", served.parent / "model.tar.gz", described(tmp_path / "data"), tmp_path / "work")
    logits = torch.tensor(evaluate.predict_all({"best": champion}, pictures, 5)["best"])
    contents = [path.read_bytes() for path in pictures.paths]
    one_by_one = [(content, "image/jpeg") for content in contents]
    *single, (together, content_type) = ask(served, *one_by_one, (in_json(*contents), "application/json"))
    assert content_type == "application/json"
    assert logits.std(dim=0).min() > 1e-3  # the pictures differ, so that equal logits mean something
    assert (torch.tensor(json.loads(together)["logits"]) - logits).abs().max() < 1e-5
    alone = torch.tensor([json.loads(body)["logits"][0] for body, _ in single])
    assert (alone - logits).abs().max() < 1e-5


def test_a_bare_process_refuses_with_a_message_and_continues(served: Path) -> None:
    bad, unknown, good = ask(served, (b"nothing", "image/png"), (b"1,2", "text/csv"), (encoded(0), "image/jpeg"))
    assert bad == ["picture 0 is not a picture; use JPEG, PNG, WEBP", 400]
    assert unknown[1] == 415
    assert len(json.loads(good[0])["logits"][0]) == 3


def test_in_aws_toolkit_a_callers_error_has_the_toolkits_class(served: Path, tmp_path: Path) -> None:
    # As sagemaker-inference has it: only what is of this class keeps its status, everything else becomes a 500.
    (tmp_path / "sagemaker_inference").mkdir()
    (tmp_path / "sagemaker_inference" / "__init__.py").touch()
    (tmp_path / "sagemaker_inference" / "errors.py").write_text(
        "class BaseInferenceToolkitError(Exception):\n"
        "    def __init__(self, status_code, message, phrase):\n"
        "        self.status_code, self.message, self.phrase = status_code, message, phrase\n"
    )
    ask_it = (
        "import sys; sys.path.insert(0, sys.argv[1]); import inference; from sagemaker_inference import errors\n"
        "error = inference.RequestError('what', 'do')\n"
        "assert isinstance(error, errors.BaseInferenceToolkitError)\n"
        "print(error.status_code, error.message, error.phrase, error, sep='|')"
    )
    done = subprocess.run(
        [sys.executable, "-c", ask_it, str(served / "code")],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(tmp_path)},
    )
    assert done.stdout == "400|what; do|Bad Request|what; do\n"


@pytest.mark.parametrize(("name", "count"), [("model_fn", 1), ("input_fn", 2), ("predict_fn", 2), ("output_fn", 2)])
def test_the_functions_have_as_many_parameters_as_the_toolkit_counts(name: str, count: int) -> None:
    assert len(inspect.signature(getattr(inference, name)).parameters) == count


@pytest.mark.parametrize(
    ("form", "kind"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp; q=1"), ("PNG", "IMAGE/PNG")]
)
def test_pictures_come_as_bytes(loaded: predictor.Predictor, form: str, kind: str) -> None:
    answer = inference.predict_fn(inference.input_fn(bytearray(encoded(1, form)), kind), loaded)
    assert torch.tensor(answer["logits"]).shape == (1, 3)


def test_the_form_of_a_picture_without_loss_does_not_matter(loaded: predictor.Predictor) -> None:
    item, other = (inference.predict_fn([encoded(2, form)], loaded) for form in ("PNG", "WEBP"))
    assert item == other


@pytest.mark.parametrize("kind", [str, bytes])
def test_pictures_come_as_base64_in_json(loaded: predictor.Predictor, kind: Callable[..., Any]) -> None:
    text = json.dumps({"image": base64.b64encode(encoded(1)).decode()})
    body = text if kind is str else text.encode()
    assert inference.input_fn(body, "application/json; charset=utf-8") == [encoded(1)]


def test_the_best_labels_have_their_probabilities(loaded: predictor.Predictor) -> None:
    answer, kind = inference.output_fn(inference.predict_fn([encoded(0), encoded(1)], loaded), "*/*")
    document = json.loads(answer)
    assert kind == "application/json"
    for logits, best in zip(document["logits"], document["predictions"], strict=True):
        expected = torch.tensor(logits).softmax(0)
        order = expected.argsort(descending=True).tolist()
        assert [item["class"] for item in best] == [CLASSES[index] for index in order]
        assert [item["label"] for item in best] == [LABELS[index] for index in order]
        assert [item["probability"] for item in best] == pytest.approx(expected[order].tolist())


def test_the_five_best_of_many_classes_are_returned(tmp_path: Path) -> None:
    names = tuple(f"{number:03}.Breed" for number in range(9))
    description = model(classes=names, labels=names)
    model_folder.write(tmp_path, network(description), description, [])
    answer = inference.predict_fn([encoded(0)], inference.model_fn(str(tmp_path)))
    assert (len(answer["logits"][0]), len(answer["predictions"][0])) == (9, 5)


REFUSED: dict[str, tuple[Any, str | None, int, str]] = {
    "csv": (b"1,2", "text/csv", 415, "'text/csv' is not supported; send image/jpeg"),
    "no type": (b"1,2", None, 415, "None is not supported; send"),
    "url": (b'{"url": "http://169.254.169.254/"}', "application/json", 400, "URLs are not fetched; send"),
    "url beside a picture": (b'{"url": "x", "image": ""}', "application/json", 400, "URLs are not fetched; send"),
    "no json": (b"{", "application/json", 400, "is not JSON"),
    "no text": (b"\xff\xfe\x00", "application/json", 400, "is not JSON"),
    "deep json": (b"[" * 100_000, "application/json", 400, "is not JSON"),
    "list": (b"[]", "application/json", 400, "is a JSON list; send"),
    "nothing": (b"{}", "application/json", 400, "must have either"),
    "both": (b'{"image": "", "images": []}', "application/json", 400, "must have either"),
    "no pictures": (b'{"images": []}', "application/json", 400, "not a list of 1 to 32 pictures; send"),
    "a word": (b'{"images": "abc"}', "application/json", 400, "not a list of 1 to 32 pictures; send"),
    "too many": (in_json(*[b"x"] * 33), "application/json", 400, "not a list of 1 to 32 pictures; send"),
    "a number": (b'{"image": 7}', "application/json", 400, "picture 0 is not text; send"),
    "no base64": (b'{"images": ["", "%%%"]}', "application/json", 400, "picture 1 is not base64"),
    "umlauts": ('{"image": "ÄÖ"}'.encode(), "application/json", 400, "picture 0 is not base64"),
    "text for bytes": ("abc", "image/png", 400, "is text and not image/png; send"),
    "too large": (bytes(inference.MAX_BYTES + 1), "image/png", 400, "more than 26214400; send"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_an_invalid_request_is_refused_with_a_message(what: str) -> None:
    body, kind, status, words = REFUSED[what]
    with pytest.raises(inference.RequestError) as caught:
        inference.input_fn(body, kind)
    assert words in str(caught.value)
    assert "; " in str(caught.value)
    assert caught.value.status_code == status


def many_pixels() -> bytes:
    buffer = io.BytesIO()
    Image.new("1", (10_000, 5_001)).save(buffer, "PNG")
    return buffer.getvalue()


def other_format() -> bytes:
    buffer = io.BytesIO()
    picture(0, 0).save(buffer, "TIFF")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is not a picture"),
        (b"<svg/>", "is not a picture"),
        (encoded(0)[:200], "cannot be decoded"),
        (many_pixels(), "more than 50000000; make it smaller"),
        (other_format(), "is not a picture; use JPEG, PNG, WEBP"),
    ],
)
def test_an_invalid_picture_is_refused_with_its_index(loaded: predictor.Predictor, content: bytes, words: str) -> None:
    with pytest.raises(DataError, match=f"picture 1 .*{words}"):
        inference.predict_fn([encoded(0), content], loaded)


@pytest.mark.parametrize("accept", ["text/csv", "image/png, text/html"])
def test_an_answer_that_is_not_json_is_refused(accept: str) -> None:
    with pytest.raises(inference.RequestError, match="; accept application/json") as caught:
        inference.output_fn({}, accept)
    assert caught.value.status_code == 406


@pytest.mark.parametrize("accept", [None, "", "*/*", "application/json", "text/html, application/json;q=0.9"])
def test_an_answer_in_json_is_given(accept: str | None) -> None:
    assert inference.output_fn({"logits": []}, accept) == ('{"logits": []}', "application/json")


def test_a_directory_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"model\.json cannot be read"):
        inference.model_fn(str(tmp_path))
