"""What the local AWS knows of images: whose program is inside of them, and what stood for one that lacks a module."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

BUILT_IN: Mapping[str, str] = {
    "blazingtext": "BlazingText",
    "factorization-machines": "Factorization Machines",
    "forecasting-deepar": "DeepAR",
    "image-classification": "Image Classification",
    "ipinsights": "IP Insights",
    "kmeans": "K-Means",
    "knn": "K-Nearest Neighbors",
    "lda": "Latent Dirichlet Allocation",
    "linear-learner": "Linear Learner",
    "ntm": "Neural Topic Model",
    "object-detection": "Object Detection",
    "object2vec": "Object2Vec",
    "pca": "Principal Component Analysis",
    "randomcutforest": "Random Cut Forest",
    "sagemaker-xgboost": "XGBoost",
    "semantic-segmentation": "Semantic Segmentation",
    "seq2seq": "Sequence-to-Sequence",
    "xgboost": "XGBoost",
}
"""AWS's built-in algorithms, by the repository of their image. One that can run here leaves this table."""
_PROGRAM = "sagemaker_program"
_MODULE = re.compile(r"\bModuleNotFoundError: No module named '([\w.]+)'")
_LONGEST_REASON = 1024
_NOTEBOOK_PROGRAM = "amazon_sagemaker_scheduler"
_NOTEBOOK_PACKAGES = "sagemaker-headless-execution-driver ipykernel"
_INSTALLING_STARTERS = ("runproc.sh", "sm_train.sh")
"""Of a FrameworkProcessor, and of version 3's ModelTrainer."""


def refusal(job: Mapping[str, Any]) -> str:
    """Why the program of a training job cannot run here; empty if it can."""
    algorithm = job.get("AlgorithmSpecification") or {}
    hyperparameters = job.get("HyperParameters") or job.get("StaticHyperParameters") or {}
    image = algorithm.get("TrainingImage")
    if not isinstance(image, str) or algorithm.get("ContainerEntrypoint") or _PROGRAM in hyperparameters:
        return ""
    name = BUILT_IN.get(image.rpartition("/")[2].partition(":")[0])
    if name is None:
        return ""
    return (
        f"The local AWS does not have the built-in algorithm {name}: its program is inside of the image {image}. "
        "Train with a script of your own, or leave the job out for this machine."
    )


def processing_refusal(application: Mapping[str, Any]) -> str:
    """Why the program of a processing job cannot run here, by its AppSpecification; empty if it can.

    The arguments alone are no command: they are for the program of the image.
    """
    if application.get("ContainerEntrypoint"):
        return ""
    return (
        f"AppSpecification has no ContainerEntrypoint: the program is inside of the image "
        f"{application.get('ImageUri', '')}, and the local AWS pulls no images. Give the job a command."
    )


def notebook_refusal(command: Sequence[str], environment: Path, why_no_containers: str) -> str:
    """Why the job of a NotebookJob step cannot run; empty for any other job, and if it can.

    AWS's own program, which runs notebooks with papermill, is on PyPI. It knows /opt/ml alone: it needs a container.
    """
    if not command or command[0] != _NOTEBOOK_PROGRAM:
        return ""
    if why_no_containers:
        return f"a notebook job needs a container, and there is none: {why_no_containers}"
    if (environment / "bin" / _NOTEBOOK_PROGRAM).exists():
        return ""
    return (
        f"{environment} stands for the image of the notebook job, and has no {_NOTEBOOK_PROGRAM}; "
        f"{environment}/bin/python -m pip install {_NOTEBOOK_PACKAGES}"
    )


def missing_module(line: str) -> str:
    """The module that a line of a job's log misses; empty if it says nothing of that."""
    match = _MODULE.search(line)
    return match[1] if match else ""


def with_missing_module(reason: str, module: str, job: Mapping[str, Any], environment: Path) -> str:
    """The reason of a failure, and the environment that stood for the job's image and lacks a module."""
    image = (job.get("AlgorithmSpecification") or {}).get("TrainingImage")
    image = image or (job.get("AppSpecification") or {}).get("ImageUri", "")
    remedy = (
        "a requirements.txt beside the script installs it"
        if _reads_requirements(job)
        else f"let the script install it with pip, or install it there: {environment}/bin/python -m pip install …"
    )
    hint = f" [local AWS] {environment} stood for the image {image}, and has no {module}; {remedy}"
    return f"{reason[: _LONGEST_REASON - len(hint)]}{hint}"


def _reads_requirements(job: Mapping[str, Any]) -> bool:
    """Whether something installs a requirements.txt before the script: AWS's toolkit, or the SDK's own starter."""
    algorithm = job.get("AlgorithmSpecification") or job.get("AppSpecification") or {}
    command = [*(algorithm.get("ContainerEntrypoint") or ()), *(algorithm.get("ContainerArguments") or ())]
    by_toolkit = "TrainingImage" in algorithm and not command
    return by_toolkit or any(starter in str(word) for word in command for starter in _INSTALLING_STARTERS)
