"""The rules, one function each, by family. A family's module has its rules in the order of their codes."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType

from pedigree.checks.rule import GROUPS, Rule
from pedigree.checks.rules import (
    cost,
    data,
    debugger,
    deploying,
    distribution,
    flow,
    functions,
    images,
    limits,
    machines,
    metrics,
    network,
    order,
    parameters,
    permissions,
    policies,
    references,
    schedules,
    scripts,
    secrets,
    structure,
    tuning,
    types,
)

_MODULES = (
    *(structure, flow, references, order, types, parameters, limits, policies, tuning, metrics, scripts, data),
    *(images, distribution, debugger, machines, network, deploying, functions, secrets, schedules, permissions, cost),
)


def _of(modules: Iterable[ModuleType]) -> tuple[Rule, ...]:
    found = [one for module in modules for one in vars(module).values() if isinstance(one, Rule)]
    return tuple(sorted(found, key=lambda one: (list(GROUPS).index(one.code[:3]), one.code)))


RULES = _of(_MODULES)
