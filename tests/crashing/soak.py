"""Kill after kill: what is up is looked through, work goes on for a while, and the daemon is killed at some moment."""

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
from tests.crashing.daemon import Victim
from tests.crashing.executions import Approver, Flow
from tests.crashing.work import CONFIGURATIONS, ENDPOINT
from tests.crashing.writers import Hearer, Writer, writers

_SHORTEST, _LONGEST = 0.1, 2.0
_SHARE_KILLED_WHILE_STARTING = 0.15
_STARTING_SECONDS = 1.5
_PATIENCE_SECONDS = 150.0
_LOOK_SECONDS = 0.1
_AT_ONCE = 2
_ROUNDS_BETWEEN_LOOKS = 5


class Busy(Protocol):
    """Somebody who works in a thread."""

    def begin(self) -> None: ...

    def end(self) -> None: ...


@dataclass
class Account:
    """What came of it: figures, and everything that was wrong."""

    kills: int = 0
    figures: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


class Soak:
    """A local AWS that works while it is killed."""

    def __init__(self, folder: Path, seed: int, tell: Callable[[str], None] = lambda _line: None) -> None:
        self._random = random.Random(seed)
        self._tell = tell
        self._victim = Victim(folder)
        self._ledger = folder / "ledger"
        self._flows: list[Flow] = []
        self._updated_to: set[str] = {CONFIGURATIONS[0]}
        self._updates = 0
        self._waves = self._planned()
        self._account = Account()
        self._writers: dict[str, Writer] = {}
        self._approver = Approver(self._victim)

    def run(self, kills: int) -> Account:
        """Kill so often, then let everything come to its end, and hold it against what should be."""
        self._victim.up()
        work.furnish(self._victim, self._ledger)
        self._writers = dict(writers(self._victim))
        threads: list[Busy] = [self._approver, *self._writers.values()]
        try:
            for one in threads:
                one.begin()
            for number in range(1, kills + 1):
                self._round(is_looked_through=not number % _ROUNDS_BETWEEN_LOOKS)
                self._tell(f"kill {number}: {sum(flow.is_over for flow in self._flows)} of {len(self._flows)} ended")
            self._victim.up()
            self._until(lambda: self._go_on(may_start=False), "executions do not end")
        finally:
            for one in threads:
                one.end()
        self._tell("everything has ended; now it is held against what should be")
        self._look_through(all_of_it=True)
        self._tell("all that was acknowledged has been looked into")
        self._conclude()
        self._victim.down()
        self._note(f"left after the end: {one}" for one in self._victim.orphans())
        return self._account

    def close(self) -> None:
        """Leave nothing running."""
        self._victim.down()

    def _round(self, *, is_looked_through: bool) -> None:
        if self._random.random() < _SHARE_KILLED_WHILE_STARTING:
            self._victim.kill_while_it_starts(self._random.uniform(0, _STARTING_SECONDS))
        self._victim.up()
        self._until_no(self._victim.orphans)
        if is_looked_through:
            self._look_through(all_of_it=False)
        killing = threading.Timer(self._random.uniform(_SHORTEST, _LONGEST), self._victim.kill)
        killing.start()
        while killing.is_alive():
            with suppress(BotoCoreError):  # it was just killed; what was asked for is asked for again
                self._go_on()
            time.sleep(_LOOK_SECONDS)
        killing.join()
        self._account.kills = self._victim.kills

    def _planned(self) -> Iterator[Flow]:
        """Executions without end: a good one beside a poor one, the good one again, and one that is stopped."""
        number = 0
        while True:
            number += 1
            yield Flow(f"wave-{number}-good", "good")
            yield Flow(f"wave-{number}-poor", "poor")
            yield Flow(f"wave-{number}-halted", "halted")
            yield Flow(f"wave-{number}-good", "good")

    def _go_on(self, *, may_start: bool = True) -> bool:
        """Let the executions go on; whether all have ended."""
        running = [flow for flow in self._flows if not flow.is_over]
        if may_start and len(running) < _AT_ONCE:
            self._flows.append(next(self._waves))
            running.append(self._flows[-1])
        for flow in running:
            flow.go_on(self._victim)
        self._update()
        return all(flow.is_over for flow in self._flows)

    def _update(self) -> None:
        """Move the endpoint to its other configuration whenever it is at rest."""
        sagemaker = self._victim.client("sagemaker")
        told = sagemaker.describe_endpoint(EndpointName=ENDPOINT)
        if told["EndpointStatus"] != "InService":
            return
        if told["EndpointConfigName"] not in self._updated_to:
            self._note([f"the endpoint has {told['EndpointConfigName']}, and was moved to {self._updated_to}"])
        other = next(name for name in CONFIGURATIONS if name != told["EndpointConfigName"])
        self._updated_to = set(CONFIGURATIONS)  # until it is answered, it may be so or not
        sagemaker.update_endpoint(EndpointName=ENDPOINT, EndpointConfigName=other)
        self._updated_to = {other}
        self._updates += 1

    def _look_through(self, *, all_of_it: bool) -> None:
        """Everything that was acknowledged is there. Nothing is ever removed, so what is lost stays missed."""
        for name, writer in self._writers.items():
            if all_of_it or name != "Messages":  # they can be received once
                self._note(writer.lost(all_of_it=all_of_it))

    def _conclude(self) -> None:
        victim = self._victim
        self._until_no(lambda: list(executions.leftover(victim)))
        for flow in self._flows:
            self._note(executions.otherwise(victim, flow))
        self._note(executions.repeated(victim, self._flows, self._ledger))
        self._note([*self._approver.problems, *self._approver.several()])
        hearer = Hearer(victim)
        self._until_no(lambda: list(hearer.untold(self._writers["Approvals"], self._writers["Schedules"])))
        self._until(self._is_at_rest, "the endpoint does not come to rest")
        self._until(self._serves, "the endpoint does not answer")
        for writer in self._writers.values():
            self._note(writer.problems)
        self._count()

    def _is_at_rest(self) -> bool:
        told = self._victim.client("sagemaker").describe_endpoint(EndpointName=ENDPOINT)
        return told["EndpointStatus"] == "InService" and told["EndpointConfigName"] in self._updated_to

    def _serves(self) -> bool:
        runtime = self._victim.client("sagemaker-runtime")
        try:
            told = runtime.invoke_endpoint(EndpointName=ENDPOINT, Body=b"hello", ContentType="text/plain")
        except ClientError:
            return False
        return bool(told["Body"].read() == b"hello")

    def _count(self) -> None:
        written = ledger.read(self._ledger).values()
        self._account.figures = {
            "executions": len(self._flows),
            "updates of the endpoint": self._updates,
            "steps that ran": len(written),
            "steps that were running when it was killed, and ran again": sum(
                sum(one.what == "begin" for one in entries) - 1 for entries in written
            ),
            "of these, whose process had come to its end unseen": sum(map(ledger.run_again_though_done, written)),
            **{f"{name} acknowledged": len(writer.acknowledged) for name, writer in self._writers.items()},
        }

    def _note(self, problems: Any) -> None:
        for problem in problems:
            self._tell(problem)
            self._account.problems.append(problem)

    def _until(self, is_so: Callable[[], bool], otherwise: str) -> None:
        until = time.monotonic() + _PATIENCE_SECONDS
        while not is_so():
            if time.monotonic() > until:
                self._note([otherwise])
                return
            time.sleep(_LOOK_SECONDS)

    def _until_no(self, found: Callable[[], list[str]]) -> None:
        """Wait a little until nothing is found any more; what is found still is a problem."""
        until = time.monotonic() + 10.0
        while (ones := found()) and time.monotonic() < until:
            time.sleep(_LOOK_SECONDS)
        self._note(ones)
