"""The XGBoost image serves what its training writes, and what scripts have saved, as AWS's container does."""

from __future__ import annotations

import http.client
import json
import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
import xgboost_serving
from xgboost_jobs import drawn, linear

from sagemaker_containers._errors import UnsupportedFormatError
from sagemaker_xgboost_container.algorithm_mode.serve_utils import InferenceError

FEATURES = drawn(50, 4, 1)
NUMBERS = linear(FEATURES)
CSV = "\n".join(",".join("" if np.isnan(value) else repr(float(value)) for value in row) for row in FEATURES[:3])
LIBSVM = "\n".join(
    "0 " + " ".join(f"{n}:{float(value)!r}" for n, value in enumerate(row) if not np.isnan(value))
    for row in FEATURES[:3]
)
MODEL_SERVER = Path(__file__).parents[2] / "pedigree/localaws/services/sagemaker/endpoints/model_server.py"
INFERENCE = """
import os, xgboost
import sagemaker_xgboost_container.encoder as xgb_encoders
def model_fn(folder):
    return xgboost.Booster(model_file=os.path.join(folder, "xgboost-model"))
"""


def trained(objective: str, labels: Any, rounds: int = 5, **parameters: Any) -> xgboost.Booster:
    data = xgboost.DMatrix(FEATURES, label=labels)
    return xgboost.train({"objective": objective, "max_depth": 3, **parameters}, data, rounds)


def predicted(model: xgboost.Booster) -> Any:
    return model.predict(xgboost.DMatrix(FEATURES[:3]))


def answer(folder: Path, body: str, content_type: str = "text/csv", accept: str = "") -> tuple[Any, str]:
    """What the model server does with one request."""
    model = xgboost_serving.model_fn(str(folder))
    data = xgboost_serving.input_fn(body.encode(), content_type)
    content, kind = xgboost_serving.output_fn(xgboost_serving.predict_fn(data, model), accept)
    return (content.decode() if isinstance(content, bytes) else content), kind


@pytest.fixture
def regression(tmp_path: Path) -> xgboost.Booster:
    model = trained("reg:squarederror", NUMBERS)
    (tmp_path / "xgboost-model").write_bytes(model.save_raw("ubj"))
    return model


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (CSV, "text/csv"),
        (CSV + "\n", "text/csv; charset=utf-8"),
        (CSV.replace(",", ";"), "csv"),
        (LIBSVM, "text/libsvm"),
        (LIBSVM, "text/x-libsvm"),
    ],
)
@pytest.mark.parametrize("accept", ["", "*/*", "text/csv"])
def test_a_request_of_each_type_is_answered_by_lines(
    tmp_path: Path, regression: xgboost.Booster, body: str, content_type: str, accept: str
) -> None:
    content, kind = answer(tmp_path, body, content_type, accept)
    assert kind == "text/csv"
    np.testing.assert_allclose([float(line) for line in content.splitlines()], predicted(regression), atol=1e-6)


def test_libsvm_that_counts_from_one_is_answered_as_csv_is(tmp_path: Path, regression: xgboost.Booster) -> None:
    from_one = "\n".join(
        "0 " + " ".join(f"{n}:{float(value)!r}" for n, value in enumerate(row, 1) if not np.isnan(value))
        for row in FEATURES[:3]
    )
    assert answer(tmp_path, from_one, "text/libsvm") == answer(tmp_path, CSV)


def test_an_answer_can_be_json(tmp_path: Path, regression: xgboost.Booster) -> None:
    content, kind = answer(tmp_path, CSV, accept="application/json")
    assert kind == "application/json"
    assert json.loads(content) == {"predictions": [{"score": value} for value in predicted(regression).tolist()]}


def test_probabilities_are_a_row_of_csv(tmp_path: Path) -> None:
    model = trained("multi:softprob", np.digitize(NUMBERS, [-1, 1]), num_class=3)
    (tmp_path / "xgboost-model").write_bytes(model.save_raw("ubj"))
    content, _ = answer(tmp_path, CSV)
    np.testing.assert_allclose(np.loadtxt(content.splitlines(), delimiter=","), predicted(model), atol=1e-6)


