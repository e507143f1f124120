"""How long one decision takes, over each role's policies: on this machine every call to the local AWS waits for one.

    python -m benchmarks.iam [ROUNDS]

The requests are those of tests/policies, allowed and refused ones, under the settings that let every part join.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from checks.iam import Policy, Request, decide, parse
from operations.roles import documents
from tests.definitions import configure
from tests.policies import autoscale, await_, deploy, ec2, job, model, operator, pipeline, predict, scheduler
from tests.policies.places import EVERYTHING

MODULES = (pipeline, job, model, deploy, await_, autoscale, predict, scheduler, ec2, operator)
MOST_MILLISECONDS = 0.1


def requests_of(role: str) -> list[Request]:
    """All requests that the tables have for a role's policy."""
    tables = [table for module in MODULES for table in module.TABLES if table.role == role]
    return [request for table in tables for request in (*table.may, *table.may_not)]


def milliseconds(policy: Policy, requests: Sequence[Request], rounds: int) -> tuple[float, float]:
    """What a decision takes: in the middle, and at worst, each request's time being the median of its rounds."""
    times = []
    for request in requests:
        taken = []
        for _ in range(rounds):
            fresh = replace(request)  # what a request keeps to itself is worked out anew
            started = time.perf_counter()
            decide([policy], fresh)
            taken.append(time.perf_counter() - started)
        times.append(1000 * median(taken))
    return median(times), max(times)


def main() -> None:
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    found = documents(configure(EVERYTHING))
    print(f"{'role':10} {'statements':>10} {'requests':>9} {'to read':>9} {'median':>9} {'worst':>9}  milliseconds")
    worst = 0.0
    for role, one in found.items():
        started = time.perf_counter()
        policy = parse(one.policy, name=role)
        reading = 1000 * (time.perf_counter() - started)
        requests = requests_of(role)
        middle, most = milliseconds(policy, requests, rounds)
        worst = max(worst, most)
        counts = f"{len(policy.statements):10} {len(requests):9}"
        print(f"{role:10} {counts} {reading:9.1f} {middle:9.4f} {most:9.4f}")
    print(f"worst decision: {worst:.4f} ms, at most {MOST_MILLISECONDS}")


if __name__ == "__main__":
    main()
