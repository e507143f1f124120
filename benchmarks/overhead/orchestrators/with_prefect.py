"""Steps that do nothing, the way of Prefect: tasks of a flow in one process, which as jobs start one each.

python with_prefect.py (services|jobs|fan-out) STEPS
"""

import subprocess
import sys

from prefect import flow, task


@task
def nothing(_before):
    """A step that does nothing."""


@task
def job(_before):
    """A process that does nothing."""
    subprocess.run(["true"], check=True)


@flow
def chained(step, count):
    """Steps in a row."""
    before = None
    for _ in range(count):
        before = step(before, return_state=True)


@flow
def fan_out(step, count):
    """Steps beside each other, and one after all of them."""
    step(step.map(range(count - 1)).result())


FLOWS = {"services": (chained, nothing), "jobs": (chained, job), "fan-out": (fan_out, nothing)}

if __name__ == "__main__":
    made, step = FLOWS[sys.argv[1]]
    made(step, int(sys.argv[2]))
