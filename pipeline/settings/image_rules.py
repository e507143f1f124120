"""Rules about images and machines: the images exist, contain what is used, and run on the machines."""

from __future__ import annotations

from collections.abc import Iterator

from entrypoints import contract
from pedigree.aws import images, pytorch
from pedigree.aws.errors import ImageNotFoundError, NoImageInRegionError
from pedigree.aws.machines import SMDDP_TYPES, has_local_storage, last_cuda, processor
from pipeline.settings.rules import Problem
from pipeline.settings.tree import Settings
from steps.build import FAMILIES, Family, image_for
from steps.training_job import MachineConfig


def smddp_machines(s: Settings) -> Iterator[Problem]:
    """smddp runs on a few machines only."""
    if not s.distributed.enabled or s.distributed.launcher != "smddp":
        return
    machines = (s.distributed.instance_type, *s.distributed.alternatives)
    unsupported = next((machine for machine in machines if machine not in SMDDP_TYPES), None)
    if unsupported:
        key = "instance_type" if s.distributed.instance_type == unsupported else "alternatives"
        yield Problem(
            f"distributed.{key}",
            f'= "{unsupported}" has no smddp, which runs on {" and ".join(SMDDP_TYPES)} only',
            'use one of them, or launcher = "torchrun"',
            ("distributed.launcher",),
        )


def smddp_image(s: Settings) -> Iterator[Problem]:
    """Only old images contain smddp."""
    uses_smddp = s.distributed.enabled and s.distributed.launcher == "smddp"
    if uses_smddp and not s.images.pytorch("distributed").has_smddp:
        yield Problem(
            "images.distributed.version",
            f'= "{s.images.distributed.version}" has no smddp library; images have it up to {pytorch.LAST_WITH_SMDDP}',
            f'use {pytorch.LAST_WITH_SMDDP}, or distributed.launcher = "torchrun"',
            ("images.distributed", "distributed.launcher"),
        )


def debugger_image(s: Settings) -> Iterator[Problem]:
    """Only old images contain smdebug."""
    if s.debugger.enabled and not s.images.pytorch("training").has_smdebug:
        yield Problem(
            "images.training.version",
            f'= "{s.images.training.version}" has no smdebug library; images have it up to {pytorch.LAST_WITH_SMDEBUG}',
            f'use {pytorch.LAST_WITH_SMDEBUG} with python = "", or debugger.enabled = false',
            ("debugger.enabled",),
        )


def debugger_region(s: Settings) -> Iterator[Problem]:
    """Some regions have no image that evaluates the Debugger's rules."""
    if s.debugger.enabled and s.debugger.rules:
        try:
            images.debugger_rules(s.site.region)
        except ImageNotFoundError:
            cause = f"have no image that evaluates them in {s.site.region}"
            yield Problem("debugger.rules", cause, "use rules = []", ("site.region", "debugger.enabled"))


def images_exist(s: Settings) -> Iterator[Problem]:
    """Every image exists for its machines and in the region."""
    uses: dict[str, tuple[Family, str]] = {
        "processing.instance_type": ("training", s.processing.instance_type),
        "training.instance_type": ("training", s.training.instance_type),
        "registry.inference_instance_types": ("inference", s.registry.inference_instance_types[0]),
    }
    if s.distributed.enabled:
        uses["distributed.instance_type"] = ("distributed", s.distributed.instance_type)
    for key, (family, instance_type) in uses.items():
        try:
            image_for(s.images, family, instance_type, s.site.region)
        except NoImageInRegionError as error:
            cause = f'= "{s.site.region}" does not go with images.{family}: {error.cause}'
            yield Problem("site.region", cause, error.remedy)
        except ImageNotFoundError as error:
            yield Problem(f"images.{family}", f"cannot run on {instance_type}: {error.cause}", error.remedy, (key,))


def images_run_the_scripts(s: Settings) -> Iterator[Problem]:
    """Old images have a Python that is too old for the scripts."""
    for family in FAMILIES:
        if s.images.own_uri(family) or (family == "distributed" and not s.distributed.enabled):
            continue
        image = s.images.pytorch(family)
        if image.python_version and image.python_version < contract.OLDEST_PYTHON:
            python, oldest = (".".join(map(str, version)) for version in (image.python_version, contract.OLDEST_PYTHON))
            cause = f'= "{image.version}" has Python {python}, and the scripts need {oldest}'
            yield Problem(f"images.{family}.version", cause, "use a later version", (f"images.{family}",))


def cuda_supports_gpus(s: Settings) -> Iterator[Problem]:
    """New images have a CUDA that no longer supports the oldest GPUs."""
    uses: dict[str, tuple[Family, MachineConfig]] = {
        "processing": ("training", s.processing),
        "training": ("training", s.training),
        **({"distributed": ("distributed", s.distributed)} if s.distributed.enabled else {}),
    }
    for section, (family, config) in uses.items():
        if s.images.own_uri(family):
            continue
        cuda = s.images.pytorch(family).cuda
        machines = (config.instance_type, *config.alternatives)
        old = next((machine for machine in machines if cuda > (last_cuda(machine) or cuda)), None)
        if old:
            key = "instance_type" if old == config.instance_type else "alternatives"
            cause = f"= {old} has a GPU that CUDA {cuda} of the image does not support"
            yield Problem(f"{section}.{key}", cause, "use ml.g4dn or newer", (f"images.{section}", "images.training"))


def images_are_in_the_region(s: Settings) -> Iterator[Problem]:
    """SageMaker pulls an image from its own region."""
    for family in FAMILIES:
        uri = s.images.own_uri(family)
        region = uri.split(".")[3] if uri else s.site.region
        if region != s.site.region:
            cause = f"is in {region}, and SageMaker pulls images from {s.site.region}"
            yield Problem(f"images.{family}.image_uri", cause, "copy it there", ("site.region",))


def machines_are_of_one_kind(s: Settings) -> Iterator[Problem]:
    """An execution can choose among machines that take the same image, and the same volume key or none."""
    menus = {
        "processing.alternatives": (s.processing.instance_type, *s.processing.alternatives),
        "training.alternatives": (s.training.instance_type, *s.training.alternatives),
        "distributed.alternatives": (s.distributed.instance_type, *s.distributed.alternatives),
        "registry.inference_instance_types": s.registry.inference_instance_types,
    }
    for key, (first, *others) in menus.items():
        for other in others:
            if processor(other) != processor(first):
                cause = f"has {other} ({processor(other)}) beside {first} ({processor(first)}), and all use one image"
                yield Problem(key, cause, "name machines of one kind")
            elif s.site.encryption.volume_key and has_local_storage(other) != has_local_storage(first):
                cause = f"has {other} beside {first}, and only one of them takes site.encryption.volume_key"
                yield Problem(key, cause, "name machines that do, or machines that do not")


RULES = (
    smddp_machines,
    smddp_image,
    debugger_image,
    debugger_region,
    images_exist,
    images_run_the_scripts,
    cuda_supports_gpus,
    images_are_in_the_region,
    machines_are_of_one_kind,
)
