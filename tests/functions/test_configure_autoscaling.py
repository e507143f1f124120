"""configure_autoscaling: afterwards the variant is scaled as requested, or an error gives the reason."""

from __future__ import annotations

from typing import Any

import pytest

import configure_autoscaling
from entrypoints import contract
from shared.errors import BusyError, EventError, RefusedError
from tests.functions.events import deploy_event, scale_event
from tests.functions.running import Lines, deploy, scale
from tests.support.fakes.account import FakeAccount

ENDPOINT, TARGET = "dog-breeds", "endpoint/dog-breeds/variant/AllTraffic"
POLICY = (TARGET, "SageMakerEndpointInvocationScalingPolicy")
REGISTER, PUT = "application-autoscaling:RegisterScalableTarget", "application-autoscaling:PutScalingPolicy"


def serving(**changes: Any) -> FakeAccount:
    account = FakeAccount()
    deploy(account, deploy_event(**changes))
    account.settle()
    account.wire.sent.clear()
    return account


@pytest.fixture
def account() -> FakeAccount:
    return serving()


def bounds(account: FakeAccount) -> tuple[int, int]:
    target = account.scaling.targets[TARGET]
    return target["MinCapacity"], target["MaxCapacity"]


def test_the_variant_scales_by_invocations_an_instance_and_minute(account: FakeAccount) -> None:
    assert scale(account, scale_event()) == {contract.OUTCOME: contract.OUTCOME_SCALING}
    assert bounds(account) == (1, 3)
    policy = account.scaling.policies[POLICY]
    assert policy["PolicyType"] == "TargetTrackingScaling"
    assert policy["TargetTrackingScalingPolicyConfiguration"] == {
        "TargetValue": 30.0,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
        "ScaleInCooldown": 30,
        "ScaleOutCooldown": 30,
        "DisableScaleIn": False,
    }


def test_the_written_scaling_is_read_again(account: FakeAccount) -> None:
    scale(account, scale_event())
    assert account.wire.calls[-2:] == [
        "application-autoscaling:DescribeScalableTargets",
        "application-autoscaling:DescribeScalingPolicies",
    ]


def test_scaling_that_does_not_persist_raises_an_error(account: FakeAccount) -> None:
    account.scaling.forgets = True
    with pytest.raises(BusyError, match="is written but not visible yet"):
        scale(account, scale_event())


def test_a_version_that_was_not_deployed_is_left_alone(account: FakeAccount) -> None:
    assert scale(account, scale_event(outcome="not-approved")) == {contract.OUTCOME: contract.OUTCOME_NOT_APPROVED}
    assert not account.wire.calls


def test_only_differences_are_written(account: FakeAccount) -> None:
    scale(account, scale_event())
    account.wire.sent.clear()
    scale(account, scale_event(target_invocations="60"))
    assert PUT in account.wire.calls
    assert REGISTER not in account.wire.calls
    account.wire.sent.clear()
    scale(account, scale_event(target_invocations=60, max_capacity=4))
    assert REGISTER in account.wire.calls
    assert PUT not in account.wire.calls


def test_an_existing_policy_on_the_same_metric_is_changed_whatever_its_name(account: FakeAccount) -> None:
    scale(account, scale_event(target_invocations=5))
    renamed = {**account.scaling.policies.pop(POLICY), "PolicyName": "mine"}
    account.scaling.policies[(TARGET, "mine")] = renamed
    scale(account, scale_event())
    assert list(account.scaling.policies) == [(TARGET, "mine")]


@pytest.mark.parametrize("instances", [1, 2])
def test_equal_bounds_mean_no_scaling(account: FakeAccount, instances: int) -> None:
    scale(account, scale_event())
    fixed = scale(account, scale_event(min_capacity=instances, max_capacity=instances))
    assert fixed == {contract.OUTCOME: contract.OUTCOME_FIXED}
    assert not account.scaling.targets
    assert not account.scaling.policies
    assert account.state()["endpoints"][ENDPOINT][2] == {"AllTraffic": instances}


