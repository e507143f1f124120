"""An endpoint goes back to what it served before, with the real functions at its side, and SageMaker's faults."""

from __future__ import annotations

import json

import pytest

from pedigree.account.apply import apply_change
from pedigree.account.errors import AbsentError, CallRefusedError, OperationsError, UnfinishedError
from pedigree.account.plan import ApiCall
from pedigree.account.polling import PollOptions, poll
from pipeline.account import rollback
from pipeline.account.rollback import Rollback
from tests.functions.events import deploy_event, record, scale_event
from tests.functions.running import deploy, process, scale
from tests.support.deployed_endpoint import NAME, OTHER_MACHINE, SETTINGS, account_of, deploy_versions
from tests.support.fakes.account import FakeAccount
from tests.support.fakes.clients import FAULTS, ProcessKilled

VARIANT = f"endpoint/{NAME}/variant/AllTraffic"


def planned(world: FakeAccount, to: str = "") -> Rollback:
    return rollback.plan(account_of(world), SETTINGS, NAME, to)


def gone_back(world: FakeAccount, to: str = "") -> Rollback:
    """A rollback, awaited, and then what the functions do of themselves."""
    found = planned(world, to)
    apply_change(rollback.change(SETTINGS, found), account_of(world))
    awaited(world, found)
    react(world)
    return found


def awaited(world: FakeAccount, found: Rollback) -> list[str]:
    account, states = account_of(world), list[str]()
    for endpoint in poll(rollback.watched(account, found), PollOptions(account.clock, 15, 7200, states.append)):
        states.append(endpoint.status)
        if rollback.is_done(endpoint, found):
            return states
    raise AssertionError(states)


def react(world: FakeAccount) -> None:
    """What await_endpoint and then configure_autoscaling do with the messages that were left."""
    for message in world.queue.messages:
        process(world, record(json.loads(message["MessageBody"]), world.clock.now() - 600))
    for invocation in world.functions.invocations:
        scale(world, json.loads(invocation["Payload"]))


def test_it_goes_back_one_and_forth_again() -> None:
    world = deploy_versions({}, {}, {})
    third = world.sagemaker.endpoints[NAME].configuration
    found = gone_back(world)
    assert found.live.name == third
    assert (found.live.described(), found.target.described()) == (
        "version 3 on ml.m5.large",
        "version 2 on ml.m5.large",
    )
    assert world.sagemaker.endpoints[NAME].configuration == found.target.name
    assert gone_back(world).target.described() == "version 1 on ml.m5.large"
    assert gone_back(world, third).target.described() == "version 3 on ml.m5.large"


def test_the_instances_that_scaling_has_added_stay_and_no_alarm_is_read() -> None:
    world = deploy_versions({}, {})
    world.sagemaker.endpoints[NAME].counts["AllTraffic"] = 3
    gone_back(world)
    assert world.sagemaker.endpoints[NAME].counts == {"AllTraffic": 3}
    _, update = next(sent for sent in reversed(world.wire.sent) if sent[0] == "sagemaker:UpdateEndpoint")
    assert "DeploymentConfig" not in update
    assert not world.queue.messages


def test_it_is_shown_before_it_is_done() -> None:
    world = deploy_versions(OTHER_MACHINE, {})
    change = rollback.change(SETTINGS, planned(world))
    operations = ["send_message", "deregister_scalable_target", "update_endpoint"]
    assert [call.operation for call in change.calls if isinstance(call, ApiCall)] == operations
    assert change.why == (
        f"from {world.sagemaker.endpoints[NAME].configuration}: version 2 on ml.m5.large",
        f"to   {planned(world).target.name}: version 1 on ml.c5.xlarge",
        "its machine changes, so the scaling of AllTraffic is taken off, and comes back afterwards",
    )


def test_scaling_that_stands_in_the_way_comes_back_as_it_was() -> None:
    world = deploy_versions(OTHER_MACHINE, {})
    scale(world, scale_event(max_capacity=7, target_invocations=55.0, scale_in_cooldown=77))
    before = (dict(world.scaling.targets), dict(world.scaling.policies))
    gone_back(world)
    assert world.sagemaker.endpoints[NAME].configuration == world.sagemaker.endpoints[NAME].deployments[0]
    assert (world.scaling.targets, world.scaling.policies) == before


