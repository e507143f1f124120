"""Execution environments and their pool: how many run, how long they stay, and what passes through their pipes."""

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
from tests.support.waiting import until

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
TIMEOUT_SECONDS = 60.0
FUNCTION = Function(
    name="f",
    version="1",
    arn="arn:aws:lambda:us-east-1:123456789012:function:f",
    invoked_arn="arn:aws:lambda:us-east-1:123456789012:function:f:1",
    runtime="python3.13",
    handler="module.handler",
    role="arn:aws:iam::123456789012:role/f",
    memory=128,
    timeout_seconds=TIMEOUT_SECONDS,
    variables={},
    digest="digest",
    code=b"",
)


class PoolBench:
    """A pool for one function, with every environment that it has started."""

    def __init__(self, folder: Path, idle_seconds: float) -> None:
        (folder / "module.py").write_text(CODE, encoding="utf-8")
        self._folder = folder
        self.started: list[WarmEnvironment] = []
        self.init_seconds = 0.0
        self.pool = EnvironmentPool(self._start, 2, idle_seconds)

    def _start(self, function: Function, is_provisioned: bool, on_process_start: OnProcessStart) -> WarmEnvironment:
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
        on_process_start(environment)
        init_result = environment.wait_until_loaded(TIMEOUT_SECONDS)
        self.started.append(WarmEnvironment(environment, function, "stream", init_result, self.init_seconds))
        return self.started[-1]

    def alive(self) -> int:
        return sum(warm.environment.is_alive for warm in self.started)

    def alive_after_removal(self) -> int:
        self.pool.remove_idle()
        return self.alive()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[PoolBench]:
    bench = PoolBench(tmp_path, idle_seconds=0.05)
    yield bench
    bench.pool.stop()
    assert bench.alive() == 0


def invoke(warm: WarmEnvironment, event: bytes) -> HandlerResult:
    return warm.environment.invoke({"id": "1", "arn": FUNCTION.invoked_arn}, event, TIMEOUT_SECONDS)


def test_an_idle_environment_ends_after_a_while_unless_it_is_provisioned(bench: PoolBench) -> None:
    bench.pool.set_provisioned({FUNCTION.key: 1})
    bench.pool.prewarm(FUNCTION)
    bench.pool.prewarm(FUNCTION)
    until(bench.alive_after_removal, 1)
    bench.pool.set_provisioned({})
    until(bench.alive_after_removal, 0)
    assert bench.pool.count(FUNCTION.key) == 0


def test_an_environment_that_has_died_is_not_invoked(bench: PoolBench) -> None:
    warm, is_new = bench.pool.acquire(FUNCTION)
    assert is_new
    bench.pool.release(warm)
    warm.environment.kill()
    until(lambda: warm.environment.is_alive, False)
    again, is_new = bench.pool.acquire(FUNCTION)
    assert is_new
    assert invoke(again, b'"pid"').body == str(again.environment.group).encode()
    bench.pool.release(again)


def test_an_invocation_waits_for_a_busy_environment_before_another_one_is_started(bench: PoolBench) -> None:
    bench.init_seconds = TIMEOUT_SECONDS
    warm, _ = bench.pool.acquire(FUNCTION)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(bench.pool.acquire, FUNCTION)
        bench.pool.release(warm)
        assert waiting.result() == (warm, False)
    another, is_new = bench.pool.acquire(FUNCTION)
    assert (is_new, another is warm) == (True, False)
    for environment in (warm, another):
        bench.pool.release(environment)


def test_the_reserved_concurrency_of_a_function_does_not_limit_the_others(bench: PoolBench) -> None:
    reserved = replace(FUNCTION, reserved_concurrency=1)
    warm, _ = bench.pool.acquire(reserved)
    with pytest.raises(ThrottledError):
        bench.pool.acquire(reserved)
    other, _ = bench.pool.acquire(replace(FUNCTION, name="g"))
    for environment in (warm, other):
        bench.pool.release(environment)
    bench.pool.release(bench.pool.acquire(reserved)[0])


@pytest.mark.parametrize("is_prewarmed", [False, True])
def test_an_environment_that_still_loads_ends_at_once(tmp_path: Path, is_prewarmed: bool) -> None:
    slow = PoolBench(tmp_path, idle_seconds=1)
    (tmp_path / "module.py").write_text("import time\nopen('loading', 'w').close()\ntime.sleep(15)\n", encoding="utf-8")
    with ThreadPoolExecutor(1) as pool:
        starting = pool.submit(slow.pool.prewarm if is_prewarmed else slow.pool.acquire, FUNCTION)
        until((tmp_path / "loading").exists, True)
        slow.pool.stop()
        with pytest.raises(ServiceError, match="being stopped"):
            starting.result(10)
    assert slow.alive() == 0


def test_output_belongs_to_its_invocation_however_much_it_is(bench: PoolBench) -> None:
    warm, _ = bench.pool.acquire(FUNCTION)
    noise = invoke(warm, b'"noise"')
    assert noise.output.count("x" * 100) == 20_000
    assert noise.output.endswith("last")
    assert invoke(warm, b'"pid"').output == ""
    bench.pool.release(warm)


def test_a_process_has_only_the_environment_variables_that_it_is_given(bench: PoolBench) -> None:
    warm, _ = bench.pool.acquire(FUNCTION)
    variables = invoke(warm, b'"environment"').body.decode()
    assert "PATH" not in variables
    assert "provisioned False" in variables
    bench.pool.release(warm)


def test_large_events_pass_in_both_directions(bench: PoolBench) -> None:
    warm, _ = bench.pool.acquire(FUNCTION)
    event = b'"' + b"x" * 6_000_000 + b'"'
    start = time.monotonic()
    assert invoke(warm, event).body == event
    assert time.monotonic() - start < TIMEOUT_SECONDS
    bench.pool.release(warm)
