"""deploy_endpoint: starts the deployment of the requested version from any state, without waiting for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

import deploy_endpoint
from entrypoints import contract
from shared.errors import BusyError, EventError, RefusedError
from tests.functions.events import EXECUTION, deploy_event, scale_event
from tests.functions.running import Lines, deploy, scale
from tests.support.fakes.account import PACKAGE, FakeAccount

ENDPOINT, TARGET = "dog-breeds", "endpoint/dog-breeds/variant/AllTraffic"
ALARMS = {"dog-breeds-rollback-on-errors", "dog-breeds-rollback-on-latency"}


@pytest.fixture
def account() -> FakeAccount:
    return FakeAccount()


def serve(account: FakeAccount, execution: str = "first", **changes: Any) -> str:
    """Returns the name of the configuration of an endpoint in service."""
    result = deploy(account, deploy_event(execution_id=execution, **changes))
    account.settle()
    return result[contract.ENDPOINT_CONFIG_NAME]


def writes(account: FakeAccount, event: dict[str, Any]) -> list[str]:
    """Returns the calls of an event that change something."""
    before = len(account.wire.sent)
    deploy(account, event)
    return [name for name in account.wire.calls[before:] if ":Describe" not in name and ":List" not in name]


def update(account: FakeAccount, event: dict[str, Any]) -> Mapping[str, Any]:
    """Returns the arguments of UpdateEndpoint for an event."""
    deploy(account, event)
    (arguments,) = [arguments for name, arguments in account.wire.sent if name == "sagemaker:UpdateEndpoint"]
    return arguments


def test_a_missing_endpoint_is_created(account: FakeAccount) -> None:
    result = deploy(account, deploy_event())
    name = result[contract.ENDPOINT_CONFIG_NAME]
    assert result == {"outcome": "deploying", "endpoint_name": ENDPOINT, "endpoint_config_name": name}
    state, tags = account.state(), json.loads(deploy_event()["tags"])
    assert state["endpoints"][ENDPOINT] == (name, "InService", {"AllTraffic": 1}, tags, [name])
    assert state["models"][name]["PrimaryContainer"] == {"ModelPackageName": PACKAGE}
    assert state["models"][name]["ExecutionRoleArn"].endswith("role/pedigree-model")
    assert state["alarms"].keys() == ALARMS
    assert all(tags.items() <= found.items() for found in state["tags"].values())


def test_it_does_not_wait_for_the_endpoint(account: FakeAccount) -> None:
    before = account.clock.now()
    deploy(account, deploy_event())
    assert account.clock.now() - before < 5


def test_a_version_that_is_not_approved_is_left_alone(account: FakeAccount) -> None:
    account.register(PACKAGE, "PendingManualApproval")
    assert deploy(account, deploy_event())[contract.OUTCOME] == "not-approved"
    assert account.wire.calls == ["sagemaker:DescribeModelPackage"]


def test_the_results_are_never_empty(account: FakeAccount) -> None:
    account.register(PACKAGE, "Rejected")
    assert all(deploy(account, deploy_event()).values())


def test_a_serving_endpoint_is_moved_blue_green(account: FakeAccount) -> None:
    first = serve(account)
    second = serve(account, "second", traffic_policy="canary")
    assert account.state()["endpoints"][ENDPOINT][4] == [first, second]


@pytest.mark.parametrize(
    ("policy", "routing"),
    [
        ("all-at-once", {"Type": "ALL_AT_ONCE"}),
        ("canary", {"Type": "CANARY", "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 20}}),
        ("linear", {"Type": "LINEAR", "LinearStepSize": {"Type": "CAPACITY_PERCENT", "Value": 20}}),
    ],
)
def test_traffic_moves_as_settings_say(account: FakeAccount, policy: str, routing: dict[str, Any]) -> None:
    serve(account)
    moved = update(account, deploy_event(traffic_policy=policy))["DeploymentConfig"]
    assert moved["BlueGreenUpdatePolicy"] == {
        "TrafficRoutingConfiguration": {**routing, "WaitIntervalInSeconds": 300},
        "TerminationWaitInSeconds": 120,
        "MaximumExecutionTimeoutInSeconds": 7200,
    }


def test_an_update_is_rolled_back_by_its_own_alarms_and_by_those_of_settings(account: FakeAccount) -> None:
    serve(account)
    account.alarms.by_name["mine"] = {"AlarmName": "mine"}
    guard = update(account, deploy_event(extra_alarms='["mine"]'))["DeploymentConfig"]["AutoRollbackConfiguration"]
    assert {item["AlarmName"] for item in guard["Alarms"]} == {*ALARMS, "mine"}


def test_a_missing_alarm_is_reported_before_anything_is_created(account: FakeAccount) -> None:
    with pytest.raises(RefusedError, match=r"no alarm named mine .* endpoint.alarms.extra"):
        deploy(account, deploy_event(extra_alarms='["mine"]'))
    assert not account.sagemaker.models


def test_without_alarms_nothing_rolls_back(account: FakeAccount) -> None:
    none = {"alarm_5xx_percent": 0, "alarm_latency_milliseconds": 0}
    serve(account)
    assert account.alarms.by_name.keys() == ALARMS
    assert "AutoRollbackConfiguration" not in update(account, deploy_event(**none))["DeploymentConfig"]
    assert not account.alarms.by_name


def test_the_error_alarm_is_a_rate_and_the_latency_alarm_counts_microseconds(account: FakeAccount) -> None:
    serve(account)
    errors, latency = (account.alarms.by_name[name] for name in sorted(ALARMS))
    assert errors["Metrics"][0]["Expression"] == "IF(invocations > 0, 100 * errors / invocations, 0)"
    assert (errors["Threshold"], latency["Threshold"]) == (5, 2_000_000)
    metrics = {item["MetricStat"]["Metric"]["MetricName"] for item in (*errors["Metrics"][1:], *latency["Metrics"])}
    assert metrics == {"Invocation5XXErrors", "Invocations", "ModelLatency"}
    assert errors["TreatMissingData"] == latency["TreatMissingData"] == "notBreaching"


def test_a_scaled_out_count_survives_an_update(account: FakeAccount) -> None:
    serve(account)
    scale(account, scale_event())
    account.sagemaker.endpoints[ENDPOINT].counts["AllTraffic"] = 3
    serve(account, "second")
    assert account.state()["endpoints"][ENDPOINT][2] == {"AllTraffic": 3}
    assert TARGET in account.scaling.targets


def test_scaling_is_removed_if_the_instance_type_changes_and_the_count_stays(account: FakeAccount) -> None:
    serve(account)
    scale(account, scale_event())
    account.sagemaker.endpoints[ENDPOINT].counts["AllTraffic"] = 3
    second = serve(account, "second", instance_type="ml.c5.xlarge")
    assert account.state()["endpoints"][ENDPOINT][:3] == (second, "InService", {"AllTraffic": 3})
    assert not account.scaling.targets


def test_scaling_is_removed_from_a_removed_variant(account: FakeAccount) -> None:
    serve(account)
    scale(account, scale_event())
    serve(account, "second", variant_name="Other", instance_count=2)
    assert account.state()["endpoints"][ENDPOINT][2] == {"Other": 2}
    assert not account.scaling.targets


def test_a_refused_update_says_that_nothing_scales_any_more(account: FakeAccount) -> None:
    serve(account)
    scale(account, scale_event())
    account.wire.break_on("sagemaker:UpdateEndpoint", "ResourceLimitExceeded", "The limit is 0 Instances.")
    with pytest.raises(RefusedError, match=r"Service Quotas.*until ConfigureAutoscaling has run again"):
        deploy(account, deploy_event(instance_type="ml.c5.xlarge"))


def test_a_deployment_that_is_served_already_is_unchanged(account: FakeAccount) -> None:
    serve(account, EXECUTION)
    assert writes(account, deploy_event()) == []
    assert deploy(account, deploy_event())[contract.OUTCOME] == "unchanged"


def test_a_deployment_in_progress_is_not_started_again(account: FakeAccount) -> None:
    serve(account)
    deploy(account, deploy_event())
    assert writes(account, deploy_event()) == []
    assert deploy(account, deploy_event())[contract.OUTCOME] == "deploying"


def test_a_failed_endpoint_is_created_again(account: FakeAccount) -> None:
    account.sagemaker.fate = "fails"
    serve(account)
    account.sagemaker.fate = ""
    lines: Lines = []
    assert deploy(account, deploy_event(), lines)[contract.OUTCOME] == "deploying"
    assert account.state()["endpoints"][ENDPOINT][1] == "InService"
    assert any("ping health check" in line.get("why", "") for line in lines)


@pytest.mark.parametrize("status", ["Updating", "SystemUpdating", "RollingBack", "Deleting"])
def test_operations_of_others_are_waited_for(account: FakeAccount, status: str) -> None:
    serve(account)
    account.sagemaker.disturb(ENDPOINT, status)
    account.sagemaker.endpoints[ENDPOINT].until = account.clock.now() + 60
    assert deploy(account, deploy_event())[contract.OUTCOME] == "deploying"


def test_an_operation_longer_than_the_invocation_raises_busy_error_in_time(account: FakeAccount) -> None:
    serve(account)
    account.sagemaker.disturb(ENDPOINT, "Updating", pending="somebody-else")
    before = account.clock.now()
    with pytest.raises(BusyError, match=r"dog-breeds is Updating, with configuration somebody-else; retry"):
        deploy(account, deploy_event())
    assert 200 < account.clock.now() - before <= 220


@pytest.mark.parametrize("status", ["OutOfService", "UpdateRollbackFailed"])
def test_an_unhealthy_endpoint_is_updated(account: FakeAccount, status: str) -> None:
    serve(account, EXECUTION)
    account.sagemaker.endpoints[ENDPOINT].status = status
    assert deploy(account, deploy_event())[contract.OUTCOME] == "deploying"
    assert all(contract.TAG_PREVIOUS not in tags for tags in account.sagemaker.tags.values())


def test_an_endpoint_whose_configuration_was_deleted_is_updated(account: FakeAccount) -> None:
    first = serve(account)
    scale(account, scale_event())
    del account.sagemaker.configurations[first]
    assert deploy(account, deploy_event())[contract.OUTCOME] == "deploying"
    assert not account.scaling.targets


def test_an_update_that_started_a_moment_ago_is_waited_for(account: FakeAccount) -> None:
    serve(account)
    account.wire.break_on("sagemaker:UpdateEndpoint", "ValidationException", 'Cannot update in-progress endpoint "x".')
    assert deploy(account, deploy_event())[contract.OUTCOME] == "deploying"
    assert account.wire.calls.count("sagemaker:UpdateEndpoint") == 2


def test_a_rolled_back_version_can_be_tried_again(account: FakeAccount) -> None:
    first = serve(account)
    account.sagemaker.fate = "rolls back"
    second = serve(account, "second")
    account.sagemaker.fate = ""
    serve(account, "second")
    assert account.state()["endpoints"][ENDPOINT][4] == [first, second, second]


def test_requests_are_captured_if_settings_ask_for_it(account: FakeAccount) -> None:
    key = "arn:aws:kms:us-east-1:123456789012:key/1234abcd"
    name = serve(account, capture_percent=20, output_key=key)
    capture = account.sagemaker.configurations[name]["DataCaptureConfig"]
    assert (capture["InitialSamplingPercentage"], capture["KmsKeyId"]) == (20, key)
    assert capture["DestinationS3Uri"].startswith("s3://")
    assert update(account, deploy_event())["ExcludeRetainedVariantProperties"] == [
        {"VariantPropertyType": "DataCaptureConfig"}
    ]


def test_network_and_encryption_reach_model_and_configuration(account: FakeAccount) -> None:
    key = "arn:aws:kms:us-east-1:123456789012:key/1234abcd"
    name = serve(account, subnets='["subnet-1"]', security_groups='["sg-1"]', network_isolation=True, volume_key=key)
    model = account.sagemaker.models[name]
    assert model["VpcConfig"] == {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
    assert model["EnableNetworkIsolation"] is True
    assert account.sagemaker.configurations[name]["KmsKeyId"] == key


def test_a_configuration_is_tagged_with_the_one_before_it(account: FakeAccount) -> None:
    first, second = serve(account), serve(account, "second")
    tags = {arn.rpartition("/")[2]: tags for arn, tags in account.state()["tags"].items() if "endpoint-config" in arn}
    assert contract.TAG_PREVIOUS not in tags[first]
    assert tags[second][contract.TAG_PREVIOUS] == first


def test_the_configuration_of_an_interrupted_attempt_is_tagged_with_the_current_one(account: FakeAccount) -> None:
    serve(account)
    account.wire.break_on("sagemaker:UpdateEndpoint", "ResourceLimitExceeded", "no")
    with pytest.raises(RefusedError):
        deploy(account, deploy_event())
    between = serve(account, "between")
    name = serve(account, EXECUTION)
    tags = account.sagemaker.tags[account.sagemaker.configurations[name]["EndpointConfigArn"]]
    assert tags[contract.TAG_PREVIOUS] == between


def test_old_configurations_and_models_are_deleted_except_the_last_five(account: FakeAccount) -> None:
    account.sagemaker.page = 3
    names = [serve(account, f"execution-{number}") for number in range(8)]
    assert set(account.sagemaker.configurations) == set(account.sagemaker.models) == set(names[-5:])


def test_the_served_configuration_and_the_one_before_it_are_never_deleted(account: FakeAccount) -> None:
    names = [serve(account, f"execution-{number}") for number in range(2)]
    account.sagemaker.fate = "rolls back"
    tried = [serve(account, f"tried-{number}") for number in range(7)]
    assert set(account.sagemaker.configurations) == {*names, *tried[-5:]}


def test_resources_of_another_endpoint_are_never_deleted(account: FakeAccount) -> None:
    others = [serve(account, f"e{number}", endpoint_name="dog-breeds-v2") for number in range(3)]
    arguments = {"ModelName": "dog-breeds-v1-mine", "PrimaryContainer": {"ModelPackageName": PACKAGE}}
    account.client("sagemaker").call("create_model", arguments)
    for number in range(9):
        serve(account, f"execution-{number}")
    assert {*others, "dog-breeds-v1-mine"} <= set(account.sagemaker.models)
    assert set(others) <= set(account.sagemaker.configurations)


def test_a_failed_cleanup_does_not_fail_the_deployment(account: FakeAccount) -> None:
    for number in range(5):
        serve(account, f"execution-{number}")
    lines: Lines = []
    account.wire.break_on("sagemaker:ListModels", "AccessDeniedException", "not authorized: sagemaker:ListModels")
    assert deploy(account, deploy_event(), lines)[contract.OUTCOME] == "deploying"
    assert [line["level"] for line in lines][-1] == "WARNING"


def test_a_refusal_is_reported_with_its_remedy(account: FakeAccount) -> None:
    account.wire.break_on("sagemaker:CreateModel", "AccessDeniedException", "not authorized to perform: iam:PassRole")
    with pytest.raises(RefusedError, match=r"CreateModel was refused with AccessDenied.*iam:PassRole; .*policy"):
        deploy(account, deploy_event())


def test_a_missing_version_is_reported(account: FakeAccount) -> None:
    with pytest.raises(RefusedError, match="dog-breeds/99 does not exist"):
        deploy(account, deploy_event(model_package_arn=PACKAGE.replace("/12", "/99")))


@pytest.mark.parametrize(
    ("name", "value"),
    [("endpoint_name", ""), ("instance_count", "many"), ("tags", "[]"), ("subnets", "{"), ("network_isolation", "?")],
)
def test_an_invalid_event_is_reported_with_the_name_of_the_field(account: FakeAccount, name: str, value: str) -> None:
    lines: Lines = []
    with pytest.raises(EventError, match=name):
        deploy(account, deploy_event(**{name: value}), lines)
    assert [line["level"] for line in lines] == ["ERROR"]
    assert not account.wire.calls


def test_the_handler_raises_the_error() -> None:
    class Context:
        invoked_function_arn = aws_request_id = "sagemaker-dog-breeds-deploy-endpoint"

        def get_remaining_time_in_millis(self) -> int:
            return 240_000

    with pytest.raises(EventError, match="no model_package_arn"):
        deploy_endpoint.handler({}, Context())


def test_numbers_and_flags_may_come_as_text(account: FakeAccount) -> None:
    as_text = {name: str(value) for name, value in deploy_event().items()}
    assert deploy(account, as_text) == deploy(account, deploy_event())
