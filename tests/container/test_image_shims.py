"""The modules of AWS's images that are on no index have the names that public scripts import."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import numpy as np
import pytest
import xgboost
from xgboost_jobs import SECONDS, Job, drawn, linear, write_csv

import sagemaker_containers
import sagemaker_xgboost_container.encoder as xgb_encoders
from sagemaker_containers.beta.framework import content_types, encoders, env, errors, worker
from sagemaker_xgboost_container import checkpointing
from sagemaker_xgboost_container.data_utils import get_dmatrix


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("sagemaker_containers", "training_env entry_point"),
        ("sagemaker_containers.entry_point", "_wait_hostname_resolution run"),
        (
            "sagemaker_containers.beta.framework",
            "content_types encoders env errors modules server training_env transformer worker",
        ),
        ("sagemaker_algorithm_toolkit.exceptions", "AlgorithmError PlatformError UserError"),
        ("sagemaker_xgboost_container.encoder", "csv_to_dmatrix decode json_to_jsonlines libsvm_to_dmatrix"),
        ("sagemaker_xgboost_container.data_utils", "get_content_type get_dmatrix get_libsvm_dmatrix get_size"),
        ("sagemaker_xgboost_container.distributed", "rabit_run wait_hostname_resolution"),
        ("sagemaker_xgboost_container.checkpointing", "SaveCheckpoint load_checkpoint save_checkpoint train"),
        ("sagemaker_xgboost_container.constants.sm_env_constants", "SM_HOSTS SM_MODEL_DIR"),
        ("sagemaker_xgboost_container.constants.xgb_constants", "MODEL_NAME"),
        ("sagemaker_xgboost_container.constants.xgb_content_types", "LIBSVM X_LIBSVM"),
    ],
)
def test_a_module_has_the_names_that_scripts_import(module: str, names: str) -> None:
    importlib.import_module("sagemaker_containers.entry_point")
    assert [name for name in names.split() if not hasattr(importlib.import_module(module), name)] == []


def test_an_unused_module_says_that_it_is_absent_when_it_is_used() -> None:
    from sagemaker_containers.beta.framework import modules

    with pytest.raises(AttributeError, match=r"the local AWS has no .*\.framework\.modules\.run"):
        modules.run()


def test_csv_and_libsvm_become_the_same_matrix() -> None:
    csv, libsvm = xgb_encoders.csv_to_dmatrix("1,,3\n4,5,6"), xgb_encoders.libsvm_to_dmatrix(b"7 0:1 2:3\n0:4 1:5 2:6")
    assert (csv.get_data() != libsvm.get_data()).nnz == 0
    assert csv.num_row() == 2


@pytest.mark.parametrize("text", ["42,6,9", b"42.0,6.0,9.0", "42;6;9"])
def test_a_row_of_csv_is_three_features(text: str | bytes) -> None:
    assert xgb_encoders.csv_to_dmatrix(text).num_col() == 3


def test_recordio_is_refused_with_what_to_use() -> None:
    with pytest.raises(ValueError, match="reads no recordio-protobuf; give the data as text/csv"):
        xgb_encoders.decode(b"x", "application/x-recordio-protobuf")


def test_a_document_with_one_list_becomes_lines() -> None:
    document = {"predictions": [{"score": 1}, {"score": 2}]}
    assert xgb_encoders.json_to_jsonlines(json.dumps(document)) == b'{"score": 1}\n{"score": 2}\n'
    with pytest.raises(ValueError, match="not compatible for conversion to jsonlines"):
        xgb_encoders.json_to_jsonlines({"a": [], "b": []})


def test_a_folder_becomes_a_matrix_for_a_script(tmp_path: Path) -> None:
    (tmp_path / "a.libsvm").write_text("1:0.5 qid:1 1:2\n0:2 qid:1 3:4  # a comment\n")
    data = get_dmatrix(str(tmp_path), "libsvm")
    assert data is not None
    assert (data.num_row(), data.num_col(), data.get_weight().tolist()) == (2, 4, [0.5, 2])
    assert get_dmatrix(str(tmp_path / "none"), "csv") is None


@pytest.mark.parametrize("content_type", [content_types.JSON, content_types.CSV, content_types.NPY])
def test_arrays_are_encoded_and_decoded(content_type: str) -> None:
    decoded = encoders.decode(encoders.encode(np.array([[1.5, 2], [3, 4]]), content_type), content_type)
    assert decoded.astype(float).tolist() == [[1.5, 2], [3, 4]]


def test_an_array_of_numbers_is_a_column_of_csv() -> None:
    assert encoders.encode([0.25, 1.0], "text/csv") == "0.25\n1.0\n"
    with pytest.raises(errors.UnsupportedFormatError):
        encoders.encode([1], "text/html")


def test_a_response_is_what_the_model_server_takes() -> None:
    response = worker.Response("[1]", mimetype="text/csv")
    assert isinstance(response, tuple)
    assert tuple(response) == ("[1]", "text/csv")
    assert (response.get_data(), response.status_code, worker.Response("").mimetype) == (
        b"[1]",
        200,
        "application/json",
    )


def test_a_script_reads_its_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    config = tmp_path / "input/config"
    config.mkdir(parents=True)
    (config / "resourceconfig.json").write_text('{"current_host": "algo-2", "hosts": ["algo-1", "algo-2"]}')
    (config / "hyperparameters.json").write_text('{"max_depth": "5", "name": "x", "sagemaker_program": "train.py"}')
    (config / "inputdataconfig.json").write_text('{"train": {}}')
    read = sagemaker_containers.training_env()
    assert (read.hosts, read.is_master, read.master_hostname) == (["algo-1", "algo-2"], False, "algo-1")
    assert read["hyperparameters"]["max_depth"] == dict(read)["hyperparameters"]["max_depth"] == 5
    assert read.channel_input_dirs == {"train": str(tmp_path / "input/data/train")}
    assert (read.module_name, env.ServingEnv().user_entry_point) == ("train", "train.py")


def test_a_script_trains_with_checkpoints(tmp_path: Path) -> None:
    data = xgboost.DMatrix(np.arange(20.0).reshape(10, 2), label=np.arange(10.0))
    for rounds in (3, 8):
        model = checkpointing.train({"params": {}, "dtrain": data, "num_boost_round": rounds}, str(tmp_path))
        assert model.num_boosted_rounds() == rounds
    assert checkpointing.load_checkpoint(str(tmp_path)) == (str(tmp_path / "xgboost-checkpoint.7"), 8)


def test_checkpoints_of_a_script_are_numbered_on(tmp_path: Path) -> None:
    data = xgboost.DMatrix(np.arange(20.0).reshape(10, 2), label=np.arange(10.0))
    for _ in range(2):
        xgboost.train({}, data, 2, callbacks=[checkpointing.save_checkpoint(str(tmp_path))])
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"xgboost-checkpoint.{number}" for number in range(4)]


SCRIPT = """
import json, os, sys
import xgboost as xgb
from sagemaker_containers import entry_point
from sagemaker_xgboost_container import distributed
from sagemaker_xgboost_container.data_utils import get_dmatrix

