"""Which operations the services of the records have: those that moto has a method for, and those that are our own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module

from pedigree.localaws.moto.services import SERVICES

_OWN: Mapping[str, frozenset[str]] = {
    "application-autoscaling": frozenset({"DescribeScalingActivities"}),
    "events": frozenset({"PutEvents", "TestEventPattern"}),
    "lambda": frozenset(
        {
            "Invoke",
            "PutProvisionedConcurrencyConfig",
            "GetProvisionedConcurrencyConfig",
            "DeleteProvisionedConcurrencyConfig",
            "ListProvisionedConcurrencyConfigs",
        }
    ),
}
# What moto would do in a container of its own.
_LEFT_OUT: Mapping[str, frozenset[str]] = {"lambda": frozenset({"InvokeAsync", "InvokeWithResponseStream"})}


def is_supported(service: str, operation: str) -> bool:
    """Whether an operation of a service can be done, by the service's name in a credential scope."""
    from moto.core.utils import camelcase_to_underscores

    if operation in _OWN.get(service, ()):
        return True
    left_out = _LEFT_OUT.get(service, ())
    return operation not in left_out and camelcase_to_underscores(operation) in _methods(SERVICES[service][0])


@cache
def _methods(name: str) -> frozenset[str]:
    from moto.core.responses import BaseResponse
    from moto.core.utils import method_names_from_class

    answering = import_module(f"moto.{name}.urls").url_paths.values()
    classes = {getattr(one, "__self__", BaseResponse) for one in answering}
    usual = method_names_from_class(BaseResponse)
    return frozenset(method for one in classes for method in method_names_from_class(one)).difference(usual)
