"""Images: each is made for a processor, a Python and a region."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pedigree.aws.ecr import ImageAddress, parse_address
from pedigree.aws.machines import processor
from pedigree.aws.pytorch import PYTHONS
from pedigree.aws.registries import nearest_versions, registry
from pedigree.checks.finding import Severity, Violation
from pedigree.checks.jobs import JobRequest
from pedigree.checks.rule import rule
from pedigree.checks.subject import Subject
from pedigree.language.pointers import at, entries

_NOT_IN_ADDRESSES = re.compile(r"[^\w./:@-]", re.ASCII)


def job_images(subject: Subject) -> Iterator[tuple[JobRequest, ImageAddress]]:
    """The jobs whose image is known."""
    for job in subject.jobs:
        address = parse_address(subject.plain(job.get(*job.image)))
        if address:
            yield job, address


def serving_images(subject: Subject) -> Iterator[tuple[str, ImageAddress]]:
    """The images that serve models, with their pointers."""
    for pointer, value in _serving_values(subject):
        address = parse_address(subject.plain(value))
        if address:
            yield pointer, address


def machine_types(subject: Subject, job: JobRequest) -> list[str]:
    """The types of machine that a job can run on."""
    single = subject.possible(job.get(*job.cluster, "InstanceType"))
    groups = (
        subject.possible(group.get("InstanceType")) for _, group in entries(job.get(*job.cluster, "InstanceGroups"))
    )
    return [name for names in (single, *groups) for name in names if isinstance(name, str)]


@rule("CON001", Severity.WARNING)
def gpu_image(subject: Subject) -> Iterator[Violation]:
    """GPU image on a machine without a GPU.

    The script finds no GPU and takes many times as long, or fails; the image alone takes minutes to pull.
    """
    for job, address in job_images(subject):
        without = [name for name in machine_types(subject, job) if processor(name) == "cpu"]
        if address.processor == "gpu" and without:
            cause = f"{without[0]} has no GPU, and the image is {address.repository}:{address.tag}"
            yield Violation(_machine_pointer(job), cause, "use a machine like ml.g5.xlarge, or the image for CPUs")


@rule("CON002", Severity.WARNING)
def cpu_image(subject: Subject) -> Iterator[Violation]:
    """CPU image on a machine with a GPU.

    The GPU costs money and cannot be used.
    """
    for job, address in job_images(subject):
        unused = [name for name in machine_types(subject, job) if processor(name) == "gpu"]
        if address.processor == "cpu" and unused:
            cause = f"{unused[0]} has a GPU, and the image is {address.repository}:{address.tag}"
            yield Violation(_machine_pointer(job), cause, "use the image for GPUs, or a machine like ml.m5.xlarge")


@rule("CON003", Severity.ERROR)
def other_processors(subject: Subject) -> Iterator[Violation]:
    """Image for another kind of processor.

    AWS's PyTorch images run on x86 processors and NVIDIA's GPUs; not on Graviton, Inferentia or Trainium.
    """
    for job, address in job_images(subject):
        others = [name for name in machine_types(subject, job) if processor(name) in ("arm64", "accelerator")]
        if address.is_pytorch and "arm64" not in address.tag and "neuron" not in address.tag and others:
            cause = f"{others[0]} cannot run {address.repository}"
            yield Violation(_machine_pointer(job), cause, "use an x86 machine")


@rule("CON004", Severity.ERROR)
def python(subject: Subject) -> Iterator[Violation]:
    """PyTorch image with a Python that does not exist.

    There is one Python for each release, so an image of that tag does not exist and the job fails when it pulls it.
    """
    for pointer, address in _all_images(subject):
        right = PYTHONS.get(address.release) if address.release else None
        if address.is_pytorch and address.python and right and address.python != right:
            version = ".".join(map(str, address.release or ()))
            cause = f"PyTorch {version} images have {right}, and not {address.python}"
            yield Violation(pointer, cause, f"write {right}")


@rule("CON005", Severity.ERROR)
def region(subject: Subject) -> Iterator[Violation]:
    """Image in another region.

    SageMaker pulls images of its own region only.
    """
    pointers_in: dict[str, list[str]] = {}
    for pointer, address in _all_images(subject):
        pointers_in.setdefault(address.region, []).append(pointer)
    if len(pointers_in) > 1:
        home = max(pointers_in, key=lambda name: len(pointers_in[name]))
        for other in pointers_in.keys() - {home}:
            for pointer in pointers_in[other]:
                cause = f"the image is in {other}, and others are in {home}"
                yield Violation(pointer, cause, f"use the image in {home}")


@rule("CON006", Severity.NOTE)
def unpinned(subject: Subject) -> Iterator[Violation]:
    """Image whose content can change.

    Without a tag, or with latest, tomorrow's execution runs something else, and the cache does not notice.
    """
    for pointer, address in _all_images(subject):
        if address.tag in ("", "latest"):
            remedy = "name a version, or a digest: @sha256:…"
            yield Violation(pointer, f"{address.repository} has no fixed version", remedy)


@rule("CON007", Severity.NOTE)
def newer_training(subject: Subject) -> Iterator[Violation]:
    """Training with a newer PyTorch than serving.

    What the newer one saves, the older one may not load. Save plain weights (a state dict), and test that they
    load. The last PyTorch image for serving is 2.6.
    """
    images = [address for job, address in job_images(subject) if job.trains and address.is_pytorch]
    newest = max((address.release for address in images if address.release), default=None)
    for pointer, address in serving_images(subject):
        if newest and address.is_pytorch and address.release and newest > address.release:
            trained, served = (".".join(map(str, release)) for release in (newest, address.release))
            cause = f"trained with PyTorch {trained}, and served with {served}"
            yield Violation(pointer, cause, "save weights only, and test that they load")


@rule("CON008", Severity.ERROR)
def account(subject: Subject) -> Iterator[Violation]:
    """Image in the account of another region.

    AWS's images are in another account in some regions, those of scikit-learn and XGBoost in each region. The job
    fails when it pulls the image: there is none at that address.
    """
    for pointer, address in _all_images(subject):
        right = registry(address)
        if right and address.account != right:
            cause = f"{address.repository} in {address.region} is in the account {right}, and not in {address.account}"
            yield Violation(pointer, cause, f"write {right}, or ask the SDK's image_uris.retrieve")


@rule("CON009", Severity.ERROR)
def version(subject: Subject) -> Iterator[Violation]:
    """Image of a version that never was.

    The job fails when it pulls the image.
    """
    for pointer, address in _all_images(subject):
        if versions := nearest_versions(address):
            cause = f"there never was {address.repository}:{address.tag}"
            yield Violation(pointer, cause, f"use {', '.join(versions[:-1])} or {versions[-1]}")


@rule("CON013", Severity.WARNING)
def training_only(subject: Subject) -> Iterator[Violation]:
    """Training image that serves a model.

    AWS's images for training have no server in them. The model is created or registered, and its endpoint or
    transform job fails.
    """
    for pointer, address in serving_images(subject):
        if address.repository.endswith("-training") and registry(address) == address.account:
            serving = address.repository.replace("-training", "-inference")
            yield Violation(pointer, f"{address.repository} has no server for models", f"use {serving}")


@rule("CON014", Severity.ERROR)
def malformed(subject: Subject) -> Iterator[Violation]:
    """Image address with a character that none has.

    Often a placeholder that nothing has filled. The job fails when it pulls the image.
    """
    jobs = ((job.pointer_to(*job.image), job.get(*job.image)) for job in subject.jobs)
    for pointer, value in (*jobs, *_serving_values(subject)):
        wrong = _NOT_IN_ADDRESSES.search(value) if isinstance(value, str) else None
        if wrong:
            yield Violation(pointer, f"no image's address has {wrong[0]} in it", "write the whole address")


def _machine_pointer(job: JobRequest) -> str:
    return job.pointer_to(*job.cluster, "InstanceType")


def _serving_values(subject: Subject) -> Iterator[tuple[str, Any]]:
    for step in subject.steps:
        pointer = f"{step.pointer}/Arguments"
        containers = entries(at(step.arguments, "InferenceSpecification", "Containers"))
        for index, container in containers if step.type == "RegisterModel" else ():
            yield f"{pointer}/InferenceSpecification/Containers/{index}/Image", container.get("Image")
        if step.type == "Model":
            yield f"{pointer}/PrimaryContainer/Image", at(step.arguments, "PrimaryContainer", "Image")
            for index, container in entries(step.arguments.get("Containers")):
                yield f"{pointer}/Containers/{index}/Image", container.get("Image")


def _all_images(subject: Subject) -> Iterator[tuple[str, ImageAddress]]:
    yield from ((job.pointer_to(*job.image), address) for job, address in job_images(subject))
    yield from serving_images(subject)
