"""Hypothesis profiles, namespaces and shared accounts. By default, hypothesis draws the same examples in every run.

HYPOTHESIS_PROFILE=explore make test-definition ARGS="-k any"
TESTS_WITHOUT_NAMESPACES=1 make test
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.support import lock_order, namespaces

_UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], phases=set(Phase) - {Phase.explain})
settings.register_profile("default", _UNHURRIED, derandomize=True, max_examples=60)
settings.register_profile("explore", _UNHURRIED, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

# `make test` calls the tests, but their calls of commands are not make's: messages spell commands differently there.
os.environ.pop("MAKELEVEL", None)

namespaces.switch_off(os.environ)  # before there are threads, with which no process can enter a namespace
LOCKS = lock_order.track("pedigree.localaws")  # before its modules are imported


@pytest.fixture(autouse=True)
def locks_in_one_order() -> Iterator[None]:
    """Fail a test during which two locks of the local AWS were taken in both orders, even if nothing deadlocked."""
    yield
    assert not LOCKS.circles()


@pytest.fixture
def empty_account() -> Iterator[None]:
    """An empty AWS account for one test."""
    from tests.support.fakes.aws import aws

    with aws():
        yield


@pytest.fixture(scope="module")
def made_account(handlers: Path) -> Iterator[None]:
    """An AWS account after an upsert with the default settings, for the tests of one module."""
    from tests.support import accounts
    from tests.support.fakes.aws import aws

    with aws():
        accounts.apply_resources(accounts.upsert_resources(handlers), accounts.account())
        yield


@pytest.fixture(scope="session")
def handlers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with functions that only log."""
    from tests.support import accounts

    return accounts.write_handlers(tmp_path_factory.mktemp("lambda"))
