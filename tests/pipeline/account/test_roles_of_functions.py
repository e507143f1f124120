"""The functions' roles allow what the functions call, as lambda/README.md lists it, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from deploying import deployment
from pedigree.iam import Request, decide, parse
from pipeline.account.placeholders import values
from pipeline.account.roles import documents
from steps.functions import FUNCTIONS
from tests.policies.arns import IN_ACCOUNT, sagemaker
from tests.support.definitions import configure

README = (Path(__file__).parents[3] / "lambda" / "README.md").read_text(encoding="utf-8")
ROLES = {file.replace("-", "_"): role for role, file in FUNCTIONS.items()}
CALLS = re.findall(r"^\| (\w+) \| ([a-z0-9-]+) \| ([A-Za-z, ]+) \|$", README, re.MULTILINE)
RENAMED = {"lambda:Invoke": "lambda:InvokeFunction"}

# What a function needs without calling it: what AWS asks for behind a call, and what Lambda does in its name.
LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}
BEHIND: dict[str, set[str]] = {
    "deploy": {"cloudwatch:TagResource", "iam:PassRole"},
    "await": {"sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"},
    "autoscale": {
        "cloudwatch:DeleteAlarms",
        "cloudwatch:DescribeAlarms",
        "cloudwatch:PutMetricAlarm",
        "iam:CreateServiceLinkedRole",
    },
    "predict": set(),
}


def called(role: str) -> set[str]:
    """The actions of the calls that lambda/README.md lists."""
    actions = {
        f"{service}:{action}"
        for function, service, listed in CALLS
        if ROLES.get(function) == role
        for action in listed.split(", ")
    }
    return {RENAMED.get(action, action) for action in actions}


def allowed(role: str) -> set[str]:
    """The actions that a role's policy names."""
    found: Any = documents(configure(IN_ACCOUNT))[role].policy["Statement"]
    return {
        action
        for statement in found
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }


@pytest.mark.parametrize("role", BEHIND)
def test_a_function_may_what_it_calls_and_nothing_else(role: str) -> None:
    assert called(role)
    assert allowed(role) == called(role) | BEHIND[role] | LOGS


@pytest.mark.parametrize(
    "endpoint", ["a", "dog-breeds", "e" * 29, "e" * 30, "e" * 40, "e" * 41, f"{'e' * 28}-{'f' * 34}"]
)
def test_a_deployment_has_a_name_for_which_there_are_rights(endpoint: str) -> None:
    chosen = configure({**IN_ACCOUNT, "endpoint.name": endpoint})
    policy = parse(documents(chosen)["deploy"].policy)
    package = sagemaker("model-package/dog-breeds/3")
    for name_of_endpoint in (endpoint, f"{endpoint}-staging"[:63]):
        name = deployment.name(name_of_endpoint, package, {})
        assert decide([policy], Request("sagemaker:CreateModel", sagemaker(f"model/{name}"))).allowed
        assert decide([policy], Request("sagemaker:CreateEndpointConfig", sagemaker(f"endpoint-config/{name}"))).allowed
        assert decide([policy], Request("sagemaker:UpdateEndpoint", sagemaker(f"endpoint/{name_of_endpoint}"))).allowed
    assert str(values(chosen)["EndpointStem"]).startswith(endpoint[:28])