def test_a_transform_job_has_a_line_for_each_row(
    tmp_path: Path, regression: xgboost.Booster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAGEMAKER_BATCH", "true")
    assert answer(tmp_path, CSV, accept="application/json")[0] == "".join(
        f"{value}\n" for value in predicted(regression).tolist()
    )


def test_an_image_before_1_3_joins_its_answers_by_commas(
    tmp_path: Path, regression: xgboost.Booster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAGEMAKER_XGBOOST_VERSION", "1.0-1")
    assert answer(tmp_path, CSV, accept="application/json") == (
        ",".join(map(str, predicted(regression).tolist())),
        "text/csv",
    )


def test_a_pickled_model_is_served(tmp_path: Path) -> None:
    model = trained("reg:squarederror", NUMBERS)
    (tmp_path / "xgboost-model").write_bytes(pickle.dumps(model))
    (tmp_path / "code").mkdir()
    assert float(answer(tmp_path, CSV)[0].splitlines()[0]) == pytest.approx(predicted(model)[0], abs=1e-6)


def test_a_model_that_ended_early_predicts_by_its_best_rounds(tmp_path: Path) -> None:
    model = trained("reg:squarederror", NUMBERS, rounds=20)
    model.set_attr(best_iteration="3")
    (tmp_path / "xgboost-model").write_bytes(model.save_raw("ubj"))
    expected = model.predict(xgboost.DMatrix(FEATURES[:3]), iteration_range=(0, 4))
    assert [float(line) for line in answer(tmp_path, CSV)[0].splitlines()] == expected.tolist()


def test_the_models_of_a_folder_answer_their_mean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models = [trained("reg:squarederror", NUMBERS + shift) for shift in (0, 6)]
    for number, model in enumerate(models):
        (tmp_path / f"xgboost-model-{number}").write_bytes(model.save_raw("ubj"))
    values = [float(line) for line in answer(tmp_path, CSV)[0].splitlines()]
    np.testing.assert_allclose(values, np.mean([predicted(model) for model in models], axis=0), atol=1e-5)
    monkeypatch.setenv("SAGEMAKER_INFERENCE_ENSEMBLE", "false")
    assert float(answer(tmp_path, CSV)[0].splitlines()[0]) == pytest.approx(predicted(models[0])[0], abs=1e-6)


def test_the_models_of_classes_vote(tmp_path: Path) -> None:
    models = [trained("multi:softmax", labels, num_class=3) for labels in ([1] * 50, [2] * 50, [1] * 50)]
    for number, model in enumerate(models):
        (tmp_path / f"xgboost-model-{number}").write_bytes(model.save_raw("ubj"))
    assert answer(tmp_path, CSV)[0] == "1.0\n1.0\n1.0\n"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("application/json", '{{"predictions": [{{"predicted_label": {0}, "probabilities": [{1}, {2}]}}'),
        ("application/jsonlines", '{{"predicted_label": {0}, "probabilities": [{1}, {2}]}}\n'),
        ("text/csv", '{0},"[{1}, {2}]"\n'),
    ],
)
def test_an_answer_has_what_its_environment_selects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, accept: str, expected: str
) -> None:
    model = trained("binary:logistic", NUMBERS > 0)
    (tmp_path / "xgboost-model").write_bytes(model.save_raw("ubj"))
    monkeypatch.setenv("SAGEMAKER_INFERENCE_OUTPUT", "predicted_label, probabilities")
    probability = predicted(model).tolist()[0]
    words = expected.format(int(probability > 0.5), 1 - probability, probability)
    assert answer(tmp_path, CSV, accept=accept)[0].startswith(words)


