"""What the steps rely on in the SDK and in botocore, so that a new version that breaks it fails here first."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pedigree.aws import machines
from pedigree.language import shapes
from steps import dag
from steps.policies import RetriesConfig, retry_policies

LEAVES_NO_TRACE = """
import logging, os, boto3
before = dict(os.environ), boto3.DEFAULT_SESSION, logging.getLogger().level, list(logging.getLogger().handlers)
from steps import dag
dag.Pipeline
after = dict(os.environ), boto3.DEFAULT_SESSION, logging.getLogger().level, list(logging.getLogger().handlers)
assert before == after, (before, after)
"""


@pytest.mark.parametrize("name", sorted(dag.sdk_modules()))
def test_every_name_of_the_dag_layer_exists(name: str) -> None:
    assert callable(getattr(dag, name))


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(AttributeError, match="is no name of the DAG layer"):
        dag.ModelTrainer  # noqa: B018  # looking it up is the test


def test_importing_the_sdk_leaves_no_trace() -> None:
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", LEAVES_NO_TRACE], stderr=subprocess.PIPE, check=False)
    assert done.returncode == 0, done.stderr


def test_a_call_of_aws_while_building_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="called list_pipelines of AWS"):
        dag.NO_SESSION.boto_session.client("sagemaker").list_pipelines()


def test_every_fault_reaches_the_policy() -> None:
    faults = [
        fault for policy in retry_policies(RetriesConfig().processing) for fault in policy.to_request()["ExceptionType"]
    ]
    assert tuple(faults) == RetriesConfig().processing.on


@pytest.mark.parametrize("step_type", sorted(shapes.OPERATIONS))
def test_botocore_has_the_operations_behind_the_steps(step_type: str) -> None:
    operation = shapes.OPERATIONS[step_type]
    request = shapes.request_shape(step_type)
    assert request is not None
    assert operation.name_member in request.members
    for name in operation.describe:
        assert shapes.service().shape_for(name).type_name == "structure"


@pytest.mark.parametrize(
    ("instance_type", "processor", "disks", "bfloat16", "burstable"),
    [
        ("ml.m5.large", "cpu", False, True, False),
        ("ml.t2.medium", "cpu", False, True, True),
        ("ml.m5d.large", "cpu", True, True, False),
        ("ml.g4dn.xlarge", "gpu", True, False, False),
        ("ml.g5.xlarge", "gpu", True, True, False),
        ("ml.p3.2xlarge", "gpu", False, False, False),
        ("ml.p4d.24xlarge", "gpu", True, True, False),
        ("ml.c6g.large", "arm64", False, True, False),
        ("ml.m6gd.large", "arm64", True, True, False),
        ("ml.inf2.xlarge", "accelerator", True, True, False),
    ],
)
def test_the_name_of_a_machine_says_what_it_can_do(
    instance_type: str, processor: str, disks: bool, bfloat16: bool, burstable: bool
) -> None:
    assert instance_type in machines.instance_types("ProductionVariant")
    assert machines.processor(instance_type) == processor
    assert machines.has_local_storage(instance_type) is disks
    assert machines.has_bfloat16(instance_type) is bfloat16
    assert machines.is_burstable(instance_type) is burstable
