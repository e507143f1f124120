"""What a type of machine is good for, as far as a build must know.

The names come from botocore's own model of the service, read as data: importing the SDK for them would take seconds.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Annotated

from botocore.loaders import Loader
from pydantic import AfterValidator

from pedigree.language.near import meant

SMDDP_TYPES = ("ml.p4d.24xlarge", "ml.p4de.24xlarge")
_USUAL = {
    "cpu": ("ml.m5.xlarge", "ml.m5.2xlarge", "ml.m5.4xlarge", "ml.c5.xlarge", "ml.c5.2xlarge", "ml.c5.4xlarge"),
    "gpu": (
        *("ml.g4dn.xlarge", "ml.g4dn.2xlarge", "ml.g4dn.4xlarge", "ml.g4dn.12xlarge"),
        *("ml.g5.xlarge", "ml.g5.2xlarge", "ml.g5.4xlarge", "ml.g5.12xlarge"),
    ),
}
_USES = {"Training": "training", "Processing": "processing", "ProductionVariant": "endpoints"}
_LOCAL_STORAGE = re.compile(r"^ml\.(g\d|p3dn|p4|p5|p6|trn|inf2|[a-z]\d[a-z]*d[a-z]*\.)")
_PROCESSORS = (
    ("arm64", re.compile(r"^ml\.[a-z]\dg[a-z]*\.|^ml\.p6e-gb200\.")),
    ("accelerator", re.compile(r"^ml\.(inf|trn|dl)\d")),
    ("gpu", re.compile(r"^ml\.[gp]\d")),
)
# The last CUDA that drives old GPUs; newer ones are driven by all that AWS's images have.
_LAST_CUDA = ((re.compile(r"^ml\.p2\."), 11), (re.compile(r"^ml\.(p3|p3dn|g3)\."), 12))
_NO_BFLOAT16 = re.compile(r"^ml\.(g3|g4dn|p2|p3|p3dn)\.")


@cache
def known(use: str) -> frozenset[str]:
    """The instance types that SageMaker takes for a use: Training, Processing or ProductionVariant."""
    shapes = Loader().load_service_model("sagemaker", "service-2")["shapes"]
    return frozenset(shapes[f"{use}InstanceType"]["enum"])


def _of(use: str) -> AfterValidator:
    def check(instance_type: str) -> str:
        if instance_type in known(use):
            return instance_type
        hint = meant(instance_type, sorted(known(use)), "instance types look like ml.m5.large")
        raise ValueError(f"is not an instance type for {_USES[use]}; {hint}")

    return AfterValidator(check)


TrainingInstance = Annotated[str, _of("Training")]
ProcessingInstance = Annotated[str, _of("Processing")]
EndpointInstance = Annotated[str, _of("ProductionVariant")]


def menu(use: str, chosen: str, alternatives: tuple[str, ...]) -> tuple[str, ...]:
    """The machines that may stand in for a chosen one: those named, or else the usual ones that are like it."""
    usual = [one for one in _USUAL.get(processor(chosen), ()) if one in known(use) and _alike(one, chosen)]
    return tuple(dict.fromkeys((chosen, *(alternatives or usual))))


def _alike(one: str, chosen: str) -> bool:
    """Whether a machine takes the image and the volume key of a chosen one, and computes whatever that computes."""
    same = processor(one) == processor(chosen) and has_local_storage(one) == has_local_storage(chosen)
    return same and has_bfloat16(one) >= has_bfloat16(chosen)


def processor(instance_type: str) -> str:
    """What an image must be made for to run there: cpu, gpu, or a chip that AWS's PyTorch images do not know."""
    return next((kind for kind, pattern in _PROCESSORS if pattern.match(instance_type)), "cpu")


def has_local_storage(instance_type: str) -> bool:
    """Whether its disks are on the instance: encrypted by hardware, and a volume key is refused."""
    return _LOCAL_STORAGE.match(instance_type) is not None


def has_bfloat16(instance_type: str) -> bool:
    """Whether bf16 is computed by hardware there; older GPUs only pretend."""
    return _NO_BFLOAT16.match(instance_type) is None


def last_cuda(instance_type: str) -> int | None:
    """The last major version of CUDA that drives its GPU, where that is known to have ended."""
    return next((version for pattern, version in _LAST_CUDA if pattern.match(instance_type)), None)


def is_burstable(instance_type: str) -> bool:
    """Whether Application Auto Scaling refuses to register it."""
    return re.match(r"^ml\.t\d", instance_type) is not None
