"""What botocore's models say of operations: which there are, and where in a request a member of some name can stand."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import OperationNotFoundError, ServiceModel

from pedigree.localaws.iam.calls import EACH, Path


@cache
def model(name: str) -> ServiceModel:
    """A service's model, by botocore's name."""
    return ServiceModel(Loader().load_service_model(name, "service-2"), name)


@lru_cache(maxsize=2048)
def input_shape(name: str, operation: str) -> Any:
    """The shape of an operation's request; None where there is none."""
    try:
        return model(name).operation_model(operation).input_shape
    except OperationNotFoundError:
        return None


@lru_cache(maxsize=4096)
def places(name: str, operation: str, endings: tuple[str, ...]) -> tuple[Path, ...]:
    """The places in an operation's request whose names end so: RoleArn, VpcConfig.Subnets."""
    shape = input_shape(name, operation)
    wanted = [tuple(ending.split(".")) for ending in endings]
    found = _places(shape, (), frozenset()) if shape is not None else ()
    return tuple(one for one in found if any(_names(one)[-len(end) :] == end for end in wanted))


def _names(place: Path) -> Path:
    return tuple(one for one in place if one != EACH)


def _places(shape: Any, place: Path, above: frozenset[str]) -> Iterator[Path]:
    if shape.name in above:
        return
    above = above | {shape.name}
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            yield (*place, name)
            yield from _places(member, (*place, name), above)
    elif shape.type_name in ("list", "map"):
        yield from _places(shape.member if shape.type_name == "list" else shape.value, (*place, EACH), above)
