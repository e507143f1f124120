"""Every verb works after any restart of the local AWS: between two verbs, and between any two calls of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pedigree.localaws.daemon import LocalAws, Options
from tests.proof.account import ACCOUNT
from tests.proof.environment import ProofEnvironment
from tests.proof.proving import Scenario
from tests.proof.scenarios import RUNNING
from tests.support.loopback import free_port

# A restart ends the jobs and functions whose sessions it forgets, and may forget lines of logs; here they go on.
IN_MEMORY = ("sts", "logs")


class RestartingEnvironment(ProofEnvironment):
    """A local AWS whose records are read from the disk before each call of a verb."""

    def __init__(self, folder: Path, values: Mapping[str, Any]) -> None:
        self.port = free_port()
        super().__init__(folder, values)

    def options(self) -> Options:
        return replace(super().options(), port=self.port)

    def before_call(self, **_: object) -> None:
        self.local.backends.restore(but=IN_MEMORY)

    def __enter__(self) -> RestartingEnvironment:
        super().__enter__()
        return self

    def restart(self) -> None:
        """Ends the local AWS and starts it anew, at the same address."""
        self.local.stop()
        self.local = LocalAws(self.options())
        self.local.start()


@pytest.mark.parametrize("scenario", [ACCOUNT, RUNNING], ids=lambda scenario: scenario.name)
def test_every_step_works_after_restarts_between_any_two_calls(scenario: Scenario, tmp_path: Path) -> None:
    with RestartingEnvironment(tmp_path, scenario.settings) as env:
        for step in scenario.steps:
            env.limit_operator(step.files)
            step.before(env)
            env.restart()
            env.clear()
            assert step.do(env) == "", step.name
