"""The rules, one function each. A module has the rules of one family in the order of their codes."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType

from pedigree.checks.rule import GROUPS, Rule
from pedigree.checks.rules import (
    algorithms,
    branches,
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
    *(structure, flow, references, branches, order, types, parameters, limits, policies, tuning, metrics, scripts),
    *(data, algorithms),
    *(images, distribution, debugger, machines, network, deploying, functions, secrets, schedules, permissions, cost),
)


def _rules_in(modules: Iterable[ModuleType]) -> tuple[Rule, ...]:
    rules = [value for module in modules for value in vars(module).values() if isinstance(value, Rule)]
    return tuple(sorted(rules, key=lambda rule: (list(GROUPS).index(rule.code[:3]), rule.code)))


RULES = _rules_in(_MODULES)
