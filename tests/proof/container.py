"""Stands for the training image and the scripts in the proof: jobs that follow the contract but take only a moment.

The proof is about permissions, so these jobs do not train. The real code downloads the images, because that calls S3.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from pipeline.source import SourceArchive, read, scripts_folder

_PYTHON = """#!/bin/sh
exec {python} "$@"
"""
_TRAIN = """#!/bin/sh
exec {python} -S {script}
"""
_TRAINING = '''"""Train for a moment. What is no trial of a search is interrupted once, and goes on from there."""
import json, os, pathlib, sys, time

base = pathlib.Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
marker = base / "checkpoints" / "epoch-1"
is_trial = "Tune" in os.environ["TRAINING_JOB_NAME"]
epochs = json.loads((base / "input" / "config" / "hyperparameters.json").read_text())["epochs"]
if epochs == ("1001" if is_trial else "1002"):
    time.sleep(60)
if epochs == "1003":
    sys.exit(1)
if not is_trial and not marker.exists():
    marker.write_text("half of it")
    (base / "output" / "failure").write_text("interrupted")
    sys.exit(1)
(base / "model" / "model.pth").write_text("weights")
print("[metric] validation:loss=0.5; [metric] validation:accuracy=0.9;")
'''
_PREPARE = '''"""Fetch the images as always, and call all of them prepared."""
import json, pathlib, sys, tempfile, time
import fetch

flags = dict(zip(sys.argv[1::2], sys.argv[2::2]))
if "slow" in flags["--source"]:
    time.sleep(60)
with tempfile.TemporaryDirectory() as folder:
    fetch.fetch(fetch.parse_source(flags["--source"]), pathlib.Path(folder))
for name in ("train", "validation", "test", "dataset"):
    place = pathlib.Path(flags["--output-dir"], name)
    place.mkdir(parents=True, exist_ok=True)
    (place / "dataset.json").write_text(json.dumps({"sha256": "0" * 64}))
'''
_EVALUATE = '''"""Say that the model is good."""
import io, json, pathlib, sys, tarfile

place = pathlib.Path(sys.argv[-1])
for name in ("evaluation", "champion"):
    (place / name).mkdir(parents=True, exist_ok=True)
accuracy = {"multiclass_classification_metrics": {"accuracy": {"value": 0.9}}, "champion": {"name": "best"}}
(place / "evaluation" / "evaluation.json").write_text(json.dumps(accuracy))
with tarfile.open(place / "champion" / "model.tar.gz", "w:gz") as tar:
    content = pathlib.Path("inference.py").read_bytes()
    member = tarfile.TarInfo("code/inference.py")
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))
'''
_INFERENCE = '''"""Every picture is of one dog."""
import json

def model_fn(folder):
    return None

def transform_fn(model, body, content_type, accept):
    prediction = {"label": "Affenpinscher", "class": "001.Affenpinscher", "index": 0, "probability": 1.0}
    return json.dumps({"logits": [[1.0]], "predictions": [[prediction]]}), accept
'''
_ALONE = '''"""Train for a moment, on a machine of one's own."""
import pathlib

pathlib.Path("model").mkdir()
pathlib.Path("model", "model.pth").write_text("weights")
print("trained")
'''


def container(folder: Path) -> Path:
    """Create a folder that stands for the container's environment."""
    places = folder / "bin"
    places.mkdir(parents=True)
    script = folder / "train.py"
    script.write_text(_TRAINING)
    for name, text in (("python", _PYTHON), ("python3", _PYTHON), ("train", _TRAIN)):
        (places / name).write_text(text.format(python=sys.executable, script=script))
        (places / name).chmod(0o755)
    return folder


def scripts() -> SourceArchive:
    """The scripts that jobs run."""
    return _archive(prepare=_PREPARE, evaluate=_EVALUATE, inference=_INFERENCE)


def machine_scripts() -> SourceArchive:
    """The scripts that an EC2 instance runs."""
    return _archive(prepare=_PREPARE, train=_ALONE)


def _archive(**texts: str) -> SourceArchive:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file in scripts_folder().glob("*.py"):
            (folder / file.name).write_bytes(file.read_bytes())
        for script, text in texts.items():
            (folder / f"{script}.py").write_text(text)
        return read(folder)
