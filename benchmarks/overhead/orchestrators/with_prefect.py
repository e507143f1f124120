"""Steps that do nothing, in Prefect: tasks of a flow in one process; for jobs, each task starts a process.

python with_prefect.py (services|jobs|fan-out) STEPS
"""

import subprocess
import sys

from prefect import flow, task


@task
def nothing(_before):
    """Does nothing."""


@task
def job(_before):
    """Runs a process that does nothing."""
    subprocess.run(["true"], check=True)


@flow
def chained(step, count):
    """Runs steps in a row."""
    before = None
    for _ in range(count):
        before = step(before, return_state=True)


@flow
def fan_out(step, count):
    """Runs parallel steps, and one after all of them."""
    step(step.map(range(count - 1)).result())


FLOWS = {"services": (chained, nothing), "jobs": (chained, job), "fan-out": (fan_out, nothing)}

if __name__ == "__main__":
    made, step = FLOWS[sys.argv[1]]
    made(step, int(sys.argv[2]))
