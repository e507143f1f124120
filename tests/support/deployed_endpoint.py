"""An endpoint in a fake account to which the real functions have deployed one version after another."""

from __future__ import annotations

from typing import Any

from pedigree.account.account import Account
from tests.functions.events import deploy_event, scale_event
from tests.functions.running import deploy, scale
from tests.support.definitions import configure
from tests.support.fakes.account import PACKAGE, FakeAccount
from tests.support.fakes.served_services import account_with

NAME = "dog-breeds"
SETTINGS = configure({"site.account": "123456789012"})
OTHER_MACHINE = {"instance_type": "ml.c5.xlarge"}


def account_of(world: FakeAccount) -> Account:
    return account_with(world.services, world.wire, world.clock)


def deploy_versions(*changes: dict[str, Any]) -> FakeAccount:
    """Deploy a version for each of these changes of the event; then let the endpoint scale."""
    world = FakeAccount()
    for version, change in enumerate(changes, start=1):
        package = f"{PACKAGE.rpartition('/')[0]}/{version}"
        world.register(package)
        deploy(world, deploy_event(model_package_arn=package, execution_id=f"execution{version}", **change))
        world.settle()
    scale(world, scale_event())
    return world
