"""IAM in the chain of a request's handlers: whether its caller may make it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pedigree.iam import Request
from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.iam import s3_requests, sts_requests
from pedigree.localaws.iam.actions import TABLES
from pedigree.localaws.iam.authorizer import Authorizer
from pedigree.localaws.iam.callers import UnknownKeyError


def authorization(authorizer: Authorizer) -> Callable[[Exchange], None]:
    """Lets requests pass that their callers may make; AccessDeniedError for all others.

    It stands in the chain three times. Before the body was received it decides what it can; after that the rest, but
    for requests to STS, which are validated before.
    """

    def authorize(exchange: Exchange) -> None:
        caller = exchange.caller
        if caller is None:
            raise UnknownKeyError
        if exchange.is_authorized or not _is_time(exchange):
            return
        if exchange.call is not None:
            if exchange.service == "sts":
                sts_requests.check(exchange.call)
            authorizer.check_call(caller, exchange.call)
        elif authorizer.must_decide(caller):
            authorizer.check(caller, _uncalled(exchange), exchange.region)
        exchange.is_authorized = True

    return authorize


def _is_time(exchange: Exchange) -> bool:
    """Whether all is known that a decision about a request needs."""
    if exchange.service == "sts" and exchange.call is not None:
        return exchange.is_validated
    return exchange.payload is not None or _is_decided_by_head(exchange)


def _is_decided_by_head(exchange: Exchange) -> bool:
    return exchange.service == "s3" and not s3_requests.names_resources_in_body(exchange)


def _uncalled(exchange: Exchange) -> Iterable[Request]:
    """What a request needs that names no operation: one that nothing can make out needs everything of its service."""
    if exchange.service == "s3":
        return s3_requests.requests(exchange)
    return (Request(f"{TABLES[exchange.service].prefix}:{exchange.method.title()}"),)
