"""Starts the daemon, checks its records, lets it work and kills it, again and again; then checks how all has ended."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from tests.crashing import executions, ledger, work
from tests.crashing.daemon import KillableDaemon
from tests.crashing.executions import Approver, TrackedExecution
from tests.crashing.work import CONFIGURATIONS, ENDPOINT
from tests.crashing.writers import DeliveryReader, Writer, writers

_SHORTEST, _LONGEST = 0.1, 2.0
_SHARE_KILLED_WHILE_STARTING = 0.15
_STARTING_SECONDS = 1.5
_PATIENCE_SECONDS = 150.0
_LOOK_SECONDS = 0.1
_AT_ONCE = 2
_ROUNDS_BETWEEN_CHECKS = 5


class Worker(Protocol):
    """Works in a thread of its own."""

    def start(self) -> None: ...

    def stop(self) -> None: ...


@dataclass
class CrashReport:
    """The result: figures, and all problems."""

    kills: int = 0
    figures: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


class CrashRun:
    """A local AWS that works while it is killed again and again."""

    def __init__(self, folder: Path, seed: int, tell: Callable[[str], None] = lambda _line: None) -> None:
        self._random = random.Random(seed)
        self._tell = tell
        self._daemon = KillableDaemon(folder)
        self._ledger = self._daemon.notes / "ledger"
        self._executions: list[TrackedExecution] = []
        self._updated_to: set[str] = {CONFIGURATIONS[0]}
        self._updates = 0
        self._upcoming = self._plan()
        self._report = CrashReport()
        self._writers: dict[str, Writer] = {}
        self._approver = Approver(self._daemon)

    def run(self, kills: int) -> CrashReport:
        """Kill so often, then let all executions end, and check everything."""
        self._daemon.up()
        work.create_resources(self._daemon, self._ledger)
        self._writers = dict(writers(self._daemon))
        threads: list[Worker] = [self._approver, *self._writers.values()]
        try:
            for worker in threads:
                worker.start()
            for number in range(1, kills + 1):
                self._round(checks_records=not number % _ROUNDS_BETWEEN_CHECKS)
                ended = sum(execution.is_over for execution in self._executions)
                self._tell(f"kill {number}: {ended} of {len(self._executions)} ended")
            self._daemon.up()
            self._until(lambda: self._advance(may_start=False), "executions do not end")
        finally:
            for worker in threads:
                worker.stop()
        self._tell("everything has ended; the checks begin")
        self._check_records(everything=True)
        self._tell("all acknowledged records are checked")
        self._check_the_end()
        self._daemon.down()
        self._note(f"left after the end: {orphan}" for orphan in self._daemon.orphans())
        return self._report

    def close(self) -> None:
        """Stop the daemon."""
        self._daemon.down()

    def _round(self, *, checks_records: bool) -> None:
        if self._random.random() < _SHARE_KILLED_WHILE_STARTING:
            self._daemon.kill_while_it_starts(self._random.uniform(0, _STARTING_SECONDS))
        self._daemon.up()
        self._until_none(self._daemon.orphans)
        if checks_records:
            self._check_records(everything=False)
        killing = threading.Timer(self._random.uniform(_SHORTEST, _LONGEST), self._daemon.kill)
        killing.start()
        while killing.is_alive():
            with suppress(BotoCoreError):  # it was just killed; the next round repeats the request
                self._advance()
            time.sleep(_LOOK_SECONDS)
        killing.join()
        self._report.kills = self._daemon.kills

    def _plan(self) -> Iterator[TrackedExecution]:
        """An endless sequence of executions: a good one, a poor one, one that is stopped, the good one again."""
        number = 0
        while True:
            number += 1
            yield TrackedExecution(f"wave-{number}-good", "good")
            yield TrackedExecution(f"wave-{number}-poor", "poor")
            yield TrackedExecution(f"wave-{number}-halted", "halted")
            yield TrackedExecution(f"wave-{number}-good", "good")

    def _advance(self, *, may_start: bool = True) -> bool:
        """Advance all executions; true when all have ended."""
        running = [execution for execution in self._executions if not execution.is_over]
        if may_start and len(running) < _AT_ONCE:
            self._executions.append(next(self._upcoming))
            running.append(self._executions[-1])
        for execution in running:
            execution.advance(self._daemon)
        self._update()
        return all(execution.is_over for execution in self._executions)

    def _update(self) -> None:
        """Update the endpoint to its other configuration whenever it is in service."""
        sagemaker = self._daemon.client("sagemaker")
        description = sagemaker.describe_endpoint(EndpointName=ENDPOINT)
        if description["EndpointStatus"] != "InService":
            return
        if description["EndpointConfigName"] not in self._updated_to:
            self._note([f"the endpoint has {description['EndpointConfigName']}, and was moved to {self._updated_to}"])
        other = next(name for name in CONFIGURATIONS if name != description["EndpointConfigName"])
        self._updated_to = set(CONFIGURATIONS)  # until the answer comes, it may have either
        sagemaker.update_endpoint(EndpointName=ENDPOINT, EndpointConfigName=other)
        self._updated_to = {other}
        self._updates += 1

    def _check_records(self, *, everything: bool) -> None:
        """Check that all acknowledged records exist; nothing is ever removed."""
        for name, writer in self._writers.items():
            if everything or name != "Messages":  # a message can be received only once
                self._note(writer.lost(everything=everything))

    def _check_the_end(self) -> None:
        daemon = self._daemon
        self._until_none(lambda: list(executions.jobs_left_running(daemon)))
        for execution in self._executions:
            self._note(executions.wrong_endings(daemon, execution))
        self._note(executions.repeated_steps(daemon, self._executions, self._ledger))
        self._note([*self._approver.problems, *self._approver.steps_with_several_tokens()])
        deliveries = DeliveryReader(daemon)
        self._until_none(lambda: list(deliveries.undelivered(self._writers["Approvals"], self._writers["Schedules"])))
        self._until(self._is_in_service, "the endpoint does not come to rest")
        self._until(self._serves, "the endpoint does not answer")
        for writer in self._writers.values():
            self._note(writer.problems)
        self._count()

    def _is_in_service(self) -> bool:
        description = self._daemon.client("sagemaker").describe_endpoint(EndpointName=ENDPOINT)
        return description["EndpointStatus"] == "InService" and description["EndpointConfigName"] in self._updated_to

    def _serves(self) -> bool:
        runtime = self._daemon.client("sagemaker-runtime")
        try:
            description = runtime.invoke_endpoint(EndpointName=ENDPOINT, Body=b"hello", ContentType="text/plain")
        except ClientError:
            return False
        return bool(description["Body"].read() == b"hello")

    def _count(self) -> None:
        written = ledger.read(self._ledger).values()
        self._report.figures = {
            "executions": len(self._executions),
            "updates of the endpoint": self._updates,
            "steps that ran": len(written),
            "steps that were interrupted by a kill and ran again": sum(
                sum(entry.what == "begin" for entry in entries) - 1 for entries in written
            ),
            "of these, steps whose process had finished": sum(map(ledger.finished_again, written)),
            **{f"{name} acknowledged": len(writer.acknowledged) for name, writer in self._writers.items()},
        }

    def _note(self, problems: Any) -> None:
        for problem in problems:
            self._tell(problem)
            self._report.problems.append(problem)

    def _until(self, condition: Callable[[], bool], problem: str) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not condition():
            if time.monotonic() > deadline:
                self._note([problem])
                return
            time.sleep(_LOOK_SECONDS)

    def _until_none(self, found: Callable[[], list[str]]) -> None:
        """Wait until nothing is left; what is left after a while is a problem."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while (problems := found()) and time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)
        self._note(problems)
