"""Steps that do nothing, in Luigi: one worker, its own scheduler, targets in memory.

python with_luigi.py (services|jobs|fan-out) STEPS
"""

import sys

import luigi
from luigi.contrib.external_program import ExternalProgramTask
from luigi.mock import MockTarget


class Nothing(luigi.Task):
    """A step that does nothing."""

    number = luigi.IntParameter()

    def output(self):
        return MockTarget(f"step-{self.number}")

    def run(self):
        with self.output().open("w"):
            pass


class Chained(Nothing):
    """A step that does nothing, after another one."""

    def requires(self):
        return Chained(self.number - 1) if self.number else []


class Gathered(Nothing):
    """A step that does nothing, after all the others."""

    def requires(self):
        return [Nothing(number) for number in range(self.number)]


class Job(ExternalProgramTask):
    """A process that does nothing, after another one."""

    number = luigi.IntParameter()
    capture_output = False

    def requires(self):
        return Job(self.number - 1) if self.number else []

    def output(self):
        return MockTarget(f"job-{self.number}")

    def program_args(self):
        return ["true"]

    def run(self):
        super().run()
        with self.output().open("w"):
            pass


LAST = {"services": Chained, "jobs": Job, "fan-out": Gathered}

if __name__ == "__main__":
    shape, count = sys.argv[1], int(sys.argv[2])
    sys.exit(not luigi.build([LAST[shape](count - 1)], local_scheduler=True, workers=1, log_level="WARNING"))