def test_what_an_objective_does_not_give_is_nan(
    tmp_path: Path, regression: xgboost.Booster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAGEMAKER_INFERENCE_OUTPUT", "predicted_score,labels")
    assert answer(tmp_path, CSV)[0].splitlines()[0] == f"{predicted(regression).tolist()[0]},nan"


@pytest.mark.parametrize(
    ("body", "content_type", "accept", "status", "message"),
    [
        ("", "text/csv", "", 204, ""),
        ("1,x", "text/csv", "", 415, "Loading csv data failed with Exception, please ensure data is in csv format:"),
        ("{}", "application/json", "", 415, "application/json is not an accepted ContentType: csv, libsvm, parquet"),
        ("x", "application/x-recordio-protobuf", "", 415, "the local AWS reads no recordio-protobuf"),
        ("1,2,3,4,5,6", "text/csv", "", 400, "Unable to evaluate payload provided: "),
        (CSV, "text/csv", "text/html", 406, "Accept type text/html is not supported. Please use supported accept"),
    ],
)
def test_an_error_has_the_status_and_the_words_of_the_container(
    tmp_path: Path,
    regression: xgboost.Booster,
    body: str,
    content_type: str,
    accept: str,
    status: int,
    message: str,
) -> None:
    with pytest.raises(InferenceError) as raised:
        answer(tmp_path, body, content_type, accept)
    assert raised.value.status_code == status
    assert message in str(raised.value)


def test_a_file_that_is_no_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(RuntimeError, match=r"notes.txt cannot be loaded:\nPickle load error="):
        xgboost_serving.model_fn(str(tmp_path))


@contextmanager
def served(folder: Path) -> Iterator[http.client.HTTPConnection]:
    """A connection to a model server of the folder."""
    command = [sys.executable, str(MODEL_SERVER), str(folder), xgboost_serving.__file__]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        connection = http.client.HTTPConnection("127.0.0.1", json.loads(process.stdout.readline())["port"])
        yield connection
        connection.close()
        process.terminate()


def invoked(connection: http.client.HTTPConnection, body: str, **headers: str) -> tuple[int, str, str]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("POST", "/invocations", body.encode(), sent)
    response = connection.getresponse()
    return response.status, response.headers["Content-Type"], response.read().decode()


def test_the_model_server_reads_libsvm_and_answers_csv_unless_the_request_names_types(
    tmp_path: Path, regression: xgboost.Booster
) -> None:
    values = predicted(regression).tolist()
    by_lines = "".join(f"{value}\n" for value in values)
    with served(tmp_path) as connection:
        assert invoked(connection, CSV, Content_Type="text/csv") == (200, "text/csv", by_lines)
        assert invoked(connection, LIBSVM) == (200, "text/csv", by_lines)
        assert invoked(connection, LIBSVM, Content_Type="text/libsvm", Accept="*/*") == (200, "text/csv", by_lines)
        status, kind, content = invoked(connection, CSV, Content_Type="text/csv", Accept="application/json")
        assert (status, kind) == (200, "application/json")
        assert json.loads(content) == {"predictions": [{"score": value} for value in values]}
        assert invoked(connection, "a,b", Content_Type="text/csv")[0] == 415


def test_the_model_server_takes_the_functions_that_a_models_code_lacks(
    tmp_path: Path, regression: xgboost.Booster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAGEMAKER_PROGRAM", "inference.py")
    (tmp_path / "code").mkdir()
    (tmp_path / "code/inference.py").write_text(INFERENCE)
    with served(tmp_path) as connection:
        status, kind, content = invoked(connection, CSV, Content_Type="text/csv")
    assert (status, kind, json.loads(content)) == (200, "application/json", predicted(regression).tolist())


class TestWithCode:
    """The defaults for what a model's own code lacks."""

    @pytest.fixture(autouse=True)
    def _program(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SAGEMAKER_PROGRAM", "inference.py")

    def test_the_code_must_load_the_model(self, tmp_path: Path) -> None:
        with pytest.raises(NotImplementedError, match="Please provide a model_fn implementation"):
            xgboost_serving.model_fn(str(tmp_path))

    @pytest.mark.parametrize(
        ("accept", "kind"),
        [("", "application/json"), ("application/json", "application/json"), ("text/csv", "text/csv")],
    )
    def test_a_dmatrix_goes_in_and_an_array_comes_out(self, accept: str, kind: str) -> None:
        model = trained("reg:squarederror", NUMBERS)
        prediction = xgboost_serving.predict_fn(xgboost_serving.input_fn(LIBSVM.encode(), "text/libsvm"), model)
        np.testing.assert_allclose(prediction, predicted(model), atol=1e-6)
        content, answered = xgboost_serving.output_fn(prediction, accept)
        assert answered == kind
        values = json.loads(content) if kind == "application/json" else [float(line) for line in content.split()]
        np.testing.assert_allclose(values, predicted(model), atol=1e-6)

    def test_a_type_that_only_the_code_could_read_is_refused(self) -> None:
        with pytest.raises(UnsupportedFormatError, match="Please implement input_fn") as raised:
            xgboost_serving.input_fn(b"{}", "application/json")
        assert raised.value.status_code == 415
