"""Runs the functions in tests: with the fake account's clients and clock, and a time budget."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import await_endpoint
import configure_autoscaling
import deploy_endpoint
from shared.aws import Aws, TimeBudget
from shared.log import Log
from tests.support.fakes.account import FakeAccount

SECONDS = 220.0
DEPLOYER = "arn:aws:lambda:us-east-1:123456789012:function:sagemaker-dog-breeds-deploy-endpoint:live"
GIVE_UP_SECONDS = 3 * 3600.0
Lines = list[dict[str, Any]]


def deploy(account: FakeAccount, event: Mapping[str, Any], lines: Lines | None = None) -> dict[str, str]:
    return deploy_endpoint.deploy(event, Aws(account.client), budget(account), log(lines), DEPLOYER)


def scale(account: FakeAccount, event: Mapping[str, Any], lines: Lines | None = None) -> dict[str, str]:
    return configure_autoscaling.configure(event, Aws(account.client), budget(account), log(lines))


def process(
    account: FakeAccount, *records: Mapping[str, Any], lines: Lines | None = None, seconds: float = 20
) -> list[str]:
    """Processes a batch of messages, and returns the messages that failed."""
    queue = await_endpoint.WaitingSteps(Aws(account.client), log(lines), GIVE_UP_SECONDS, account.clock.now)
    response = queue.process({"Records": list(records)}, budget(account, seconds))
    assert response.keys() == {"batchItemFailures"}
    return [failure["itemIdentifier"] for failure in response["batchItemFailures"]]


def budget(account: FakeAccount, seconds: float = SECONDS) -> TimeBudget:
    end = account.clock.now() + seconds
    return TimeBudget(lambda: end - account.clock.now(), account.clock.sleep)


def log(lines: Lines | None) -> Log:
    return Log({}, lambda line: None if lines is None else lines.append(json.loads(line)))