@pytest.mark.parametrize("fault", [name for name in FAULTS if name != "down from then on"])
def test_whatever_call_goes_wrong_a_second_run_ends_where_one_would(fault: str) -> None:
    undisturbed = deploy_versions(OTHER_MACHINE, {})
    before, target = len(undisturbed.wire.calls), gone_back(undisturbed).target.name
    for call in range(undisturbed.wire.calls.index("sagemaker:UpdateEndpoint", before) - before + 1):
        world = deploy_versions(OTHER_MACHINE, {})
        world.wire.break_at(call, FAULTS[fault])
        with pytest.raises((OperationsError, ProcessKilled)):
            gone_back(world)
        world.wire.mend()
        world.settle()
        react(world)
        if world.sagemaker.endpoints[NAME].configuration != target:
            gone_back(world, target)
        assert world.sagemaker.endpoints[NAME].configuration == target, call
        assert world.scaling.targets == undisturbed.scaling.targets, call
        assert world.scaling.policies == undisturbed.scaling.policies, call


def test_scaling_comes_back_also_when_the_update_is_refused() -> None:
    world = deploy_versions(OTHER_MACHINE, {})
    before = (dict(world.scaling.targets), dict(world.scaling.policies))
    world.wire.break_on("sagemaker:UpdateEndpoint", "ResourceLimitExceeded", "ml.c5.xlarge for endpoint usage is 0")
    with pytest.raises(CallRefusedError, match=r"ml\.c5\.xlarge for endpoint usage is 0"):
        gone_back(world)
    react(world)
    assert (world.scaling.targets, world.scaling.policies) == before


def test_the_first_configuration_has_nothing_before_it() -> None:
    with pytest.raises(CallRefusedError, match=r"is the first of the endpoint, .* there is nothing to go back to"):
        planned(deploy_versions({}))


def test_an_endpoint_that_is_not_there() -> None:
    with pytest.raises(AbsentError, match="has no endpoint dog-breeds in us-east-1; the first execution that passes"):
        planned(FakeAccount())


def test_a_configuration_that_is_not_there_any_more() -> None:
    world = deploy_versions({}, {})
    del world.sagemaker.configurations[planned(world).target.name]
    with pytest.raises(AbsentError, match=r"there is no configuration \S+; did you mean dog-breeds-v2-"):
        planned(world)


def test_a_model_that_is_not_there_any_more() -> None:
    world = deploy_versions({}, {})
    del world.sagemaker.models[planned(world).target.name]
    with pytest.raises(CallRefusedError, match="is still there and its model is not; --to names another"):
        planned(world)


def test_what_it_serves_already() -> None:
    world = deploy_versions({}, {})
    with pytest.raises(CallRefusedError, match="already; --to names another"):
        planned(world, world.sagemaker.endpoints[NAME].configuration)


def test_an_endpoint_that_has_failed_takes_no_updates() -> None:
    world = FakeAccount()
    world.sagemaker.fate = "fails"
    deploy(world, deploy_event())
    world.settle()
    with pytest.raises(CallRefusedError, match=r"has failed and takes no updates .*health check.*pedigree start"):
        planned(world)


def test_an_update_that_is_under_way_is_waited_for_where_it_is_the_one() -> None:
    world = deploy_versions({}, {})
    target = planned(world).target.name
    apply_change(rollback.change(SETTINGS, planned(world)), account_of(world))
    with pytest.raises(CallRefusedError, match=f"is Updating, with configuration {target}; wait until it is InService"):
        planned(world)
    again = planned(world, target)
    assert again.is_under_way
    assert awaited(world, again)[-1] == "InService"
    assert world.wire.calls.count("sagemaker:UpdateEndpoint") == 2


def test_a_rollback_that_sagemaker_takes_back_is_reported() -> None:
    world = deploy_versions({}, {})
    world.sagemaker.fate = "rolls back"
    with pytest.raises(UnfinishedError, match=r"is InService with dog-breeds-v2-\w+, not with dog-breeds-v1-"):
        gone_back(world)
