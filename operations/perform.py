"""Make the calls of a plan, and see that it came true.

A call may find that what an earlier one made is not everywhere yet (a role that Lambda does not know for some seconds,
a function that is still changing): such refusals pass, so they are asked again within a bound. After the last change
the parts are asked once more; what still differs, because a connection was cut or somebody else was at work, is
mended in another round, and what differs after the last round is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from operations.account import Account
from operations.errors import RefusedError, UnfinishedError
from operations.plan import Call, Change, Part, Plan, Saved, plan

Report = Callable[[Change], None]
ROUNDS = 3
PATIENCE_SECONDS = 90.0
_PAUSE_SECONDS = 2.0

# Refusals that pass by themselves: service, code, words of the message.
_PASSING: tuple[tuple[str, str, str], ...] = (
    ("lambda", "InvalidParameterValueException", "cannot be assumed by Lambda"),
    ("lambda", "ResourceConflictException", "in progress"),
    ("lambda", "ResourceConflictException", "Pending"),
    ("lambda", "InvalidParameterValueException", "does not have permissions"),
    ("sqs", "QueueDeletedRecently", ""),
    ("s3", "OperationAborted", ""),
    ("scheduler", "ValidationException", "must allow"),
    ("sagemaker", "ValidationException", "assume"),
    ("ec2", "InvalidParameterValue", "Instance Profile"),
)
# Refusals of what is there already: the first answer to a repeated call got lost, or somebody else was quicker.
_THERE_ALREADY = {
    "BucketAlreadyOwnedByYou",
    "ConflictException",
    "EntityAlreadyExists",
    "ResourceAlreadyExistsException",
    "ResourceConflictException",
}


def fulfil(parts: Sequence[Part], account: Account, first: Plan, report: Report) -> None:
    """Carry a plan out, then whatever is still to do; UnfinishedError says what would not come true."""
    remaining = first
    for left in reversed(range(ROUNDS)):
        if not remaining:
            return
        _carry_out_all(remaining, account, report, is_last=not left)
        remaining = plan(parts, account)
    if remaining:
        names = ", ".join(f"{change.kind} {change.name}" for change in remaining.changes)
        raise UnfinishedError(
            f"after {ROUNDS} rounds these are not as settings have them: {names}; is somebody else at work?"
        )


def _carry_out_all(chosen: Plan, account: Account, report: Report, *, is_last: bool) -> None:
    """Make the changes in order; what turns out to be there already ends the round, for another look."""
    for change in chosen.changes:
        report(change)
        try:
            carry_out(change, account)
        except RefusedError as refusal:
            if is_last or refusal.code not in _THERE_ALREADY:
                raise
            return


def carry_out(change: Change, account: Account) -> None:
    """Make the calls of one change, in order."""
    answers: dict[str, Any] = {}
    for call in change.calls:
        answer = _make(call, {name: resolved(value, answers) for name, value in call.arguments.items()}, account)
        if call.saves:
            answers[call.saves] = answer


def resolved(value: Any, answers: Mapping[str, Any]) -> Any:
    """A value with what earlier calls answered in the place of what was saved of them."""
    if isinstance(value, Saved):
        found = answers[value.call]
        for key in value.path.split("."):
            found = found[key]
        return found
    if isinstance(value, Mapping):
        return {key: resolved(entry, answers) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [resolved(entry, answers) for entry in value]
    return value


def _make(call: Call, arguments: Mapping[str, Any], account: Account) -> Any:
    """The answer to a call, which is asked again while the refusal is one that passes."""
    deadline = account.clock.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return account.call(call.service, call.operation, **arguments)
        except RefusedError as refusal:
            if not _passes(refusal, call.service):
                raise
            if account.clock.monotonic() >= deadline:
                raise UnfinishedError(f"{refusal}; waited {PATIENCE_SECONDS:.0f} seconds for it") from refusal
            account.clock.sleep(_PAUSE_SECONDS)


def _passes(refusal: RefusedError, service: str) -> bool:
    return any(service == where and code in refusal.code and words in str(refusal) for where, code, words in _PASSING)
