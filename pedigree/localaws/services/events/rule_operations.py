"""EventBridge's operations on rules and their targets, which are checked before moto stores them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from werkzeug import Response

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol.errors import InvalidRequestError, ServiceError
from pedigree.localaws.http.service import Service
from pedigree.localaws.iam.callers import UseBackend
from pedigree.localaws.services.events import target_input
from pedigree.localaws.services.events.bus_operations import find_rule
from pedigree.localaws.services.events.pattern_syntax import check_pattern
from pedigree.schedules import cron

_SERVICE = "events"
_RULE_EXPRESSIONS = ("cron(", "rate(")
_MOST_TARGETS = 5
_INPUTS = ("Input", "InputPath", "InputTransformer")


@dataclass(frozen=True)
class RuleOperations:
    """Checks rules and targets."""

    _use_backend: UseBackend
    _moto: Service

    def put_rule(self, exchange: Exchange) -> Response:
        """Store a rule if its pattern and schedule are valid."""
        if pattern := exchange.members.get("EventPattern"):
            check_pattern(pattern)
        if expression := exchange.members.get("ScheduleExpression"):
            _check_schedule(expression)
        return self._moto(exchange)

    def describe_rule(self, exchange: Exchange) -> Response:
        return self._of_rule(exchange, "Name")

    def enable_rule(self, exchange: Exchange) -> Response:
        return self._of_rule(exchange, "Name")

    def disable_rule(self, exchange: Exchange) -> Response:
        return self._of_rule(exchange, "Name")

    def list_targets_by_rule(self, exchange: Exchange) -> Response:
        return self._of_rule(exchange, "Rule")

    def remove_targets(self, exchange: Exchange) -> Response:
        return self._of_rule(exchange, "Rule")

    def put_targets(self, exchange: Exchange) -> Response:
        """Store targets that are valid, up to the five that a rule may have."""
        targets = exchange.members["Targets"]
        for target in targets:
            _check_input(target)
        with self._use_backend(_SERVICE, exchange.region) as backend:
            rule = find_rule(backend, exchange.members.get("EventBusName"), exchange.members["Rule"])
            _check_number([*rule.targets, *targets])
        return self._moto(exchange)

    def _of_rule(self, exchange: Exchange, member: str) -> Response:
        """Call moto if the rule exists."""
        with self._use_backend(_SERVICE, exchange.region) as backend:
            find_rule(backend, exchange.members.get("EventBusName"), exchange.members[member])
        return self._moto(exchange)


def _check_schedule(expression: str) -> None:
    try:
        cron.parse(expression)
    except ValueError:
        expression = ""
    if not expression.startswith(_RULE_EXPRESSIONS):
        raise InvalidRequestError("Parameter ScheduleExpression is not valid.")


def _check_number(targets: Sequence[Mapping[str, Any]]) -> None:
    if len({target["Id"] for target in targets}) > _MOST_TARGETS:
        raise ServiceError("LimitExceededException", "The requested resource exceeds the maximum number allowed.")


def _check_input(target: Mapping[str, Any]) -> None:
    """Refuse a target whose input is said twice, or whose template names what it does not define."""
    if sum(target.get(name) is not None for name in _INPUTS) > 1:
        words = f"Only one of {', '.join(_INPUTS[:2])}, or {_INPUTS[2]} must be provided for target {target['Id']}."
        raise InvalidRequestError(words)
    for name in target_input.unknown_placeholders(target.get("InputTransformer") or {}):
        raise InvalidRequestError(f"InputTemplate for target {target['Id']} contains invalid placeholder {name}.")
