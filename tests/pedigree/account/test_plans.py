"""A plan is data: it is shown, carried out call by call, and checked afterwards."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, NoCredentialsError, SSLError

from pedigree.account import show
from pedigree.account.account import Account
from pedigree.account.apply import apply_plan
from pedigree.account.errors import (
    AbsentError,
    CallRefusedError,
    DeniedError,
    TransientError,
    UnfinishedError,
    UnreachableError,
)
from pedigree.account.plan import ApiCall, Change, Plan, SavedValue, plan


def refusal(code: str, message: str = "", operation: str = "PutThing") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


class Shelf:
    """A service that stores things by name, and first refuses the calls that a test names."""

    def __init__(self, *refusals: Exception) -> None:
        self.things: dict[str, str] = {}
        self.refusals = list(refusals)
        self.calls: list[str] = []

    def put_thing(self, name: str, label: str) -> dict[str, Any]:
        self.calls.append(f"put {name}")
        if self.refusals:
            raise self.refusals.pop(0)
        self.things[name] = label
        return {"Thing": {"Id": f"id of {name}"}}


class PatientClock:
    """A clock in which waiting takes no time."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> dt.datetime:
        return dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class Thing:
    """Something that is to be on the shelf, with a label that comes from its neighbour's answer."""

    def changes(self, account: Account) -> Iterator[Change]:
        if "b" not in account.clients("lambda").things:
            calls = (
                ApiCall("lambda", "put_thing", {"name": "a", "label": "first"}, save_as="a"),
                ApiCall("lambda", "put_thing", {"name": "b", "label": SavedValue("a", "Thing.Id")}),
            )
            yield Change("create", "thing", "b", calls, ("it is not there",))


class Stubborn:
    """Something that is never as it should be."""

    def changes(self, account: Account) -> Iterable[Change]:
        return [Change("update", "thing", "c", (ApiCall("lambda", "put_thing", {"name": "c", "label": ""}),))]


def account(shelf: Shelf) -> Account:
    return Account(
        "123456789012", "us-east-1", lambda service: shelf, "arn:aws:iam::123456789012:user/me", PatientClock()
    )


def carried_out(shelf: Shelf) -> list[str]:
    lines: list[str] = []
    resources = [Thing()]
    apply_plan(
        resources, account(shelf), plan(resources, account(shelf)), lambda change: lines.append(show.line(change))
    )
    return lines


def test_what_a_call_answers_reaches_the_calls_after_it() -> None:
    shelf = Shelf()
    assert carried_out(shelf) == ["  + thing b"]
    assert shelf.things == {"a": "first", "b": "id of a"}


def test_a_second_run_has_nothing_to_do() -> None:
    shelf = Shelf()
    carried_out(shelf)
    shelf.calls.clear()
    assert carried_out(shelf) == []
    assert shelf.calls == []


@pytest.mark.parametrize(
    "passing",
    [
        refusal("InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda."),
        refusal("ResourceConflictException", "An update is in progress for resource: f"),
    ],
)
def test_a_refusal_that_passes_is_waited_out(passing: ClientError) -> None:
    shelf = Shelf(passing, passing)
    carried_out(shelf)
    assert shelf.things == {"a": "first", "b": "id of a"}


def test_waiting_has_an_end() -> None:
    shelf = Shelf(*[refusal("ResourceConflictException", "An update is in progress")] * 1000)
    with pytest.raises(UnfinishedError, match="waited 90 seconds"):
        carried_out(shelf)


def test_what_is_there_already_is_looked_at_again() -> None:
    shelf = Shelf(refusal("EntityAlreadyExists", "a is there"))
    assert carried_out(shelf) == ["  + thing b", "  + thing b"]


def test_a_change_that_never_takes_effect_is_reported() -> None:
    resources = [Stubborn()]
    with pytest.raises(UnfinishedError, match="thing c"):
        apply_plan(resources, account(Shelf()), plan(resources, account(Shelf())), lambda change: None)


def test_a_plan_is_read_before_it_is_done() -> None:
    shelf = Shelf()
    assert list(show.lines(plan([Thing()], account(shelf)))) == [
        "  + thing b",
        "      it is not there",
        "To do: 1 to create.",
    ]
    assert list(show.lines(Plan(()))) == ["Nothing to change: everything matches the settings."]
    assert shelf.calls == []


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (
            refusal("AccessDeniedException", "User: arn:aws:sts::123456789012:assumed-role/ci/x is not authorized to "
                    "perform: lambda:PutThing on resource: arn:aws:lambda:us-east-1:123456789012:thing:a because no"),
            DeniedError,
            "arn:aws:sts::123456789012:assumed-role/ci/x may not lambda:PutThing on "
            "arn:aws:lambda:us-east-1:123456789012:thing:a; allow it in the policy of that user or role",
        ),
        (
            refusal("AccessDenied", "Access Denied"),
            DeniedError,
            "arn:aws:iam::123456789012:user/me may not lambda:PutThing on a; allow it",
        ),
        (refusal("ExpiredToken"), UnreachableError, "the AWS credentials have expired; log in anew"),
        (refusal("ResourceLimitExceeded", "ml.g5.xlarge usage is 0"), CallRefusedError, "is used up"),
        (refusal("ValidationException", "no\nvalue"), CallRefusedError, "PutThing: no value (ValidationException)"),
        (refusal("ResourceNotFoundException", "no such thing"), AbsentError, "no such thing (ResourceNotFound"),
        (refusal("ThrottlingException", "Rate exceeded"), TransientError, "Rate exceeded (Throttling"),
        (refusal("InternalFailure"), TransientError, "InternalFailure"),
        (ConnectionClosedError(endpoint_url="https://x"), TransientError, "lambda could not be asked"),
        (SSLError(endpoint_url="https://x", error="no"), UnreachableError, "lambda could not be asked"),
        (NoCredentialsError(), UnreachableError, "there are no AWS credentials here"),
    ],
)  # fmt: skip
def test_a_refusal_is_one_line_with_its_remedy(error: Exception, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as raised:
        account(Shelf(error)).call("lambda", "put_thing", name="a", label="x")
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)
