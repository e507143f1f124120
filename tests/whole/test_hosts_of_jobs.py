"""The hosts of a training job in their own environment: torch finds the others by name, and pip changes nothing."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.client_jobs import USERS, RunningDaemon, running_daemon
from tests.support.loopback import free_port

CONTAINER = Path(__file__).parents[2] / ".venv-container"


@pytest.fixture(scope="module", params=list(USERS))
def running(request: pytest.FixtureRequest) -> Iterator[RunningDaemon]:
    with running_daemon(USERS[request.param], CONTAINER.resolve()) as running:
        yield running


REDUCE = """
import json
import torch
import torch.distributed as distributed
cluster = json.load(open("/opt/ml/input/config/resourceconfig.json"))
rank = cluster["hosts"].index(cluster["current_host"])
distributed.init_process_group("gloo", rank=rank, world_size=len(cluster["hosts"]))
values = torch.tensor([10.0 ** rank])
distributed.all_reduce(values)
print(cluster["current_host"], values.item())
distributed.destroy_process_group()
"""


@pytest.mark.parametrize("isolated", [False, True], ids=["machine's network", "isolated network"])
def test_hosts_reduce_a_tensor_with_gloo(running: RunningDaemon, isolated: bool) -> None:
    name = f"reduce-{isolated}"
    address = {"MASTER_ADDR": "algo-1", "MASTER_PORT": str(free_port())}
    running.jobs.train(name, REDUCE, hosts=3, Environment=address, EnableNetworkIsolation=isolated)
    lines = (line for line in running.jobs.completed(name) if line.startswith("algo-"))
    assert sorted(lines) == ["algo-1 111.0", "algo-2 111.0", "algo-3 111.0"]


def wheel(name: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(f"{name}.py", "where = __file__")
        archive.writestr(f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(
            f"{name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{name}-1.0.dist-info/RECORD", "")
    return content.getvalue()


def source(files: Mapping[str, bytes]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return content.getvalue()


def train_with_toolkit(
    running: RunningDaemon, name: str, files: Mapping[str, bytes], hosts: int = 1, **parameters: object
) -> None:
    running.jobs.put(f"{name}/sourcedir.tar.gz", source(files))
    image = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.3-cpu-py311"
    script = {"sagemaker_program": "train.py", "sagemaker_submit_directory": f"s3://bucket/{name}/sourcedir.tar.gz"}
    running.jobs.create(
        name,
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": hosts, "VolumeSizeInGB": 1},
        AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"},
        HyperParameters={key: json.dumps(value) for key, value in {**script, **parameters}.items()},
    )


def test_requirements_of_one_job_are_not_there_for_the_next_one(running: RunningDaemon) -> None:
    requirements = {"requirements.txt": b"--no-index\n./of_one_job-1.0-py3-none-any.whl\n"}
    package = {"of_one_job-1.0-py3-none-any.whl": wheel("of_one_job")}
    script = {"train.py": b"import of_one_job; print('it is in', of_one_job.where)"}
    train_with_toolkit(running, "first", {**script, **requirements, **package})
    assert any("it is in" in line for line in running.jobs.completed("first"))
    assert not list(CONTAINER.glob("lib/*/site-packages/of_one_job*"))
    train_with_toolkit(running, "next", script)
    assert running.jobs.status("next") == "Failed"
    assert any("No module named 'of_one_job'" in line for line in running.jobs.lines("next"))


REDUCE_BY_TORCHRUN = b"""
import os
import torch.distributed as distributed
from torch import tensor
distributed.init_process_group("gloo")
values = tensor([10.0 ** distributed.get_rank()])
distributed.all_reduce(values)
print(f"{os.environ['SM_CURRENT_HOST']} reduced {values.item()}\\n", end="", flush=True)
distributed.destroy_process_group()
"""


@pytest.mark.parametrize("running", [next(iter(USERS))], indirect=True)
def test_two_jobs_at_once_each_train_by_torchrun(running: RunningDaemon) -> None:
    for name in ("left", "right"):
        script = {"train.py": REDUCE_BY_TORCHRUN}
        train_with_toolkit(running, name, script, hosts=2, sagemaker_torch_distributed_enabled=True)
    for name in ("left", "right"):
        lines = (line for line in running.jobs.completed(name) if "reduced" in line)
        assert sorted(lines) == ["algo-1 reduced 11.0", "algo-2 reduced 11.0"]
