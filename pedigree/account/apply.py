"""Makes the calls of a plan, and checks the result.

AWS is eventually consistent: a call may be refused because AWS does not see yet what an earlier call made (a role that
Lambda does not find for some seconds, a function that is still changing). Such a call is repeated for a bounded time.
After the last change the account is read again, for a while, because AWS shows some changes late. What still differs,
because a connection was cut or another user changed it, is corrected in another round; what differs after the last
round is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pedigree.account.account import Account
from pedigree.account.empty_bucket import empty
from pedigree.account.errors import CallRefusedError, UnfinishedError
from pedigree.account.plan import ApiCall, Change, EmptyBucket, ManagedResource, Plan, SavedValue, Upload, Wait, plan
from pedigree.account.upload import upload

Report = Callable[[Change], None]
Waiting = Callable[[str, float], None]
ROUNDS = 3
PATIENCE_SECONDS = 90.0
_SETTLING_SECONDS = 75.0
_PAUSE_SECONDS = 2.0
_LONG_PAUSE_SECONDS = 5.0

# Refusals that end after a while: service, code, words of the message.
_TEMPORARY: tuple[tuple[str, str, str], ...] = (
    ("lambda", "InvalidParameterValueException", "cannot be assumed by Lambda"),
    ("lambda", "InvalidParameterValueException", "does not have permissions"),
    ("lambda", "InvalidParameterValueException", "does not have permission"),
    ("lambda", "ResourceConflictException", "in progress"),
    ("lambda", "ResourceConflictException", "Pending"),
    ("lambda", "ResourceInUseException", ""),
    ("sqs", "QueueDeletedRecently", ""),
    ("s3", "OperationAborted", ""),
    ("s3", "NoSuchBucket", ""),
    ("scheduler", "ValidationException", "must allow"),
    ("sagemaker", "ValidationException", "assume"),
    ("iam", "ConcurrentModification", ""),
    ("ec2", "InvalidParameterValue", "Instance Profile"),
)
# Refusals of what exists already: the first answer to a repeated call got lost, or another user was quicker.
_EXISTS_ALREADY: tuple[tuple[str, str], ...] = (
    ("BucketAlreadyOwnedByYou", ""),
    ("ConflictException", ""),
    ("EntityAlreadyExists", ""),
    ("InvalidInput", "has been taken in this account"),
    ("PreconditionFailed", ""),
    ("QueueAlreadyExists", ""),
    ("QueueNameExists", ""),
    ("ResourceAlreadyExistsException", ""),
    ("ResourceInUse", ""),
    ("ValidationException", "must be unique within an AWS account"),
)


def _silently(what: str, seconds: float) -> None:
    """Reports no waiting."""


@dataclass(frozen=True)
class _ChangeExecutor:
    """Makes the calls of one change, and keeps their answers."""

    account: Account
    waiting: Waiting
    change: Change
    answers: dict[str, Any] = field(default_factory=dict)

    def make(self, call: ApiCall) -> None:
        """Makes one call, and repeats it while its refusal is temporary."""
        arguments = {name: resolved(value, self.answers) for name, value in call.arguments.items()}
        ask = self.account.find if self.change.verb == "delete" else self.account.call
        since = self.account.clock.monotonic()
        while True:
            try:
                answer = ask(call.service, call.operation, **arguments)
                break
            except CallRefusedError as refusal:
                if not _is_temporary(refusal, call.service):
                    raise
                self._pause(since, PATIENCE_SECONDS, f"AWS to be ready for {self.change.name}", refusal)
        if call.save_as:
            self.answers[call.save_as] = answer

    def wait(self, wait: Wait) -> None:
        """Polls until the wait ends, or the time is up."""
        since = self.account.clock.monotonic()
        while not self._is_over(wait):
            self._pause(since, wait.seconds, wait.what, None)

    def _is_over(self, wait: Wait) -> bool:
        answer = self.account.find(wait.service, wait.operation, **wait.arguments)
        if answer is None or not wait.path:
            return answer is None
        value = _at(answer, wait.path)
        if value in wait.failed:
            why = " ".join(str(answer.get(wait.reason) or "no reason given").split()).rstrip(".")
            raise UnfinishedError(f"waited for {wait.what}, and it failed: {why}", wait.remedy)
        return value in wait.wanted

    def _pause(self, since: float, patience: float, what: str, refusal: CallRefusedError | None) -> None:
        clock = self.account.clock
        waited = clock.monotonic() - since
        if waited >= patience:
            cause = (
                f"{refusal.cause} (waited {patience:.0f} seconds for it)"
                if refusal
                else f"waited {patience:.0f} seconds for {what}"
            )
            again = "run it again to go on from here"
            raise UnfinishedError(cause, (refusal and refusal.remedy) or again) from refusal
        self.waiting(what, waited)
        clock.sleep(_PAUSE_SECONDS if refusal else _LONG_PAUSE_SECONDS)


def apply_plan(
    resources: Sequence[ManagedResource], account: Account, first: Plan, report: Report, waiting: Waiting = _silently
) -> None:
    """Applies a plan, then what is still to do; raises UnfinishedError for what remains after the last round."""
    remaining = first
    for left in reversed(range(ROUNDS)):
        if not remaining:
            return
        complete = _apply_changes(remaining, account, report, waiting, is_last=not left)
        remaining = _settled(resources, account, waiting) if complete else plan(resources, account)
    if remaining:
        names = ", ".join(
            f"{change.kind} {change.name}{f' ({change.why[0]})' if change.why else ''}" for change in remaining.changes
        )
        raise UnfinishedError(f"after {ROUNDS} rounds this is still to do: {names}", "does another user change it now?")


def _settled(resources: Sequence[ManagedResource], account: Account, waiting: Waiting) -> Plan:
    """Returns what is still to do once AWS has had time to show the changes."""
    since = account.clock.monotonic()
    while True:
        remaining = plan(resources, account)
        waited = account.clock.monotonic() - since
        if waited >= _SETTLING_SECONDS or all(map(_only_takes_time, remaining.changes)):
            return remaining
        waiting(f"AWS to show {remaining.changes[0].kind} {remaining.changes[0].name} as it is now", waited)
        account.clock.sleep(_LONG_PAUSE_SECONDS)


def _only_takes_time(change: Change) -> bool:
    return all(isinstance(act, Wait) for act in change.calls)


def _apply_changes(chosen: Plan, account: Account, report: Report, waiting: Waiting, *, is_last: bool) -> bool:
    """Makes the changes in order; a resource that exists already ends the round."""
    for change in chosen.changes:
        report(change)
        try:
            apply_change(change, account, waiting)
        except CallRefusedError as refusal:
            if is_last or not any(code in refusal.code and words in str(refusal) for code, words in _EXISTS_ALREADY):
                raise
            return False
    return True


def apply_change(change: Change, account: Account, waiting: Waiting = _silently) -> Mapping[str, Any]:
    """Makes the calls of one change in order; returns the answers to save."""
    executor = _ChangeExecutor(account, waiting, change)
    for act in change.calls:
        match act:
            case ApiCall():
                executor.make(act)
            case Wait():
                executor.wait(act)
            case Upload():
                upload(act, account, waiting)
            case EmptyBucket():
                empty(act, account, waiting)
    return executor.answers


def resolved(value: Any, answers: Mapping[str, Any]) -> Any:
    """The value with each SavedValue replaced from the answers."""
    if isinstance(value, SavedValue):
        return _at(answers[value.call], value.path)
    if isinstance(value, Mapping):
        return {key: resolved(entry, answers) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [resolved(entry, answers) for entry in value]
    return value


def _at(answer: Any, path: str) -> Any:
    for key in path.split("."):
        answer = answer[key]
    return answer


def _is_temporary(refusal: CallRefusedError, service: str) -> bool:
    return any(service == where and code in refusal.code and words in str(refusal) for where, code, words in _TEMPORARY)
