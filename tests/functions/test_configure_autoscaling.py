"""configure_autoscaling: what AWS says of the variant's scaling is what was asked for, or an error says why not."""

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


def test_what_was_written_is_read_again(account: FakeAccount) -> None:
    scale(account, scale_event())
    assert account.wire.calls[-2:] == [
        "application-autoscaling:DescribeScalableTargets",
        "application-autoscaling:DescribeScalingPolicies",
    ]


def test_what_does_not_stay_written_is_told(account: FakeAccount) -> None:
    account.scaling.forgets = True
    with pytest.raises(BusyError, match="is written but not visible yet"):
        scale(account, scale_event())


def test_what_was_not_deployed_is_left_alone(account: FakeAccount) -> None:
    assert scale(account, scale_event(outcome="not-approved")) == {contract.OUTCOME: contract.OUTCOME_NOT_APPROVED}
    assert not account.wire.calls


def test_only_what_differs_is_written(account: FakeAccount) -> None:
    scale(account, scale_event())
    account.wire.sent.clear()
    scale(account, scale_event(target_invocations="60"))
    assert PUT in account.wire.calls
    assert REGISTER not in account.wire.calls
    account.wire.sent.clear()
    scale(account, scale_event(target_invocations=60, max_capacity=4))
    assert REGISTER in account.wire.calls
    assert PUT not in account.wire.calls


def test_a_policy_that_tracks_the_same_is_changed_whoever_named_it(account: FakeAccount) -> None:
    scale(account, scale_event(target_invocations=5))
    renamed = {**account.scaling.policies.pop(POLICY), "PolicyName": "mine"}
    account.scaling.policies[(TARGET, "mine")] = renamed
    scale(account, scale_event())
    assert list(account.scaling.policies) == [(TARGET, "mine")]


@pytest.mark.parametrize("instances", [1, 2])
def test_as_many_at_least_as_at_most_is_no_scaling(account: FakeAccount, instances: int) -> None:
    scale(account, scale_event())
    fixed = scale(account, scale_event(min_capacity=instances, max_capacity=instances))
    assert fixed == {contract.OUTCOME: contract.OUTCOME_FIXED}
    assert not account.scaling.targets
    assert not account.scaling.policies
    assert account.state()["endpoints"][ENDPOINT][2] == {"AllTraffic": instances}


def test_burstable_machines_are_refused_with_what_to_use() -> None:
    account = serving(instance_type="ml.t2.medium")
    with pytest.raises(RefusedError, match=r"runs on ml\.t2\.medium, which is burstable.*use ml\.m5\.large"):
        scale(account, scale_event())
    assert not account.scaling.targets


def test_burstable_machines_may_be_as_many_as_they_are() -> None:
    account = serving(instance_type="ml.t2.medium")
    assert scale(account, scale_event(max_capacity=1))[contract.OUTCOME] == "fixed"


def test_an_update_is_waited_for(account: FakeAccount) -> None:
    account.sagemaker.disturb(ENDPOINT, "Updating")
    account.sagemaker.endpoints[ENDPOINT].until = account.clock.now() + 100
    assert scale(account, scale_event())[contract.OUTCOME] == "scaling"


def test_an_update_that_lasts_longer_than_the_invocation_is_told(account: FakeAccount) -> None:
    account.sagemaker.disturb(ENDPOINT, "Updating")
    with pytest.raises(BusyError, match="dog-breeds is Updating, and does not scale until then; retry the execution"):
        scale(account, scale_event())


@pytest.mark.parametrize("name", [REGISTER, PUT])
@pytest.mark.parametrize("code", ["ConcurrentUpdateException", "ValidationException", "ThrottlingException"])
def test_what_passes_is_tried_again(account: FakeAccount, name: str, code: str) -> None:
    account.wire.break_on(name, code, "An update is in the way.")
    assert scale(account, scale_event())[contract.OUTCOME] == "scaling"


def test_a_target_that_is_not_known_everywhere_yet_is_waited_for(account: FakeAccount) -> None:
    account.wire.break_on(PUT, "ObjectNotFoundException", "No scalable target registered")
    assert scale(account, scale_event())[contract.OUTCOME] == "scaling"


def test_a_refusal_that_stays_is_told_after_a_few_tries(account: FakeAccount) -> None:
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
def test_a_missing_service_linked_role_is_told_with_how_to_make_it(
    account: FakeAccount, code: str, message: str
) -> None:
    account.wire.break_on(REGISTER, code, message)
    with pytest.raises(RefusedError, match="aws iam create-service-linked-role"):
        scale(account, scale_event())


def test_an_endpoint_that_is_not_there_is_told() -> None:
    with pytest.raises(RefusedError, match="no endpoint dog-breeds"):
        scale(FakeAccount(), scale_event())


def test_an_endpoint_that_failed_is_told_with_its_reason(account: FakeAccount) -> None:
    found = account.sagemaker.endpoints[ENDPOINT]
    found.status, found.reason = "Failed", "out of memory"
    with pytest.raises(RefusedError, match=r"dog-breeds is Failed \(out of memory\)"):
        scale(account, scale_event())


def test_a_variant_that_is_not_there_is_told_with_those_that_are(account: FakeAccount) -> None:
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
def test_bounds_that_are_none_are_told(account: FakeAccount, changes: dict[str, Any]) -> None:
    lines: Lines = []
    with pytest.raises(EventError):
        scale(account, scale_event(**changes), lines)
    assert [line["level"] for line in lines] == ["ERROR"]
    assert not account.wire.calls


def test_lambda_is_answered_in_the_words_of_the_contract() -> None:
    class Context:
        def get_remaining_time_in_millis(self) -> int:
            return 240_000

    assert configure_autoscaling.handler({"outcome": "not-approved"}, Context()) == {"outcome": "not-approved"}
