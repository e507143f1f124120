"""The cost of checking: the project's own definition, cold and warm, and pipelines of thousands of steps.

    python -m benchmarks.checks [ROUNDS]

Cold is a whole process, with the interpreter and the imports. The long pipelines are training steps; each uses the
output of the one before.
"""

from __future__ import annotations

import copy
import gc
import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

from pedigree.checks.run import run
from tests.pedigree.checks import small

DEFINITION = Path(__file__).parents[1] / "tests" / "golden" / "definition.json"
COMMAND = [sys.executable, "-c", "from pedigree.cli.main import main; main()", "check", str(DEFINITION)]
SIZES = (500, 1000, 2000, 4000)
TURNS = 5
MOST_COLD, MOST_WARM, MOST_THOUSAND, MOST_BENT = 0.3, 0.02, 1.0, 1.1


def cold_seconds(rounds: int) -> float:
    """Returns the seconds of a process that checks the definition; the best round has the least noise."""
    return min(_seconds(lambda: subprocess.run(COMMAND, check=True, capture_output=True)) for _ in range(rounds))


def warm_seconds(rounds: int) -> float:
    """Returns the seconds of another check in the same process."""
    document = json.loads(DEFINITION.read_text())
    run(document)
    return median(_seconds(lambda: run(document)) for _ in range(rounds))


def chained_pipeline(length: int) -> dict[str, Any]:
    """Returns a pipeline of training steps in a row."""
    document = small.document()
    first = small.train()
    first["Arguments"]["HyperParameters"] = {"epochs": small.text("Parameters.Epochs")}
    steps = []
    for number in range(length):
        step = copy.deepcopy(first)
        step["Name"] = f"Train{number}"
        before = f"Steps.Train{number - 1}.ModelArtifacts.S3ModelArtifacts" if number else "Parameters.Source"
        step["Arguments"]["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] = small.get(before)
        steps.append(step)
    return {**document, "Steps": steps}


def _seconds(work: Any) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _processor_seconds(document: dict[str, Any], times: int = 1) -> float:
    """Returns the processor time of a check, which other processes do not affect."""
    gc.collect()
    started = time.process_time()
    for _ in range(times):
        run(document)
    return (time.process_time() - started) / times


def main() -> None:
    """Measures and prints."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    print(f"cold  {cold_seconds(rounds):.3f} s, at most {MOST_COLD}")
    print(f"warm  {warm_seconds(rounds * 3):.4f} s, at most {MOST_WARM}")
    documents = {size: chained_pipeline(size) for size in SIZES}
    # Sizes take turns, each for as long as the longest one, so that a busy moment of the machine meets all alike.
    turns = [
        {size: _processor_seconds(document, SIZES[-1] // size) for size, document in documents.items()}
        for _ in range(TURNS)
    ]
    taken = {size: min(turn[size] for turn in turns) for size in SIZES}
    for size, seconds in taken.items():
        print(f"{size:5} steps  {seconds:.3f} s, {1000 * seconds / size:.3f} ms a step")
    bent = (taken[SIZES[-1]] / SIZES[-1]) / (taken[SIZES[0]] / SIZES[0])
    print(f"1000 steps: at most {MOST_THOUSAND} s")
    print(f"a step of {SIZES[-1]} costs {bent:.2f} of one of {SIZES[0]}, at most {MOST_BENT}")


if __name__ == "__main__":
    main()