def test_burstable_instances_are_refused_with_a_remedy() -> None:
    account = serving(instance_type="ml.t2.medium")
    with pytest.raises(RefusedError, match=r"runs on ml\.t2\.medium, which is burstable.*use ml\.m5\.large"):
        scale(account, scale_event())
    assert not account.scaling.targets


def test_burstable_instances_may_have_a_fixed_count() -> None:
    account = serving(instance_type="ml.t2.medium")
    assert scale(account, scale_event(max_capacity=1))[contract.OUTCOME] == "fixed"


def test_an_update_is_waited_for(account: FakeAccount) -> None:
    account.sagemaker.disturb(ENDPOINT, "Updating")
    account.sagemaker.endpoints[ENDPOINT].until = account.clock.now() + 100
    assert scale(account, scale_event())[contract.OUTCOME] == "scaling"


def test_an_update_longer_than_the_invocation_raises_busy_error(account: FakeAccount) -> None:
    account.sagemaker.disturb(ENDPOINT, "Updating")
    with pytest.raises(BusyError, match="dog-breeds is Updating, and does not scale until then; retry the execution"):
        scale(account, scale_event())


@pytest.mark.parametrize("name", [REGISTER, PUT])
@pytest.mark.parametrize("code", ["ConcurrentUpdateException", "ValidationException", "ThrottlingException"])
def test_temporary_errors_are_retried(account: FakeAccount, name: str, code: str) -> None:
    account.wire.break_on(name, code, "An update is in the way.")
    assert scale(account, scale_event())[contract.OUTCOME] == "scaling"


def test_a_target_that_is_not_visible_yet_is_retried(account: FakeAccount) -> None:
    account.wire.break_on(PUT, "ObjectNotFoundException", "No scalable target registered")
    assert scale(account, scale_event())[contract.OUTCOME] == "scaling"


def test_a_permanent_refusal_is_raised_after_a_few_tries(account: FakeAccount) -> None:
    account.scaling.refusal = "The scalable dimension is not supported."
    with pytest.raises(
        RefusedError, match=r"RegisterScalableTarget was refused with ValidationException: The scalable"
    ):
        scale(account, scale_event())
    assert account.wire.calls.count(REGISTER) == 3


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("AccessDeniedException", "not authorized to perform: iam:CreateServiceLinkedRole"),
        ("AccessDeniedException", "role/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"),
    ],
)
def test_a_missing_service_linked_role_is_reported_with_the_command_that_creates_it(
    account: FakeAccount, code: str, message: str
) -> None:
    account.wire.break_on(REGISTER, code, message)
    with pytest.raises(RefusedError, match="aws iam create-service-linked-role"):
        scale(account, scale_event())


def test_a_missing_endpoint_is_reported() -> None:
    with pytest.raises(RefusedError, match="no endpoint dog-breeds"):
        scale(FakeAccount(), scale_event())


def test_a_failed_endpoint_is_reported_with_its_reason(account: FakeAccount) -> None:
    found = account.sagemaker.endpoints[ENDPOINT]
    found.status, found.reason = "Failed", "out of memory"
    with pytest.raises(RefusedError, match=r"dog-breeds is Failed \(out of memory\)"):
        scale(account, scale_event())


def test_a_missing_variant_is_reported_with_those_that_exist(account: FakeAccount) -> None:
    with pytest.raises(RefusedError, match="no variant Other, but AllTraffic"):
        scale(account, scale_event(variant_name="Other"))


@pytest.mark.parametrize(
    "changes",
    [
        {"min_capacity": 0},
        {"min_capacity": 4},
        {"max_capacity": "x"},
        {"target_invocations": 0},
        {"scale_in_cooldown": -1},
    ],
)
def test_invalid_bounds_are_reported(account: FakeAccount, changes: dict[str, Any]) -> None:
    lines: Lines = []
    with pytest.raises(EventError):
        scale(account, scale_event(**changes), lines)
    assert [line["level"] for line in lines] == ["ERROR"]
    assert not account.wire.calls


def test_the_handler_returns_the_contracts_outcome() -> None:
    class Context:
        def get_remaining_time_in_millis(self) -> int:
            return 240_000

    assert configure_autoscaling.handler({"outcome": "not-approved"}, Context()) == {"outcome": "not-approved"}
