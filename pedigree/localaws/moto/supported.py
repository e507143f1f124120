"""Which operations moto has: those that it has a method for, but for those that it only pretends to do."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module

from pedigree.localaws.moto.backends import SERVICES

_LEFT_OUT: Mapping[str, frozenset[str]] = {
    "lambda": frozenset({"InvokeAsync", "InvokeWithResponseStream"}),
    # moto gives out keys that open nothing, or a role to anybody, whatever the assertion or the token says.
    "sts": frozenset({"GetSessionToken", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "AssumeRoot"}),
}


def is_supported(service: str, operation: str) -> bool:
    """Whether moto can do an operation, by the service's name in credential scopes."""
    from moto.core.utils import camelcase_to_underscores  # moto takes a second to import

    is_left_out = operation in _LEFT_OUT.get(service, ())
    return not is_left_out and camelcase_to_underscores(operation) in _methods(SERVICES[service][0])


@cache
def _methods(name: str) -> frozenset[str]:
    # moto takes a second to import.
    from moto.core.responses import BaseResponse
    from moto.core.utils import method_names_from_class

    answering = import_module(f"moto.{name}.urls").url_paths.values()
    classes = {getattr(method, "__self__", BaseResponse) for method in answering}
    common = method_names_from_class(BaseResponse)
    return frozenset(name for owner in classes for name in method_names_from_class(owner)).difference(common)
