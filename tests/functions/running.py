"""How the tests call the functions: with the account's clients, its clock, and the time that an invocation has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import await_endpoint
import configure_autoscaling
import deploy_endpoint
from shared.aws import Aws, Patience
from shared.log import Log
from tests.support.fakes.account import FakeAccount

SECONDS = 220.0
DEPLOYER = "arn:aws:lambda:us-east-1:123456789012:function:sagemaker-dog-breeds-deploy-endpoint:live"
GIVE_UP_SECONDS = 3 * 3600.0
Lines = list[dict[str, Any]]


def deploy(account: FakeAccount, event: Mapping[str, Any], lines: Lines | None = None) -> dict[str, str]:
    return deploy_endpoint.deploy(event, Aws(account.client), patience(account), log(lines), DEPLOYER)


def scale(account: FakeAccount, event: Mapping[str, Any], lines: Lines | None = None) -> dict[str, str]:
    return configure_autoscaling.configure(event, Aws(account.client), patience(account), log(lines))


def settle(
    account: FakeAccount, *records: Mapping[str, Any], lines: Lines | None = None, seconds: float = 20
) -> list[str]:
    """The messages that are to come back."""
    desk = await_endpoint.Desk(Aws(account.client), log(lines), GIVE_UP_SECONDS, account.clock.now)
    answer = await_endpoint.settle({"Records": list(records)}, desk, patience(account, seconds))
    assert answer.keys() == {"batchItemFailures"}
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


def patience(account: FakeAccount, seconds: float = SECONDS) -> Patience:
    end = account.clock.now() + seconds
    return Patience(lambda: end - account.clock.now(), account.clock.sleep)


def log(lines: Lines | None) -> Log:
    return Log({}, lambda line: None if lines is None else lines.append(json.loads(line)))
