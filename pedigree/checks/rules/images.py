"""Images: each is made for a processor, a Python and a region."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pedigree.checks.finding import Severity, Spot
from pedigree.checks.jobs import Image, Job, at, entries, image, processor
from pedigree.checks.rule import rule
from pedigree.checks.subject import Subject

# The Python that AWS's PyTorch images of a release have; a tag with another one does not exist.
PYTHONS = {
    (1, 12): "py38",
    (1, 13): "py39",
    **dict.fromkeys([(2, 0), (2, 1), (2, 2)], "py310"),
    **dict.fromkeys([(2, 3), (2, 4), (2, 5)], "py311"),
    **dict.fromkeys([(2, 6), (2, 7), (2, 8), (2, 9)], "py312"),
    (2, 10): "py313",
}


def images(subject: Subject) -> Iterator[tuple[Job, Image]]:
    """The jobs whose image is known."""
    for job in subject.jobs:
        found = image(subject.plain(job.get(*job.image)))
        if found:
            yield job, found


def machines(subject: Subject, job: Job) -> list[str]:
    """The machines on which a job can run."""
    named = subject.possible(job.get(*job.cluster, "InstanceType"))
    groups = [subject.possible(one.get("InstanceType")) for _, one in entries(job.get(*job.cluster, "InstanceGroups"))]
    return [one for group in (named, *groups) for one in group if isinstance(one, str)]


def _machine_place(job: Job) -> str:
    return job.place(*job.cluster, "InstanceType")


@rule("CON001", Severity.WARNING)
def gpu_image(subject: Subject) -> Iterator[Spot]:
    """An image for GPUs on a machine without one.

    The script finds no GPU and takes many times as long, or fails; the image alone takes minutes to pull.
    """
    for job, found in images(subject):
        without = [one for one in machines(subject, job) if processor(one) == "cpu"]
        if found.processor == "gpu" and without:
            cause = f"{without[0]} has no GPU, and the image is {found.repository}:{found.tag}"
            yield Spot(_machine_place(job), cause, "use a machine like ml.g5.xlarge, or the image for CPUs")


@rule("CON002", Severity.WARNING)
def cpu_image(subject: Subject) -> Iterator[Spot]:
    """An image for CPUs on a machine with a GPU.

    The GPU is paid for and cannot be used.
    """
    for job, found in images(subject):
        unused = [one for one in machines(subject, job) if processor(one) == "gpu"]
        if found.processor == "cpu" and unused:
            cause = f"{unused[0]} has a GPU, and the image is {found.repository}:{found.tag}"
            yield Spot(_machine_place(job), cause, "use the image for GPUs, or a machine like ml.m5.xlarge")


@rule("CON003", Severity.ERROR)
def other_chips(subject: Subject) -> Iterator[Spot]:
    """An image on a machine with another kind of processor.

    AWS's PyTorch images run on x86 processors and NVIDIA's GPUs; not on Graviton, Inferentia or Trainium.
    """
    for job, found in images(subject):
        others = [one for one in machines(subject, job) if processor(one) in ("arm64", "accelerator")]
        if found.is_pytorch and "arm64" not in found.tag and "neuron" not in found.tag and others:
            yield Spot(_machine_place(job), f"{others[0]} cannot run {found.repository}", "use an x86 machine")


@rule("CON004", Severity.ERROR)
def python(subject: Subject) -> Iterator[Spot]:
    """A PyTorch image with a Python that it never had.

    There is one Python for each release, so an image of that tag does not exist and the job fails when it pulls it.
    """
    for pointer, found in _all_images(subject):
        written = re.search(r"-(py\d+)(?:-|$)", found.tag)
        right = PYTHONS.get(found.release) if found.release else None
        if found.is_pytorch and written and right and written[1] != right:
            cause = f"PyTorch {'.'.join(map(str, found.release or ()))} images have {right}, and not {written[1]}"
            yield Spot(pointer, cause, f"write {right}")


@rule("CON005", Severity.ERROR)
def region(subject: Subject) -> Iterator[Spot]:
    """An image in another region than the others.

    SageMaker pulls images of its own region only.
    """
    regions: dict[str, list[str]] = {}
    for pointer, found in _all_images(subject):
        regions.setdefault(found.region, []).append(pointer)
    if len(regions) > 1:
        home = max(regions, key=lambda one: len(regions[one]))
        for other in regions.keys() - {home}:
            for pointer in regions[other]:
                yield Spot(pointer, f"the image lies in {other}, and others in {home}", f"use the image in {home}")


@rule("CON006", Severity.NOTE)
def pinned(subject: Subject) -> Iterator[Spot]:
    """An image whose content can change.

    Without a tag, or with latest, tomorrow's execution runs something else, and the cache does not notice.
    """
    for pointer, found in _all_images(subject):
        if found.tag in ("", "latest"):
            yield Spot(pointer, f"{found.repository} is not pinned", "name a version, or a digest: @sha256:…")


@rule("CON007", Severity.NOTE)
def newer(subject: Subject) -> Iterator[Spot]:
    """A model is trained with a newer PyTorch than the one that serves it.

    What the newer one saves, the older one may not load. Save plain weights (a state dict), and test that they
    load. The last PyTorch image for serving is 2.6.
    """
    trained = [found.release for job, found in images(subject) if job.trains and found.is_pytorch and found.release]
    for pointer, found in served(subject):
        if trained and found.is_pytorch and found.release and max(trained) > found.release:
            versions = [".".join(map(str, one)) for one in (max(trained), found.release)]
            cause = f"trained with PyTorch {versions[0]}, and served with {versions[1]}"
            yield Spot(pointer, cause, "save weights only, and test that they load")


def served(subject: Subject) -> Iterator[tuple[str, Image]]:
    """The images that serve models, with their places."""
    for step in subject.steps:
        pointer = f"{step.pointer}/Arguments"
        listed = entries(at(step.arguments, "InferenceSpecification", "Containers"))
        for index, one in listed if step.type == "RegisterModel" else ():
            yield from _parsed(subject, one.get("Image"), f"{pointer}/InferenceSpecification/Containers/{index}/Image")
        if step.type == "Model":
            primary = at(step.arguments, "PrimaryContainer", "Image")
            yield from _parsed(subject, primary, f"{pointer}/PrimaryContainer/Image")
            for index, one in entries(step.arguments.get("Containers")):
                yield from _parsed(subject, one.get("Image"), f"{pointer}/Containers/{index}/Image")


def _parsed(subject: Subject, value: object, pointer: str) -> Iterator[tuple[str, Image]]:
    found = image(subject.plain(value))
    if found:
        yield pointer, found


def _all_images(subject: Subject) -> Iterator[tuple[str, Image]]:
    yield from ((job.place(*job.image), found) for job, found in images(subject))
    yield from served(subject)
