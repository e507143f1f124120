"""How long IAM's decisions take in the calls of a real run: an account that is put up, an execution, its endpoint.

    python -m benchmarks.iam_run [ROUNDS]

Everything that the gate is asked while that goes on is kept, and asked again and again.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from statistics import median, quantiles

from pedigree.iam import Request
from pedigree.localaws.http.caller import Caller
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.iam.authorizer import Authorizer
from pedigree.localaws.iam.callers import Callers
from tests.policies.arns import ACCOUNT, REGION
from tests.proof import functions, running, verbs
from tests.proof.account import UPSERT_FILES, apply_resources, everything
from tests.proof.environment import ProofEnvironment
from tests.support.calls import KnownResources

MOST_MILLISECONDS = 0.1


def recorded_requests() -> list[tuple[Caller, Request]]:
    """What is decided in a run, and for whom."""
    with tempfile.TemporaryDirectory() as folder, ProofEnvironment(Path(folder), running.SETTINGS) as env:
        env.limit_operator(UPSERT_FILES)
        apply_resources(everything(env.settings), env.account)
        running.set_up(env)
        running.run_execution(env)
        env.limit_operator(("policy",))
        functions.scaling(env)
        for verb in (verbs.predicting, verbs.following, verbs.endpoint):
            verb(env)
        return list(env.requests)


def milliseconds(authorizer: Authorizer, caller: Caller, request: Request, rounds: int) -> float:
    """What authorization takes for one request: the middle of its rounds."""
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        with suppress(ServiceError):
            authorizer.check(caller, (request,), REGION)
        taken.append(1000 * (time.perf_counter() - started))
    return median(taken)


def main() -> None:
    """Measures and prints."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    mix = recorded_requests()
    authorizer = Authorizer(Callers(lambda *_: None, ACCOUNT, time.time), KnownResources())  # type: ignore[arg-type]
    times = [milliseconds(authorizer, caller, request, rounds) for caller, request in mix]
    print(f"{'service':26} {'decisions':>9} {'median':>9} {'worst':>9}  milliseconds")
    for service, count in Counter(request.action.partition(":")[0] for _, request in mix).most_common():
        own = [taken for taken, (_, entry) in zip(times, mix, strict=True) if entry.action.startswith(f"{service}:")]
        print(f"{service:26} {count:9} {median(own):9.4f} {max(own):9.4f}")
    cuts = quantiles(times, n=100, method="inclusive")
    print(f"{len(mix)} decisions, milliseconds: median {median(times):.4f}, 99 of 100 below {cuts[98]:.4f}, ", end="")
    print(f"worst {max(times):.4f}; at most {MOST_MILLISECONDS} each; all of them together {sum(times):.1f}")


if __name__ == "__main__":
    main()
