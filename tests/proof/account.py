"""What the operator does to an account: create everything, repair it after manual changes, and remove it again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pedigree.account.account import Account
from pedigree.account.apply import apply_plan
from pedigree.account.errors import OperationsError
from pedigree.account.plan import Change, ManagedResource, plan
from pipeline.account import removals
from pipeline.account.destroy import DataRemoval
from pipeline.account.removals import Removal, RemovalContext
from pipeline.account.roles import documents
from pipeline.account.upsert import resources
from pipeline.settings.tree import Settings
from tests.policies.arns import IN_ACCOUNT
from tests.proof.manual_changes import MANUAL_CHANGES, attached_policy, leftovers, running_execution
from tests.proof.proving import Scenario, ScenarioStep
from tests.support.definitions import CODE, configure

_BEFORE = {"pipelines": running_execution, "roles": attached_policy}
UPSERT_FILES = ("functions", "roles", "upsert")
SETTINGS = {**IN_ACCOUNT, "functions.predict.provisioned_concurrency": 1}


def apply_resources(resources: Iterable[ManagedResource], account: Account) -> str:
    """Upsert resources; returns the refusal, or nothing."""
    chosen = list(resources)
    try:
        apply_plan(chosen, account, plan(chosen, account), lambda _change: None)
    except OperationsError as error:
        return str(error)
    return ""


def everything(settings: Settings) -> list[ManagedResource]:
    """All resources that upsert makes."""
    return resources(settings, CODE, documents(settings))


@dataclass(frozen=True)
class Removed:
    """One kind of thing that destroy removes."""

    removal: Removal
    settings: Settings

    def changes(self, account: Account) -> Iterator[Change]:
        """The removal of each thing of this kind in the account."""
        yield from self.removal(RemovalContext(account, self.settings))


def resource_name(resource: ManagedResource) -> str:
    return f"{type(resource).__name__} {getattr(resource, 'name', getattr(resource, 'function', ''))}".strip()


def _create(resource: ManagedResource) -> ScenarioStep:
    return ScenarioStep(
        f"upsert: {resource_name(resource)}", lambda env: apply_resources([resource], env.account), files=UPSERT_FILES
    )


def _repair(resource: ManagedResource) -> Iterator[ScenarioStep]:
    """The same step again after each manual change of the resource."""
    step = _create(resource)
    for change in MANUAL_CHANGES.get(resource_name(resource), ()):
        name = f"{step.name}, {change.__name__.replace('_', ' ')}"
        yield ScenarioStep(name, step.do, files=UPSERT_FILES, before=change)


def _remove(removal: Removal, settings: Settings) -> ScenarioStep:
    removed = Removed(removal, settings)
    name = removal.__name__.replace("_", " ")
    files = (*UPSERT_FILES, "policy") if removal is removals.schedule else UPSERT_FILES
    before = _BEFORE.get(name, leftovers)
    return ScenarioStep(
        f"destroy: {name}", lambda env: apply_resources([removed], env.account), files=files, before=before
    )


def _steps(settings: Settings) -> Iterator[ScenarioStep]:
    resources_of_account = everything(settings)
    yield from map(_create, resources_of_account)
    yield from (step for resource in resources_of_account for step in _repair(resource))
    yield from (_remove(removal, settings) for removal in removals.IN_ORDER)
    yield ScenarioStep(
        "destroy: data", lambda env: apply_resources([DataRemoval(settings)], env.account), files=UPSERT_FILES
    )


ACCOUNT = Scenario("account", tuple(_steps(configure(SETTINGS))), SETTINGS)
