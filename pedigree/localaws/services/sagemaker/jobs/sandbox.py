"""One host of a job: the folders of a container on this machine, and its paths in what the job is told.

/opt/ml exists nowhere outside, so every mention of it in arguments, environment and configuration is rewritten, and in
the scripts that the command runs from there. Inputs are the object store's own files wherever the disk allows it.
"""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pedigree.localaws.services.s3.catalog import ObjectCatalog, S3Location, download, upload
from pedigree.localaws.services.s3.manifests import download_listed
from pedigree.localaws.services.sagemaker.jobs import script_paths as scripts
from pedigree.localaws.services.sagemaker.jobs.plans import ROOT, Input, JobPlan, Output

_FOLDERS = ("input/config", "input/data", "model", "output/data", "code", "config", "checkpoints")
_MENTION = re.compile(re.escape(ROOT) + r"(?![\w.-])")
_FILES = re.compile(re.escape(ROOT) + r"/[\w./-]+")
BASE = "SAGEMAKER_BASE_DIR"
_FAILURE = f"{ROOT}/output/failure"
_LONGEST_REASON = 1024


@dataclass(frozen=True)
class Sandbox:
    """A host's folder."""

    folder: Path

    @property
    def root(self) -> Path:
        """What the host takes for /opt/ml."""
        return self.folder / "opt" / "ml"

    def path(self, inside: str) -> Path:
        """Where a path of the container lies."""
        return Path(self.mapped(inside))

    def mapped(self, text: str) -> str:
        """A text with every mention of /opt/ml as it is called on this machine."""
        return _MENTION.sub(str(self.root).replace("\\", r"\\"), text)

    def lay_out(self, plan: JobPlan, host: str, catalog: ObjectCatalog) -> None:
        """Make the folders, write what the host is told, and put its inputs in place."""
        for name in _FOLDERS:
            (self.root / name).mkdir(parents=True, exist_ok=True)
        for inside, content in plan.host_files(host).items():
            self.path(inside).parent.mkdir(parents=True, exist_ok=True)
            self.path(inside).write_text(self.mapped(json.dumps(content)), encoding="utf-8")
        for one in plan.inputs:
            self._fill(one, plan.hosts.index(host), len(plan.hosts), catalog)
        scripts.moved(self._run_from(plan), self.mapped)
        for output in plan.outputs:
            self.path(output.folder).mkdir(parents=True, exist_ok=True)
        if plan.checkpoints:
            download(catalog, plan.checkpoints.place, self.path(plan.checkpoints.folder), is_shared=False)

    def _run_from(self, plan: JobPlan) -> set[Path]:
        """The folders of all files of the container that the command names, or that are mentioned in a word of it."""
        named = {self.path(found) for word in plan.command for found in _FILES.findall(word)}
        return {path.parent for path in named if path.is_file()}

    def _fill(self, one: Input, index: int, count: int, catalog: ObjectCatalog) -> None:
        folder = self.path(one.folder)
        folder.mkdir(parents=True, exist_ok=True)
        share = (index, count) if one.is_sharded else (0, 1)
        fetch = download_listed if one.is_manifest else download
        if not fetch(catalog, one.place, folder, share) and not one.is_sharded:
            raise FileNotFoundError(f"No S3 objects found under S3 URL {one.place}")

    def command(self, plan: JobPlan) -> list[str]:
        """The command with this machine's paths."""
        return [self.mapped(word) for word in plan.command]

    def environment(self, plan: JobPlan, base: Mapping[str, str]) -> dict[str, str]:
        """All that the processes of the host see of the environment. Temporary files lie where the machine has them:
        sockets lie there, too, and their paths may not be long."""
        told = {name: self.mapped(value) for name, value in plan.environment.items()}
        own = {BASE: str(self.root), "HOME": str(self.folder)}
        return {**base, **own, **told}

    def failure(self) -> str:
        """What the job itself wrote about why it failed."""
        path = self.path(_FAILURE)
        return path.read_text(encoding="utf-8", errors="replace").strip()[:_LONGEST_REASON] if path.is_file() else ""


def collect(output: Output, sandboxes: Sequence[Sandbox], catalog: ObjectCatalog) -> S3Location | None:
    """Keep what the hosts wrote into a folder as objects; None if there is nothing.

    Of files of one name the first host's is kept, for that one leads the others.
    """
    folders = [sandbox.path(output.folder) for sandbox in sandboxes]
    if not output.is_archive:
        kept = [upload(catalog, folder, output.place) for folder in reversed(folders)]
        return output.place if any(kept) else None
    if not any(path for folder in folders for path in folder.iterdir()):
        return None
    archive = sandboxes[0].folder / output.place.key.rsplit("/", 1)[-1]
    _pack(archive, folders)
    catalog.put_file(output.place, archive)
    archive.unlink()
    return output.place


def _pack(archive: Path, folders: Sequence[Path]) -> None:
    """What lies in folders, in one archive."""
    packed: set[str] = set()

    def unpacked(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        if member.name in packed and not member.isdir():
            return None
        packed.add(member.name)
        return member

    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        for path in (path for folder in folders for path in sorted(folder.iterdir())):
            tar.add(path, arcname=path.name, filter=unpacked)
