"""Runs scripts as a user of the SageMaker SDK writes them, with nothing of the local AWS in them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.local_aws import client, daemon_of
from tests.support.ordinary_user import this_user

_PEDIGREE = str(Path(sys.executable).with_name("pedigree"))
_PATIENCE_SECONDS = 300
_TRUST = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}


def result_of(script: str, folder: Path, container: Path) -> Any:
    """Run a script as the role "notebook" of a local AWS of its own; returns what it writes to result.json."""
    file, state = folder / "script.py", folder / "state"
    file.write_text(script, encoding="utf-8")
    with daemon_of(this_user(folder), state, "--container", str(container)) as daemon:
        trust = json.dumps({"Version": "2012-10-17", "Statement": [_TRUST]})
        iam = client(daemon.url, "iam", daemon.key)
        iam.create_role(RoleName="notebook", AssumeRolePolicyDocument=trust)
        iam.attach_role_policy(RoleName="notebook", PolicyArn="arn:aws:iam::aws:policy/AmazonSageMakerFullAccess")
        local = [_PEDIGREE, "local", "exec", "--folder", str(state), "--as-role", "notebook", "--"]
        done = subprocess.run(
            [*local, sys.executable, "-W", "ignore", str(file)],
            cwd=folder,
            env={**os.environ, "SAGEMAKER_TELEMETRY_OPT_OUT": "true"},
            capture_output=True,
            text=True,
            timeout=_PATIENCE_SECONDS,
        )
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "result.json").read_text(encoding="utf-8"))
