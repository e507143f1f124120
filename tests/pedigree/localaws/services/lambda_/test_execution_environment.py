"""The processes of functions by themselves: how many there are, how long they stay, and what they let through."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.services.lambda_.environment_pool import (
    EnvironmentPool,
    OnProcessStart,
    ThrottledError,
    WarmEnvironment,
)
from pedigree.localaws.services.lambda_.execution_environment import ExecutionEnvironment, HandlerResult, LaunchConfig
from pedigree.localaws.services.lambda_.function_catalog import Function
from tests.support.callers import until

CODE = """
import os, sys
def handler(event, context):
    if event == "pid":
        return os.getpid()
    if event == "noise":
        for _ in range(20_000):
            print("x" * 100)
        sys.stderr.write("last")
    if event == "environment":
        return dict(os.environ)
    return event
"""
PATIENCE_SECONDS = 60.0
FUNCTION = Function(
    name="f",
    version="1",
    arn="arn:aws:lambda:us-east-1:123456789012:function:f",
    invoked_arn="arn:aws:lambda:us-east-1:123456789012:function:f:1",
    runtime="python3.13",
    handler="module.handler",
    role="arn:aws:iam::123456789012:role/f",
    memory=128,
    seconds=PATIENCE_SECONDS,
    variables={},
    digest="digest",
    code=b"",
)


class Bench:
    """A fleet of one function, and all that it ever started."""

    def __init__(self, folder: Path, idle_seconds: float) -> None:
        (folder / "module.py").write_text(CODE, encoding="utf-8")
        self._folder = folder
        self.started: list[WarmEnvironment] = []
        self.fleet = EnvironmentPool(self._start, 2, idle_seconds)

    def _start(self, function: Function, is_provisioned: bool, begun: OnProcessStart) -> WarmEnvironment:
        variables = {
            "_HANDLER": function.handler,
            "LAMBDA_TASK_ROOT": str(self._folder),
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": function.version,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
            "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": f"provisioned {is_provisioned}",
        }
        environment = ExecutionEnvironment(LaunchConfig(sys.executable, self._folder, variables))
        begun(environment)
        self.started.append(WarmEnvironment(environment, function, "stream", environment.ready(PATIENCE_SECONDS), 0.0))
        return self.started[-1]

    def alive(self) -> int:
        return sum(warm.environment.is_alive for warm in self.started)

    def swept(self) -> int:
        """How many are left after a sweep."""
        self.fleet.sweep()
        return self.alive()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path, idle_seconds=0.05)
    yield made
    made.fleet.end()
    assert made.alive() == 0


def asked(warm: WarmEnvironment, event: bytes) -> HandlerResult:
    return warm.environment.call({"id": "1", "arn": FUNCTION.invoked_arn}, event, PATIENCE_SECONDS)


def test_what_nobody_calls_is_ended_after_a_while_unless_it_is_provisioned(bench: Bench) -> None:
    bench.fleet.provision({FUNCTION.key: 1})
    bench.fleet.warm_up(FUNCTION)
    bench.fleet.warm_up(FUNCTION)
    until(bench.swept, 1)
    bench.fleet.provision({})
    until(bench.swept, 0)
    assert bench.fleet.count(FUNCTION.key) == 0


def test_one_that_died_meanwhile_is_not_called(bench: Bench) -> None:
    warm, is_new = bench.fleet.take(FUNCTION)
    assert is_new
    bench.fleet.give_back(warm)
    warm.environment.kill()
    until(lambda: warm.environment.is_alive, False)
    again, is_new = bench.fleet.take(FUNCTION)
    assert is_new
    assert asked(again, b'"pid"').body == str(again.environment.group).encode()
    bench.fleet.give_back(again)


def test_a_function_has_its_own_bound_and_the_others_are_not_held_up(bench: Bench) -> None:
    bound = replace(FUNCTION, reserved=1)
    warm, _ = bench.fleet.take(bound)
    with pytest.raises(ThrottledError):
        bench.fleet.take(bound)
    other, _ = bench.fleet.take(replace(FUNCTION, name="g"))
    for one in (warm, other):
        bench.fleet.give_back(one)
    bench.fleet.give_back(bench.fleet.take(bound)[0])


@pytest.mark.parametrize("is_warmed_up", [False, True])
def test_one_that_still_loads_is_ended_at_once(tmp_path: Path, is_warmed_up: bool) -> None:
    slow = Bench(tmp_path, idle_seconds=1)
    (tmp_path / "module.py").write_text("import time\nopen('begun', 'w').close()\ntime.sleep(15)\n", encoding="utf-8")
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(slow.fleet.warm_up if is_warmed_up else slow.fleet.take, FUNCTION)
        until((tmp_path / "begun").exists, True)
        slow.fleet.end()
        with pytest.raises(ServiceError, match="being stopped"):
            coming.result(10)
    assert slow.alive() == 0


def test_all_that_is_printed_belongs_to_its_call_however_much(bench: Bench) -> None:
    warm, _ = bench.fleet.take(FUNCTION)
    noise = asked(warm, b'"noise"')
    assert noise.output.count("x" * 100) == 20_000
    assert noise.output.endswith("last")
    assert asked(warm, b'"pid"').output == ""
    bench.fleet.give_back(warm)


def test_a_process_has_no_more_of_our_environment_than_it_is_given(bench: Bench) -> None:
    warm, _ = bench.fleet.take(FUNCTION)
    told = asked(warm, b'"environment"').body.decode()
    assert "PATH" not in told
    assert "provisioned False" in told
    bench.fleet.give_back(warm)


def test_large_events_go_there_and_back(bench: Bench) -> None:
    warm, _ = bench.fleet.take(FUNCTION)
    event = b'"' + b"x" * 6_000_000 + b'"'
    began = time.monotonic()
    assert asked(warm, event).body == event
    assert time.monotonic() - began < PATIENCE_SECONDS
    bench.fleet.give_back(warm)
