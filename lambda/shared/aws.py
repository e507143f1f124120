"""Calls AWS, and classifies errors: those that a retry can fix, those for missing resources, and refusals.

Every function here reads the state, decides, and acts; after a temporary error (a throttled call, a cut connection,
another update) it reads again. So an action whose response was lost is found done and is not repeated, whether the same
invocation reads or the next one.
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

from shared.errors import BusyError, RefusedError, RetryableError

Result = TypeVar("Result")

PAUSE_SECONDS = 5.0
RESERVE_SECONDS = 20.0  # the reserve in which a function reports that its time is up
_FEW_TRIES = 3
_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=5, read_timeout=20)

# Temporary refusals: part of the code, part of the message, and the number of tries if it may be permanent.
_RETRYABLE: tuple[tuple[str, str, int], ...] = (
    ("Throttl", "", 0),
    ("TooManyRequests", "", 0),
    ("RequestLimitExceeded", "", 0),
    ("ConcurrentUpdate", "", 0),
    ("ObjectNotFoundException", "", _FEW_TRIES),  # a new scalable target that is not visible everywhere yet
    ("ValidationException", "in-progress", 0),
    ("ValidationException", "already existing", 0),  # a response was lost
    ("ValidationException", "Could not find", 0),  # created a moment ago
    ("ValidationException", "Unable to assume IAM role", _FEW_TRIES),  # a service-linked role created a moment ago
)
_NOT_FOUND = (("ResourceNotFound", ""), ("ValidationException", "Could not find"))
_LINKED_ROLE = (
    "allow iam:CreateServiceLinkedRole for the function's role, or create that role once: "
    "aws iam create-service-linked-role --aws-service-name sagemaker.application-autoscaling.amazonaws.com"
)
_REMEDIES: tuple[tuple[str, str, str], ...] = (
    ("", "AWSServiceRoleForApplicationAutoScaling", _LINKED_ROLE),
    ("", "CreateServiceLinkedRole", _LINKED_ROLE),
    ("AccessDenied", "", "allow it in the policy of the function's role, and upsert the pipeline again"),
    ("ResourceLimitExceeded", "", "request a higher limit in Service Quotas, or use fewer or other instances"),
    ("LimitExceeded", "", "request a higher limit in Service Quotas"),
)


@dataclass(frozen=True)
class AwsCall:
    """A call as data, with boto3's names of service and operation."""

    service: str
    operation: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@cache
def client(service: str) -> Any:
    """Returns boto3's client; created at first use and reused while the function is warm."""
    return boto3.client(service, config=_CONFIG)


@dataclass(frozen=True)
class Aws:
    """The clients of AWS's services; tests pass others."""

    clients: Callable[[str], Any] = client

    def call(self, service: str, operation: str, /, **arguments: Any) -> Any:
        """Returns a response; raises RetryableError if a retry can help, else RefusedError."""
        try:
            return self._answer(service, operation, arguments)
        except ClientError as error:
            raise translate_error(error) from error

    def execute(self, call: AwsCall) -> Any:
        """Makes a planned call."""
        return self.call(call.service, call.operation, **call.arguments)

    def find(self, service: str, operation: str, /, **arguments: Any) -> Any:
        """Returns a response, or None if the resource does not exist."""
        try:
            return self._answer(service, operation, arguments)
        except ClientError as error:
            if any(_matches(error, code, message_part) for code, message_part in _NOT_FOUND):
                return None
            raise translate_error(error) from error

    def paginate(self, service: str, operation: str, key: str, /, **arguments: Any) -> Iterator[Any]:
        """Yields the entries under a key from all pages."""
        pagination: dict[str, str] = {}
        while True:
            page = self.call(service, operation, **arguments, **pagination)
            yield from page.get(key, ())
            if not page.get("NextToken"):
                return
            pagination = {"NextToken": page["NextToken"]}

    def _answer(self, service: str, operation: str, arguments: Mapping[str, Any]) -> Any:
        try:
            return getattr(self.clients(service), operation)(**arguments)
        except (exceptions.ConnectionError, exceptions.HTTPClientError) as error:
            raise RetryableError(f"{operation} of {service} got no response: {_one_line(str(error))}") from error


@dataclass(frozen=True)
class TimeBudget:
    """How long a function may continue, in seconds, and how it sleeps."""

    remaining: Callable[[], float]
    sleep: Callable[[float], None] = time.sleep

    @classmethod
    def of(cls, context: Any, reserve: float = RESERVE_SECONDS) -> TimeBudget:
        """Returns the time until shortly before Lambda ends the invocation; a short one reserves a third."""

        def remaining_seconds() -> float:
            return float(context.get_remaining_time_in_millis()) / 1000

        reserved = min(reserve, remaining_seconds() / 3)
        return cls(lambda: remaining_seconds() - reserved)


def retry_until_done(attempt: Callable[[], Result], budget: TimeBudget, remedy: str) -> Result:
    """Repeats an attempt until it succeeds; raises BusyError with the remedy if time is up before."""
    attempts: Counter[str] = Counter()
    while True:
        try:
            return attempt()
        except RetryableError as retryable:
            attempts[str(retryable)] += 1
            if retryable.refusal is not None and retryable.tries and attempts[str(retryable)] >= retryable.tries:
                raise retryable.refusal from retryable
            if budget.remaining() < PAUSE_SECONDS:
                raise BusyError(str(retryable), remedy) from retryable
        budget.sleep(PAUSE_SECONDS)


def translate_error(error: ClientError) -> RetryableError | RefusedError:
    """Translates an error of AWS into one line, with a remedy if there is one."""
    code, message = error.response["Error"]["Code"], _one_line(error.response["Error"].get("Message", ""))
    text = f"{error.operation_name} was refused with {code}: {message.rstrip('.')}"
    remedy = next((remedy for code, message_part, remedy in _REMEDIES if _matches(error, code, message_part)), "")
    refusal = RefusedError(text, remedy, code)
    if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400) >= 500:
        return RetryableError(text, refusal)
    tries = next((tries for code, message_part, tries in _RETRYABLE if _matches(error, code, message_part)), None)
    return refusal if tries is None else RetryableError(text, refusal, tries)


def _matches(error: ClientError, code: str, message_part: str) -> bool:
    details = error.response["Error"]
    return code in details["Code"] and message_part in details.get("Message", "")


def _one_line(text: str) -> str:
    return " ".join(text.split())
