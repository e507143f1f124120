"""The time to build the definition, compared with the minimum and with the usual way of writing one.

    python -m benchmarks.definition [ROUNDS]

The minimum is a Python that imports the modules of the SDK that we use and does nothing. The usual way is
benchmarks/usual_way.py.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.processes import measure
from steps import dag

PEDIGREE = str(Path(sys.executable).with_name("pedigree"))
USUAL_WAY = [sys.executable, "-m", "benchmarks.usual_way"]
IMPORTS = "import os; os.environ |= {environment}; import {modules}"
MOST_ABOVE_IMPORT = 1.25
MOST_FOR_HELP = 0.3


def bare_import() -> str:
    """Returns a program that only imports what we import of the SDK."""
    modules = sorted({home for home in dag.sdk_modules().values() if home.startswith("sagemaker.")})
    quiet = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}
    return IMPORTS.format(environment=quiet, modules=", ".join(modules))


def requests_to_aws() -> str:
    """Returns the requests that the usual way sends to AWS while it builds."""
    done = subprocess.run(USUAL_WAY, capture_output=True, text=True, check=True)
    line = next(line for line in done.stderr.splitlines() if line.startswith("CALLS "))
    return ", ".join(f"{count} {name}" for name, count in json.loads(line.removeprefix("CALLS ")).items())


def main() -> None:
    """Measures and prints."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    commands = {
        "bare import of the SDK's modules": [sys.executable, "-c", bare_import()],
        "pedigree definition": [PEDIGREE, "definition"],
        "the usual way": USUAL_WAY,
        "pedigree --help": [PEDIGREE, "--help"],
    }
    measured = measure(commands, rounds)
    least = measured["bare import of the SDK's modules"]
    print(
        f"{'median of ' + str(rounds) + ' rounds, in turn':36} {'seconds':>8} {'ratio':>6} {'peak MB':>8} {'ratio':>6}"
    )
    for name, entry in measured.items():
        times, space = entry.seconds / least.seconds, entry.megabytes / least.megabytes
        print(f"{name:36} {entry.seconds:8.2f} {times:6.2f} {entry.megabytes:8.0f} {space:6.2f}")
    above = measured["pedigree definition"].seconds / least.seconds
    print(f"definition / bare import: {above:.2f}, at most {MOST_ABOVE_IMPORT}")
    print(f"help: {measured['pedigree --help'].seconds:.2f} s, at most {MOST_FOR_HELP}")
    print(f"asked of AWS by the usual way: {requests_to_aws()}; by pedigree definition: nothing")


if __name__ == "__main__":
    main()
