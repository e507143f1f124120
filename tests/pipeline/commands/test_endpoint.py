"""The endpoint as a user meets it: real processes, and a server on this machine that stands for AWS."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.functions.events import deploy_event
from tests.functions.running import deploy
from tests.support.cli import pedigree
from tests.support.fakes.account import PACKAGE, FakeAccount
from tests.support.fakes.clock import SimulatedClock
from tests.support.fakes.endpoint_services import registry
from tests.support.fakes.served_services import serve


@dataclass
class Hurried(SimulatedClock):
    """A clock that advances at each call."""

    def now(self) -> float:
        self.seconds += 60
        return self.seconds


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """An account with an endpoint that has had two versions."""
    world = FakeAccount()
    for version in (1, 2):
        package = f"{PACKAGE.rpartition('/')[0]}/{version}"
        world.register(package)
        deploy(world, deploy_event(model_package_arn=package, execution_id=str(version)))
        world.settle()
    world.sagemaker.clock = Hurried(world.clock.seconds)
    with serve(world.services, world.wire) as found:
        yield found


def run(address: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return pedigree(address, *arguments)


def test_a_rollback_is_shown_first_and_needs_a_yes(address: str) -> None:
    shown = run(address, "rollback", "--dry-run")
    assert shown.stdout.splitlines()[0] == "  ~ endpoint dog-breeds"
    assert shown.stdout.splitlines()[1].endswith(": version 2 on ml.m5.large")
    assert shown.stdout.splitlines()[2].endswith(": version 1 on ml.m5.large")
    assert shown.returncode == 0
    refused = run(address, "rollback")
    assert "there is no terminal to ask for consent; add --yes to do it" in refused.stderr
    assert refused.returncode == 2


def test_back_and_forth_again(address: str) -> None:
    live = run(address, "endpoint-status").stdout.splitlines()[0].rpartition(" ")[2]
    back = run(address, "rollback", "--yes", "--every", "0.1").stdout.splitlines()
    assert back[4].startswith("Updating, ")
    assert back[-2].endswith(": version 1 on ml.m5.large")
    assert back[-1] == f"to go forward again: `pedigree rollback --to {live}`"
    forth = run(address, "rollback", "--to", live, "--yes", "--every", "0.1")
    assert forth.stdout.splitlines()[-2] == f"endpoint dog-breeds serves {live}: version 2 on ml.m5.large"


def test_the_status_as_text_and_as_json(address: str) -> None:
    lines = run(address, "endpoint-status").stdout.splitlines()
    assert lines[0].startswith("endpoint dog-breeds: InService, configuration dog-breeds-v2-")
    assert lines[3].split() == ["VARIANT", "SERVES", "MACHINE", "INSTANCES", "SCALING"]
    assert lines[4].split()[:6] == ["AllTraffic", "version", "2", "ml.m5.large", "0", "of"]
    assert lines[4].endswith("fixed: not registered for scaling")
    document = json.loads(run(address, "endpoint-status", "--json").stdout)
    assert document["fleets"][0]["version"] == "version 2"
    missing = run(address, "endpoint-status", "--endpoint", "cats")
    assert (missing.returncode, missing.stderr.count("\n")) == (2, 1)


@pytest.mark.parametrize("version", ["0", "²"])
def test_a_wrong_version_is_reported(address: str, version: str) -> None:
    done = run(address, "approve", "--", version)
    assert done.stderr == f"pedigree: {version} is no version; give its number, as `pedigree approve` lists it\n"
    assert done.returncode == 2


def test_versions_are_listed_and_one_is_approved() -> None:
    registered = registry("Approved", "PendingManualApproval")
    with serve({"sagemaker": registered}) as found:
        rows = [line.split() for line in run(found, "approve").stdout.splitlines()]
        assert rows[0] == ["VERSION", "APPROVAL", "REGISTERED", "ENDPOINT"]
        assert [(row[0], row[1], row[-1]) for row in rows[1:]] == [
            ("2", "PendingManualApproval", "serves"),
            ("1", "Approved", "12:00:00"),
        ]
        assert json.loads(run(found, "approve", "--json").stdout)[0]["endpoint"] == "serves"
        assert run(found, "approve", "1").stdout == "version 1 of dog-breeds is approved already\n"
        assert run(found, "approve", "2", "--dry-run").stdout.startswith("  ~ version dog-breeds 2\n")
        assert "update_model_package" not in registered.requests
        assert run(found, "approve", "2").stdout.startswith(
            "approved version 2 of dog-breeds; `pedigree endpoint-status`"
        )
        assert registered.requests["update_model_package"]["ModelApprovalStatus"] == "Approved"
