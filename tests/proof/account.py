"""What the operator does to an account: create everything, repair it after manual changes, and remove it again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pedigree.account.account import Account
from pedigree.account.apply import apply_plan
from pedigree.account.errors import OperationsError
from pedigree.account.plan import Change, Part, plan
from pipeline.account import removals
from pipeline.account.destroy import DataRemoval
from pipeline.account.removals import Removal, RemovalContext
from pipeline.account.roles import documents
from pipeline.account.upsert import parts
from pipeline.settings.tree import Settings
from tests.policies.arns import IN_ACCOUNT
from tests.proof.manual_changes import MANUAL_CHANGES, attached_policy, leftovers, running_execution
from tests.proof.proving import Scenario, ScenarioStep
from tests.support.definitions import CODE, configure

_BEFORE = {"pipelines": running_execution, "roles": attached_policy}
UPSERT_FILES = ("functions", "roles", "upsert")
SETTINGS = {**IN_ACCOUNT, "functions.predict.provisioned_concurrency": 1}


def apply_parts(parts: Iterable[Part], account: Account) -> str:
    """Bring parts of the account to the state that they should have; what prevents it, or nothing."""
    chosen = list(parts)
    try:
        apply_plan(chosen, account, plan(chosen, account), lambda _change: None)
    except OperationsError as error:
        return str(error)
    return ""


def everything(settings: Settings) -> list[Part]:
    """All parts that upsert makes."""
    return parts(settings, CODE, documents(settings))


@dataclass(frozen=True)
class Removed:
    """One kind of thing that destroy removes."""

    removal: Removal
    settings: Settings

    def changes(self, account: Account) -> Iterator[Change]:
        """The removal of each thing of this kind in the account."""
        yield from self.removal(RemovalContext(account, self.settings))


def part_name(part: Part) -> str:
    return f"{type(part).__name__} {getattr(part, 'name', getattr(part, 'function', ''))}".strip()


def _create(part: Part) -> ScenarioStep:
    return ScenarioStep(f"upsert: {part_name(part)}", lambda env: apply_parts([part], env.account), files=UPSERT_FILES)


def _repair(part: Part) -> Iterator[ScenarioStep]:
    """The same step again after each manual change of the part."""
    step = _create(part)
    for change in MANUAL_CHANGES.get(part_name(part), ()):
        name = f"{step.name}, {change.__name__.replace('_', ' ')}"
        yield ScenarioStep(name, step.do, files=UPSERT_FILES, before=change)


def _remove(removal: Removal, settings: Settings) -> ScenarioStep:
    removed = Removed(removal, settings)
    name = removal.__name__.replace("_", " ")
    files = (*UPSERT_FILES, "policy") if removal is removals.schedule else UPSERT_FILES
    before = _BEFORE.get(name, leftovers)
    return ScenarioStep(f"destroy: {name}", lambda env: apply_parts([removed], env.account), files=files, before=before)


def _steps(settings: Settings) -> Iterator[ScenarioStep]:
    parts_of_account = everything(settings)
    yield from map(_create, parts_of_account)
    yield from (step for part in parts_of_account for step in _repair(part))
    yield from (_remove(removal, settings) for removal in removals.IN_ORDER)
    yield ScenarioStep(
        "destroy: data", lambda env: apply_parts([DataRemoval(settings)], env.account), files=UPSERT_FILES
    )


ACCOUNT = Scenario("account", tuple(_steps(configure(SETTINGS))), SETTINGS)
