"""Writes the machine's user data: train.sh, after lines that set its variables.

It has no secrets: the machine has a role, and every caller that may describe the machine can read its user data.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pedigree.account.deep_learning_ami import PYTHON
from pipeline.account.ec2.images import TrainingImages, prepare_flags
from pipeline.settings.tree import Settings
from steps.build import Code

SCRIPT = Path(__file__).with_name("train.sh")
LOG, MODEL, OUTCOME, CHECKPOINTS = "train.log", "model.tar.gz", "outcome.txt", "checkpoints.tar.gz"
SUCCEEDED = "succeeded"
MOST_BYTES = 16_384
GRACE_MINUTES = 15  # beyond the time limit, for the last uploads
_FOLDER = "/opt/pedigree"
_LOG_SECONDS = 20


@dataclass(frozen=True)
class TrainingTask:
    """Code, images, time limit, and the addresses of the results and of an earlier run."""

    code: Code
    images: TrainingImages
    results: str
    minutes: int
    resume: str = ""


def render(settings: Settings, work: TrainingTask) -> str:
    """The script with its variables set."""
    shebang, _, rest = SCRIPT.read_text(encoding="utf-8").partition("\n")
    lines = (f"export {name}={shlex.quote(value)}" for name, value in variables(settings, work).items())
    return "\n".join((shebang, *lines, rest))


def variables(settings: Settings, work: TrainingTask) -> Mapping[str, str]:
    """The variables that train.sh reads."""
    weights = settings.training.weights
    key = settings.site.encryption.output_key
    encryption = ("--sse", "aws:kms", "--sse-kms-key-id", key) if key else ()
    return {
        "AWS_DEFAULT_REGION": settings.site.region,
        "CODE_URI": work.code.uri,
        "CODE_SHA256": work.code.sha256,
        "DATA_URI": work.images.prepared,
        "SOURCE": work.images.source,
        "WEIGHTS_URI": weights if weights.startswith("s3://") else "",
        "RESUME_URI": f"{work.resume}/{CHECKPOINTS}" if work.resume else "",
        "RESULTS_URI": work.results,
        "UPLOAD_FLAGS": "\n".join(encryption),
        "PREPARE_FLAGS": "\n".join(prepare_flags(settings)),
        "TRAIN_FLAGS": "\n".join(train_flags(settings)),
        "LIMIT_SECONDS": str(work.minutes * 60),
        "SHUTDOWN_MINUTES": str(work.minutes + GRACE_MINUTES),
        "PYTHON": PYTHON,
        "FOLDER": _FOLDER,
        "LOG_SECONDS": str(_LOG_SECONDS),
    }


def train_flags(settings: Settings) -> list[str]:
    """The options of train.py: the settings' own values, also of what is tuned."""
    training = settings.training
    values = {
        **training.hyperparameters,
        "architecture": training.architecture,
        "epochs": training.epochs,
        "layers": training.layers,
        "precision": training.precision,
        "seed": training.seed,
        "weights": "weights.pth" if training.weights.startswith("s3://") else training.weights,
    }
    return [word for name in sorted(values) for word in (f"--{name.replace('_', '-')}", str(values[name]))]
