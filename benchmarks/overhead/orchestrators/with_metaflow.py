"""Steps that do nothing, in Metaflow, where every step is a process: its flow is written, then run.

python with_metaflow.py (services|jobs|fan-out) STEPS
"""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

HEAD = "from metaflow import FlowSpec, step\n\n\nclass Nothing(FlowSpec):\n"
TAIL = '\n\nif __name__ == "__main__":\n    Nothing()\n'


def step(name: str, body: str, inputs: str = "") -> str:
    """Returns a step's source."""
    return f"    @step\n    def {name}(self{inputs}):\n        {body}\n\n"


def chained(count: int) -> str:
    """Returns steps in a row; Metaflow prescribes the names of the first and the last."""
    names = ["start", *(f"step{number}" for number in range(count - 2)), "end"]
    steps = [step(name, f"self.next(self.{after})") for name, after in pairwise(names)]
    return "".join(steps) + step("end", "pass")


def fan_out(count: int) -> str:
    """Returns parallel steps, between the three steps that such a flow must have."""
    return (
        step("start", f"self.items = list(range({count - 3})); self.next(self.one, foreach='items')")
        + step("one", "self.next(self.gathered)")
        + step("gathered", "self.next(self.end)", ", inputs")
        + step("end", "pass")
    )


if __name__ == "__main__":
    shape, count = sys.argv[1], int(sys.argv[2])
    flow = Path("flow.py")
    flow.write_text(HEAD + (fan_out(count) if shape == "fan-out" else chained(count)).rstrip() + TAIL, encoding="utf-8")
    options = ["--max-workers", "16", "--max-num-splits", str(count)]
    sys.exit(subprocess.call([sys.executable, str(flow), "--quiet", "--no-pylint", "run", *options]))
