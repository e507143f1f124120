"""Calls to AWS, and what their errors mean: some pass by themselves, some say that nothing is there, the rest is told.

Every function here looks at the world, decides, and acts; when something passes by itself (a throttled call, a cut
connection, somebody else's update) it looks again. So an action whose answer got lost is found done, and is not done
twice, whether it is the same invocation that looks or the next one.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

import boto3
from botocore import exceptions
from botocore.config import Config
from botocore.exceptions import ClientError

from shared.errors import BusyError, NotYetError, RefusedError

Result = TypeVar("Result")

PAUSE_SECONDS = 5.0
RESERVE_SECONDS = 20.0  # what a function keeps to say that its time is up
_A_FEW = 3
_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=5, read_timeout=20)

# Refusals that pass by themselves: a part of the code, words of the message, and how often to try where it may stay.
_PASSING: tuple[tuple[str, str, int], ...] = (
    ("Throttl", "", 0),
    ("TooManyRequests", "", 0),
    ("RequestLimitExceeded", "", 0),
    ("ConcurrentUpdate", "", 0),
    ("ObjectNotFoundException", "", _A_FEW),  # a scalable target that is not known everywhere yet
    ("ValidationException", "in-progress", 0),
    ("ValidationException", "already existing", 0),  # an answer got lost
    ("ValidationException", "Could not find", 0),  # made a moment ago
    ("ValidationException", "Unable to assume IAM role", _A_FEW),  # a service-linked role made a moment ago
)
_ABSENCE = (("ResourceNotFound", ""), ("ValidationException", "Could not find"))
_LINKED_ROLE = (
    "let the function's role do iam:CreateServiceLinkedRole, or make that role once: "
    "aws iam create-service-linked-role --aws-service-name sagemaker.application-autoscaling.amazonaws.com"
)
_REMEDIES: tuple[tuple[str, str, str], ...] = (
    ("", "AWSServiceRoleForApplicationAutoScaling", _LINKED_ROLE),
    ("", "CreateServiceLinkedRole", _LINKED_ROLE),
    ("AccessDenied", "", "allow it in the policy of the function's role, and put the pipeline up again"),
    ("ResourceLimitExceeded", "", "ask for more in Service Quotas, or choose fewer or other instances"),
    ("LimitExceeded", "", "ask for more in Service Quotas"),
)


@dataclass(frozen=True)
class Call:
    """One call, as data: service and operation by boto3's names."""

    service: str
    operation: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@cache
def client(service: str) -> Any:
    """boto3's client, made at first use and kept as long as the function is warm."""
    return boto3.client(service, config=_CONFIG)


@dataclass(frozen=True)
class Aws:
    """The services; a test hands in others."""

    clients: Callable[[str], Any] = client

    def ask(self, service: str, operation: str, /, **arguments: Any) -> Any:
        """What AWS answers; NotYetError where asking again will help, else RefusedError."""
        try:
            return self._answer(service, operation, arguments)
        except ClientError as error:
            raise told(error) from error

    def make(self, call: Call) -> Any:
        """Make a call that was planned."""
        return self.ask(call.service, call.operation, **call.arguments)

    def find(self, service: str, operation: str, /, **arguments: Any) -> Any:
        """What AWS answers, or None if what it is about is not there."""
        try:
            return self._answer(service, operation, arguments)
        except ClientError as error:
            if any(_is(error, code, words) for code, words in _ABSENCE):
                return None
            raise told(error) from error

    def each(self, service: str, operation: str, key: str, /, **arguments: Any) -> Iterator[Any]:
        """The entries under a key of all pages."""
        more: dict[str, str] = {}
        while True:
            page = self.ask(service, operation, **arguments, **more)
            yield from page.get(key, ())
            if not page.get("NextToken"):
                return
            more = {"NextToken": page["NextToken"]}

    def _answer(self, service: str, operation: str, arguments: Mapping[str, Any]) -> Any:
        try:
            return getattr(self.clients(service), operation)(**arguments)
        except (exceptions.ConnectionError, exceptions.HTTPClientError) as error:
            raise NotYetError(f"{operation} of {service} got no answer: {_line(str(error))}") from error


@dataclass(frozen=True)
class Patience:
    """How long a function may still go on, in seconds, and how it waits."""

    remaining: Callable[[], float]
    sleep: Callable[[float], None] = time.sleep

    @classmethod
    def of(cls, context: Any, reserve: float = RESERVE_SECONDS) -> Patience:
        """Until shortly before Lambda ends the invocation; a short one keeps a third of its time to end in."""

        def left() -> float:
            return float(context.get_remaining_time_in_millis()) / 1000

        kept = min(reserve, left() / 3)
        return cls(lambda: left() - kept)


def until_settled(turn: Callable[[], Result], patience: Patience, remedy: str) -> Result:
    """What a turn comes to, once nothing is in its way; BusyError, with the remedy, when time is up before."""
    times: Counter[str] = Counter()
    while True:
        try:
            return turn()
        except NotYetError as not_yet:
            times[str(not_yet)] += 1
            if not_yet.refusal is not None and not_yet.tries and times[str(not_yet)] >= not_yet.tries:
                raise not_yet.refusal from not_yet
            if patience.remaining() < PAUSE_SECONDS:
                raise BusyError(f"{not_yet}; {remedy}") from not_yet
        patience.sleep(PAUSE_SECONDS)


def told(error: ClientError) -> NotYetError | RefusedError:
    """An error of AWS in one line, with a remedy where one is known."""
    code, message = error.response["Error"]["Code"], _line(error.response["Error"].get("Message", ""))
    text = f"{error.operation_name} was refused with {code}: {message.rstrip('.')}"
    remedy = next((remedy for part, words, remedy in _REMEDIES if _is(error, part, words)), "")
    refusal = RefusedError(f"{text}; {remedy}" if remedy else text, code)
    if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400) >= 500:
        return NotYetError(text, refusal)
    tries = next((tries for part, words, tries in _PASSING if _is(error, part, words)), None)
    return refusal if tries is None else NotYetError(text, refusal, tries)


def _is(error: ClientError, code: str, words: str) -> bool:
    found = error.response["Error"]
    return code in found["Code"] and words in found.get("Message", "")


def _line(text: str) -> str:
    return " ".join(text.split())
