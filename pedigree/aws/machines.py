"""Instance types: which exist for which use, and what each can do.

The names come from botocore's model of SageMaker, read as data: importing the SDK for them would take seconds.
"""

from __future__ import annotations

import re

from pedigree.language import model

SMDDP_TYPES = ("ml.p4d.24xlarge", "ml.p4de.24xlarge")
_USUAL = {
    "cpu": ("ml.m5.xlarge", "ml.m5.2xlarge", "ml.m5.4xlarge", "ml.c5.xlarge", "ml.c5.2xlarge", "ml.c5.4xlarge"),
    "gpu": (
        *("ml.g4dn.xlarge", "ml.g4dn.2xlarge", "ml.g4dn.4xlarge", "ml.g4dn.12xlarge"),
        *("ml.g5.xlarge", "ml.g5.2xlarge", "ml.g5.4xlarge", "ml.g5.12xlarge"),
    ),
}
_LOCAL_STORAGE = re.compile(r"^ml\.(g\d|p3dn|p4|p5|p6|trn|inf2|[a-z]\d[a-z]*d[a-z]*\.)")
_PROCESSORS = (
    ("arm64", re.compile(r"^ml\.[a-z]\dg[a-z]*\.|^ml\.p6e-gb200\.")),
    ("accelerator", re.compile(r"^ml\.(inf|trn|dl)\d")),
    ("gpu", re.compile(r"^ml\.[gp]\d")),
)
# The last CUDA that supports old GPUs; every CUDA in AWS's images supports the others.
_LAST_CUDA = ((re.compile(r"^ml\.p2\."), 11), (re.compile(r"^ml\.(p3|p3dn|g3)\."), 12))
_NO_BFLOAT16 = re.compile(r"^ml\.(g3|g4dn|p2|p3|p3dn)\.")


def instance_types(use: str) -> frozenset[str]:
    """The instance types that SageMaker takes for a use: Training, Processing or ProductionVariant."""
    return frozenset(model.shape(f"{use}InstanceType").enum)


def menu(use: str, chosen: str, alternatives: tuple[str, ...]) -> tuple[str, ...]:
    """The machines that can replace a chosen one: the alternatives if there are any, else the usual ones like it."""
    usual = [
        machine
        for machine in _USUAL.get(processor(chosen), ())
        if machine in instance_types(use) and _can_replace(machine, chosen)
    ]
    return tuple(dict.fromkeys((chosen, *(alternatives or usual))))


def _can_replace(machine: str, chosen: str) -> bool:
    """Whether a machine takes the same image and volume key as the chosen one, and every precision that it computes."""
    same = processor(machine) == processor(chosen) and has_local_storage(machine) == has_local_storage(chosen)
    return same and has_bfloat16(machine) >= has_bfloat16(chosen)


def processor(instance_type: str) -> str:
    """What an image must be built for: cpu, gpu, or a chip that AWS's PyTorch images do not support."""
    return next((kind for kind, pattern in _PROCESSORS if pattern.match(instance_type)), "cpu")


def has_local_storage(instance_type: str) -> bool:
    """Whether its disks are on the instance: hardware encrypts them, and SageMaker refuses a volume key."""
    return _LOCAL_STORAGE.match(instance_type) is not None


def has_bfloat16(instance_type: str) -> bool:
    """Whether its hardware computes bf16; older GPUs only emulate it."""
    return _NO_BFLOAT16.match(instance_type) is None


def last_cuda(instance_type: str) -> int | None:
    """The last major version of CUDA that supports its GPU, if newer ones do not."""
    return next((version for pattern, version in _LAST_CUDA if pattern.match(instance_type)), None)


def is_burstable(instance_type: str) -> bool:
    """Whether Application Auto Scaling refuses to register it."""
    return re.match(r"^ml\.t\d", instance_type) is not None