def train(params, dtrain, rounds, is_master):
    booster = xgb.train(params, dtrain, rounds, evals=[(dtrain, "train")])
    if is_master:
        booster.save_model(os.path.join(os.environ["SM_MODEL_DIR"], "model.ubj"))

if __name__ == "__main__":
    data = get_dmatrix(os.environ["SM_CHANNEL_TRAIN"], "csv")
    entry_point._wait_hostname_resolution()
    distributed.rabit_run(
        exec_fun=train,
        args={"params": {"tree_method": "hist"}, "dtrain": data, "rounds": 3},
        include_in_training=data is not None,
        hosts=json.loads(os.environ["SM_HOSTS"]),
        current_host=os.environ["SM_CURRENT_HOST"],
        update_rabit_args=True,
    )
"""


def test_a_script_trains_on_two_hosts(tmp_path: Path) -> None:
    hosts = [f"127.{tmp_path.stat().st_ino % 200 + 10}.9.{number}" for number in (1, 2)]
    jobs = [Job(tmp_path / host) for host in hosts]
    features = drawn(60, 3, 1)
    for number, job in enumerate(jobs):
        write_csv(job.channel("train") / "part.csv", linear(features)[number::2], features[number::2])
        job.configure({"sagemaker_program": "train.py"}, resources={"hosts": hosts, "current_host": hosts[number]})
        for name in ("code", "model", "output"):
            (job.root / name).mkdir()
        (job.root / "code/train.py").write_text(SCRIPT)
    started = [job.start("script_mode") for job in jobs]
    ended = [process.communicate(timeout=SECONDS) for process in started]
    assert [process.returncode for process in started] == [0, 0], ended
    assert [[path.name for path in (job.root / "model").iterdir()] for job in jobs] == [["model.ubj"], []]
    assert "[2]\ttrain-rmse:" in "".join(ended[0])
