"""Holds a call against botocore's model: its operation is supported, and its members are what the model allows."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.parser import TARGET, is_form
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.http.protocol.models import MODELS, REST, input_shape, model, operations
from pedigree.localaws.http.protocol.text_values import typed
from pedigree.localaws.http.protocol.validator import checked
from pedigree.localaws.http.service import Service

_ROOT = re.compile("/?")
# A queue has a path of its own, to which older clients send what they ask of it.
_PATHS: Mapping[str, re.Pattern[str]] = {"sqs": re.compile(r"/?(\d{12}/[\w.-]{1,80})?")}
# SQS's model has forgotten what its members were called before it spoke JSON.
_UNCHECKED_FORMS = ("sqs",)
# What is required of a call of a model is its body, which only the model understands.
_UNCHECKED = ("sagemaker-runtime",)


class UnsupportedError(ServiceError):
    """An operation that the service has not, or that is not supported on this machine."""

    def __init__(self, service: str, operation: str) -> None:
        is_known = operation in operations(service)
        why = "is not supported by the local AWS" if is_known else f"is no operation of {service}"
        status = 404 if service in REST else 400
        super().__init__("UnknownOperationException", f"{operation or 'The request'} {why}", status)


def validator(services: Mapping[str, Service]) -> Callable[[Exchange], None]:
    """Lets calls pass that a service supports, with their members typed and without those that are null."""

    def validate(exchange: Exchange) -> None:
        if exchange.service not in MODELS:
            return
        call = exchange.call
        if call is None or not _is_addressed(exchange):
            raise UnsupportedError(exchange.service, exchange.operation)
        if call.operation not in operations(call.service) or not services[call.service].supports(call.operation):
            raise UnsupportedError(call.service, call.operation)
        is_flat = is_form(exchange)
        if call.service not in _UNCHECKED and not (is_flat and call.service in _UNCHECKED_FORMS):
            shape = input_shape(MODELS[call.service], call.operation)
            members = checked(shape, typed(shape, call.members, is_flat=is_flat))
            exchange.call = replace(call, members=members)
        exchange.is_validated = True

    return validate


def _is_addressed(exchange: Exchange) -> bool:
    """Whether the path and the header name the service, as far as its protocol has them do so."""
    if exchange.service in REST:
        return True
    target, prefix = exchange.headers.get(TARGET), model(MODELS[exchange.service]).metadata.get("targetPrefix")
    is_at = _PATHS.get(exchange.service, _ROOT).fullmatch(exchange.path)
    return is_at is not None and target in (None, f"{prefix}.{exchange.operation}")
