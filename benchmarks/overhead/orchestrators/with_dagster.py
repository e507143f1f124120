"""Steps that do nothing, in Dagster: in one process, or for jobs, each in a process of its own.

python with_dagster.py (services|jobs|fan-out) STEPS
"""

import os
import sys
from itertools import pairwise

from dagster import (
    DagsterInstance,
    DependencyDefinition,
    GraphDefinition,
    In,
    MultiDependencyDefinition,
    NodeInvocation,
    Nothing,
    OpDefinition,
    Out,
    Output,
    execute_job,
    in_process_executor,
    multiprocess_executor,
    reconstructable,
)

DONE = {"done": Out(Nothing)}
_SHAPE, _COUNT = "BENCHMARK_SHAPE", "BENCHMARK_STEPS"


def nothing(_context, _inputs):
    """Does nothing; a step must return that it is done."""
    yield Output(None, "done")


def make():
    """Builds the job that the environment names; each process builds it again."""
    shape, count = os.environ[_SHAPE], int(os.environ[_COUNT])
    entry = OpDefinition(nothing, name="one", ins={"before": In(Nothing)}, outs=DONE)
    first = OpDefinition(nothing, name="first", outs=DONE)
    names = [f"step{number}" for number in range(count)]
    if shape == "fan-out":
        others = [DependencyDefinition(name, "done") for name in names[:-1]]
        waits = {NodeInvocation("first", alias=name): {} for name in names[:-1]}
        waits[NodeInvocation("one", alias=names[-1])] = {"before": MultiDependencyDefinition(others)}
    else:
        waits = {NodeInvocation("first", alias=names[0]): {}}
        for before, name in pairwise(names):
            waits[NodeInvocation("one", alias=name)] = {"before": DependencyDefinition(before, "done")}
    graph = GraphDefinition("nothing", node_defs=[first, entry], dependencies=waits)
    executor = multiprocess_executor if shape == "jobs" else in_process_executor
    return graph.to_job(executor_def=executor)


if __name__ == "__main__":
    os.environ[_SHAPE], os.environ[_COUNT] = sys.argv[1:]
    with DagsterInstance.get() as instance:
        sys.exit(not execute_job(reconstructable(make), instance=instance).success)
