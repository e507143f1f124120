"""Steps that do nothing, the way of Luigi: one worker, its own scheduler, targets in memory.

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
        """Where it leaves that it is done."""
        return MockTarget(f"step-{self.number}")

    def run(self):
        """Do it."""
        with self.output().open("w"):
            pass


class Chained(Nothing):
    """The same, after the one before."""

    def requires(self):
        """What comes before."""
        return Chained(self.number - 1) if self.number else []


class Gathered(Nothing):
    """The same, after all the others."""

    def requires(self):
        """What comes before."""
        return [Nothing(number) for number in range(self.number)]


class Job(ExternalProgramTask):
    """A process that does nothing, after the one before."""

    number = luigi.IntParameter()
    capture_output = False

    def requires(self):
        """What comes before."""
        return Job(self.number - 1) if self.number else []

    def output(self):
        """Where it leaves that it is done."""
        return MockTarget(f"job-{self.number}")

    def program_args(self):
        """The command."""
        return ["true"]

    def run(self):
        """Do it."""
        super().run()
        with self.output().open("w"):
            pass


LAST = {"services": Chained, "jobs": Job, "fan-out": Gathered}

if __name__ == "__main__":
    shape, count = sys.argv[1], int(sys.argv[2])
    sys.exit(not luigi.build([LAST[shape](count - 1)], local_scheduler=True, workers=1, log_level="WARNING"))
