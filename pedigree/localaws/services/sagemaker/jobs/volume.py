"""Whether a job fits on the volume that it asks for: what does not, ends on AWS with "No space left on device".

What the channels have is counted before anything is downloaded, and what the job has written before it is uploaded. A
volume of the real size would be sooner, but a disk in memory takes memory, and a quota rights that the daemon lacks.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pedigree.localaws.services.s3.catalog import NoSuchBucketError, ObjectCatalog
from pedigree.localaws.services.sagemaker.jobs.plans import Input, JobPlan
from pedigree.localaws.services.sagemaker.jobs.sandbox import Sandbox

_GIGABYTE = 1 << 30
_FULL = "No space left on device"


def check_inputs(plan: JobPlan, catalog: ObjectCatalog) -> int:
    """The bytes that a host downloads, of the host with the most; OSError if they do not fit on its volume."""
    count = len(plan.hosts)
    most = max(_of_host(plan.inputs, (index, count), catalog) for index in range(count))
    if plan.volume_gigabytes and most > plan.volume_gigabytes * _GIGABYTE:
        raise OSError(f"Data download failed: {_FULL}: the inputs have {_gigabytes(most)}, {_asked_for(plan)}")
    return most


def check_outputs(plan: JobPlan, downloaded: int, sandboxes: Sequence[Sandbox]) -> None:
    """Raise OSError if the outputs of a host do not fit beside its inputs."""
    if not plan.volume_gigabytes:
        return
    written = max(_written(plan, sandbox) for sandbox in sandboxes)
    if downloaded + written > plan.volume_gigabytes * _GIGABYTE:
        words = f"the inputs have {_gigabytes(downloaded)}, the outputs {_gigabytes(written)}"
        raise OSError(f"Disk usage: {_FULL}: {words}, {_asked_for(plan)}")


def _written(plan: JobPlan, sandbox: Sandbox) -> int:
    outputs = (*plan.outputs, *((plan.checkpoints,) if plan.checkpoints else ()))
    folders = [folder for output in outputs if (folder := sandbox.result(output.folder))]
    return sum(_bytes_in(folder) for folder in folders)


def _bytes_in(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_symlink() and path.is_file())


def _of_host(inputs: Sequence[Input], share: tuple[int, int], catalog: ObjectCatalog) -> int:
    """The bytes that one host downloads; what manifests list is known once they are read, and is not counted."""
    return sum(_of_input(source, share, catalog) for source in inputs if not source.is_manifest)


def _of_input(source: Input, share: tuple[int, int], catalog: ObjectCatalog) -> int:
    index, count = share if source.is_sharded else (0, 1)
    try:
        sizes = [int(body.get("size", 0)) for key, body in catalog.list_prefix(source.place) if not key.endswith("/")]
    except NoSuchBucketError:
        return 0  # the download will say so
    return sum(sizes[index::count])


def _asked_for(plan: JobPlan) -> str:
    return f"and VolumeSizeInGB is {plan.volume_gigabytes}"


def _gigabytes(count: int) -> str:
    return f"{count / _GIGABYTE:.2f} GB"
