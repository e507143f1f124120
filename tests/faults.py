"""What AWS and the network do to a call, put where a test wants it: at the n-th call that any client makes.

The calls go to real boto3 clients, so a fault is what those raise, and after a cut the call may have had its effect.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from operations.account import Account
from operations.perform import fulfil
from operations.plan import Part, Plan, plan

ACCOUNT, REGION = "123456789012", "us-east-1"
CALLER = f"arn:aws:iam::{ACCOUNT}:user/me"
NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.timezone.utc)
Fault = Callable[[str], Exception]


def _refused(code: str) -> Fault:
    return lambda operation: ClientError({"Error": {"Code": code, "Message": "injected"}}, operation)


def _read_from_the_bucket(params: dict[str, Any], **_: Any) -> None:
    """What SageMaker does with a definition that lies in S3, and moto does not: take in the text as it is."""
    where = params.pop("PipelineDefinitionS3Location", None)
    if where:
        answer = client("s3").get_object(Bucket=where["Bucket"], Key=where["ObjectKey"])
        params["PipelineDefinition"] = answer["Body"].read().decode()


def _cut(_operation: str) -> Exception:
    error: Exception = ConnectionClosedError(endpoint_url="https://injected")
    return error


# By name: what is raised, and whether the call has had its effect before.
FAULTS: dict[str, tuple[Fault, bool]] = {
    "throttled": (_refused("ThrottlingException"), False),
    "broken": (_refused("InternalFailure"), False),
    "cut before": (_cut, False),
    "cut after": (_cut, True),
}


class PatientClock:
    """A clock in which waiting takes no time, and time passes by waiting only."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> dt.datetime:
        """The present moment."""
        return NOW + dt.timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        """Seconds since it was made."""
        return self.seconds

    def sleep(self, seconds: float) -> None:
        """Let it be later."""
        self.seconds += seconds


@cache
def client(service: str) -> Any:
    """A client that tries once: what goes wrong reaches whoever called."""
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)
    made = session.client(service, config=Config(retries={"total_max_attempts": 1}))
    for operation in ("CreatePipeline", "UpdatePipeline"):
        made.meta.events.register(f"before-parameter-build.sagemaker.{operation}", _read_from_the_bucket)
    return made


@dataclass
class Wire:
    """The way to the services, on which one call may go wrong."""

    fault: str = ""
    at: int = 0
    calls: list[str] = field(default_factory=list)

    def account(self) -> Account:
        """The account at the other end."""
        return Account(ACCOUNT, REGION, lambda service: _Watched(service, self), CALLER, PatientClock())

    def writes(self) -> list[str]:
        """The calls that were not for reading."""
        return [call for call in self.calls if not call.startswith(("describe_", "get_", "head_", "list_"))]

    def make(self, operation: str, call: Callable[[], Any]) -> Any:
        """One call, which may go wrong before it has its effect, or after."""
        self.calls.append(operation)
        if not self.fault or len(self.calls) != self.at:
            return call()
        fault, comes_after = FAULTS[self.fault]
        if comes_after:
            with suppress(ClientError):
                call()
        raise fault(operation)


@dataclass(frozen=True)
class _Watched:
    service: str
    wire: Wire

    def can_paginate(self, operation: str) -> bool:
        return bool(client(self.service).can_paginate(operation))

    def get_paginator(self, operation: str) -> _Pages:
        return _Pages(self.service, operation, self.wire)

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        return lambda **arguments: self.wire.make(
            operation, lambda: getattr(client(self.service), operation)(**arguments)
        )


@dataclass(frozen=True)
class _Pages:
    service: str
    operation: str
    wire: Wire

    def paginate(self, **arguments: Any) -> Iterator[Any]:
        pages = client(self.service).get_paginator(self.operation).paginate
        yield from self.wire.make(self.operation, lambda: list(pages(**arguments)))


def brought_about(parts: Sequence[Part], account: Account) -> Plan:
    """The plan for the parts, carried out."""
    planned = plan(parts, account)
    fulfil(parts, account, planned, lambda change: None)
    return planned


def whys(planned: Plan) -> list[str]:
    """The reasons of a plan."""
    return [why for change in planned.changes for why in change.why]
