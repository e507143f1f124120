"""The operator's policies allow every call for executions, the endpoint and rented machines."""

from __future__ import annotations

import pytest

from pedigree.account import endpoint_status, executions, progress, versions
from pedigree.account.account import Account
from pedigree.account.apply import apply_change
from pedigree.account.errors import AbsentError
from pedigree.account.executions import Execution
from pedigree.account.start import StartRequest, start
from pipeline.account import predict, rollback
from pipeline.account.ec2 import rental as ec2
from tests.policies.operator_actions import actions, refused
from tests.support.accounts import RecordedClients
from tests.support.definitions import CODE, configure
from tests.support.deployed_endpoint import NAME, OTHER_MACHINE, SETTINGS, account_of, deploy_versions
from tests.support.ec2_account import NEWEST, ImageParameters, parameter_name
from tests.support.fakes.account import FakeAccount
from tests.support.fakes.aws import ACCOUNT, REGION
from tests.support.fakes.clients import CallLog
from tests.support.fakes.endpoint_services import alarms, registry, scaling
from tests.support.fakes.executions import Executions, ExecutionState, Logs, job_metadata, listed_step
from tests.support.fakes.predict_function import FakePredict, function_answer
from tests.support.fakes.served_services import account_with


def of_executions() -> set[str]:
    fake, wire = Executions(), CallLog()
    failed = (listed_step("PrepareData", "Failed", Metadata=job_metadata("TuningJob", "search")),)
    fake.begins = [ExecutionState("Executing"), ExecutionState("Failed", failed), ExecutionState("Failed", failed)]
    logs = Logs({"/aws/sagemaker/TrainingJobs": {"search-002-bad/algo-1-1": ["ValueError"]}})
    account = account_with({"sagemaker": fake, "logs": logs}, wire)
    arn = apply_change(start(account, "dog-breeds", StartRequest(())), account)["started"]["PipelineExecutionArn"]
    look = progress.progress_reader(account, "dog-breeds", arn)
    assert [look().execution.status for _ in range(2)] == ["Executing", "Failed"]
    apply_change(executions.retry(executions.choose(account, "dog-breeds")), account)
    stop = executions.stop(Execution(arn, "Executing"))
    assert stop is not None
    apply_change(stop, account)
    return set(wire.calls)


def of_the_endpoint() -> set[str]:
    wire, function = CallLog(), FakePredict()
    function.answer = function_answer(200, predictions=[])
    services = {
        "sagemaker": registry("PendingManualApproval"),
        "application-autoscaling": scaling(),
        "cloudwatch": alarms(),
        "lambda": function,
    }
    account = account_with(services, wire)
    endpoint_status.report(account, "dogs")
    change = versions.approve(account, "dog-breeds", 1)
    assert change is not None
    apply_change(change, account)
    predict.predict(account, "dog-breeds", {"url": "https://host/a.jpg"})
    world: FakeAccount = deploy_versions(OTHER_MACHINE, {})
    before = len(world.wire.calls)
    with pytest.raises(AbsentError):
        rollback.plan(account_of(world), SETTINGS, NAME, "nowhere")
    apply_change(rollback.change(SETTINGS, rollback.plan(account_of(world), SETTINGS, NAME)), account_of(world))
    return {*wire.calls, *world.wire.calls[before:]}


def of_machines() -> set[str]:
    wire, watched = CallLog(), RecordedClients()
    fakes = account_with({"ssm": ImageParameters(parameter_name(NEWEST)), "sagemaker": Executions()}, wire)
    account = Account(
        ACCOUNT,
        REGION,
        lambda service: fakes.clients(service) if service in ("ssm", "sagemaker") else watched(service),
        clock=fakes.clock,
    )
    watched("iam").create_instance_profile(InstanceProfileName="pedigree-ec2")
    watched("s3").create_bucket(Bucket=f"pedigree-{ACCOUNT}-{REGION}")
    watched.calls.clear()
    rental = ec2.plan(account, configure({"site.account": ACCOUNT}), CODE, ec2.RentalRequest(data="s3://images/dogs"))
    ec2.watched(account, rental, ec2.start(account, rental, print))()
    return {*wire.calls, *(f"{service}:{operation}" for service, operation, _ in watched.calls)}


def test_the_operator_may_make_every_call(empty_account: None) -> None:
    calls = of_executions() | of_the_endpoint() | of_machines()
    assert len(calls) > 35
    needed = {action for call in calls for action in actions(*call.split(":"))}
    assert refused(needed) == []
