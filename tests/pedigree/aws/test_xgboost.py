"""The names of XGBoost's hyperparameters are those of the program that stands for AWS's container."""

from __future__ import annotations

import json
import subprocess
import sys

from pedigree.aws.xgboost import HYPERPARAMETERS, REQUIRED
from pedigree.localaws.services.sagemaker.resources.images import PROGRAMS_FOLDER

TABLE = """
import json
from sagemaker_xgboost_container.algorithm_mode.hyperparameter_table import ALIASES, table
print(json.dumps(sorted({*table(), *ALIASES})))
"""


def test_they_are_the_same() -> None:
    variables = {"PYTHONPATH": str(PROGRAMS_FOLDER / "shims")}
    printed = subprocess.run([sys.executable, "-c", TABLE], env=variables, capture_output=True, text=True, check=True)
    assert {*json.loads(printed.stdout), "silent"} == set(HYPERPARAMETERS)
    assert REQUIRED in HYPERPARAMETERS
