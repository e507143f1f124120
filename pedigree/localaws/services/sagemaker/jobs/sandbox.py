"""One host of a job: the folders of its container on this machine.

In a container, each of them has its real path. Where there are no containers, /opt/ml does not exist, so every mention
of it in arguments, environment, configuration and scripts is rewritten. Inputs are links to the object store's own
files where the disk supports that.
"""

from __future__ import annotations

import json
import os
import re
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pedigree.localaws.containers.container import HOME, TMP
from pedigree.localaws.services.s3.catalog import NoSuchBucketError, ObjectCatalog, S3Location, download, upload
from pedigree.localaws.services.s3.manifests import download_listed
from pedigree.localaws.services.sagemaker.jobs import image_copies, links, script_paths
from pedigree.localaws.services.sagemaker.jobs.plans import ROOT, SOURCE, Input, JobPlan, Output
from pedigree.localaws.services.sagemaker.resources.example_buckets import nothing_found

_FOLDERS = ("input/config", "input/data", "model", "output/data", "code", "config", "checkpoints")
_MENTION = re.compile(re.escape(ROOT) + r"(?![\w.-])")
_FILES = re.compile(re.escape(ROOT) + r"/[\w./-]+")
_FAILURE, _MESSAGE = f"{ROOT}/output/failure", f"{ROOT}/output/message"
_LONGEST_REASON = 1024
_STORED = 0  # the level of compression: most of an archive are weights, which hardly get smaller


@dataclass(frozen=True)
class Sandbox:
    """The folder of a host, which is the root of a container or of none."""

    folder: Path
    has_container: bool = False

    @property
    def root(self) -> Path:
        """The folder that stands for /opt/ml."""
        return self.folder / "opt" / "ml"

    def path(self, inside: str) -> Path:
        """The path on this machine of a path in the container; ValueError if it is in none of the host's folders."""
        path = PurePosixPath(os.path.normpath(inside))
        if not path.is_relative_to(ROOT):
            raise ValueError(f"{inside} is not in {ROOT}")
        return self.root / path.relative_to(ROOT)

    @property
    def image(self) -> Path:
        """The folder with the image's own files outside of the container's folders, laid out as in the image."""
        return self.folder / "image"

    def place(self, inside: str) -> Path:
        """Where a path of the image is on this machine; ValueError if it needs a container, and there is none.

        What an image has in /tmp are the lists of packages that it was made with.
        """
        path = PurePosixPath("/", os.path.normpath(inside))
        for target, folder in self.folders.items():
            if path.is_relative_to(target) and (self.has_container or target in (ROOT, TMP)):
                return folder / path.relative_to(target)
        if not self.has_container:
            raise ValueError(f"the image has files in {path}, which needs a container, and there is none")
        return self.image / path.relative_to("/")

    @property
    def folders(self) -> Mapping[str, Path]:
        """The container's own folders: where it has them, and where they are on this machine."""
        return {ROOT: self.root, TMP: self.folder / "tmp", HOME: self.folder / "home"}

    def result(self, inside: str) -> Path | None:
        """What a path leads to after the job, whose links count as in its container; None if it left the container."""
        path = self.path(inside)
        return links.resolved(PurePosixPath(inside), self.folders) if self.has_container else path

    def mapped(self, text: str) -> str:
        """A text with this machine's path in place of /opt/ml, unless a container has that."""
        return text if self.has_container else _MENTION.sub(str(self.root).replace("\\", r"\\"), text)

    def lay_out(self, plan: JobPlan, host: str, catalog: ObjectCatalog) -> None:
        """Make the folders, write the configuration files, and fill in the inputs."""
        for name in _FOLDERS:
            (self.root / name).mkdir(parents=True, exist_ok=True)
        image_copies.copy(plan.image_files, plan.image_folders, self.place)
        for inside, content in plan.host_files(host).items():
            self.path(inside).parent.mkdir(parents=True, exist_ok=True)
            self.path(inside).write_text(self.mapped(json.dumps(content)), encoding="utf-8")
        for source in plan.inputs:
            self._fill(source, plan.hosts.index(host), len(plan.hosts), catalog)
        if not self.has_container:
            self._rewrite_scripts(plan)
        for output in plan.outputs:
            self.path(output.folder).mkdir(parents=True, exist_ok=True)
        if plan.checkpoints:
            download(catalog, plan.checkpoints.place, self.path(plan.checkpoints.folder), is_shared=False)

    def _rewrite_scripts(self, plan: JobPlan) -> None:
        """Rewrite the paths in all scripts of a job that are known to be its own."""
        script_paths.rewrite(self._script_folders(plan), self.mapped)
        for source in plan.inputs:
            pattern = "*.tar.gz" if source.folder == SOURCE else script_paths.ARCHIVE
            for archive in self.path(source.folder).glob(pattern):
                script_paths.rewrite_archive(archive, self.folder, self.mapped)

    def _script_folders(self, plan: JobPlan) -> set[Path]:
        """The folders of the files that a word of the command mentions, and the inputs that are scripts."""
        named = {Path(self.mapped(file)) for word in plan.command for file in _FILES.findall(word) if ".." not in file}
        inputs = {
            source.folder for source in plan.inputs if PurePosixPath(source.folder).name in script_paths.CODE_FOLDERS
        }
        copied = {self.place(file.target).parent for file in plan.image_files}
        return {path.parent for path in named if path.is_file()} | {self.path(folder) for folder in inputs} | copied

    def _fill(self, source: Input, index: int, count: int, catalog: ObjectCatalog) -> None:
        folder = self.path(source.folder)
        folder.mkdir(parents=True, exist_ok=True)
        share = (index, count) if source.is_sharded else (0, 1)
        fetch = download_listed if source.is_manifest else download
        try:
            is_found = fetch(catalog, source.place, folder, share) or source.is_sharded
        except NoSuchBucketError:
            is_found = False
        if not is_found:
            raise FileNotFoundError(nothing_found(source.place))

    def failure(self) -> str:
        """The reason that the job itself wrote for its failure; empty if it wrote none."""
        return self._written(_FAILURE)

    def exit_message(self) -> str:
        """What a processing job wrote about its end; empty if it wrote nothing."""
        return self._written(_MESSAGE)

    def _written(self, inside: str) -> str:
        path = self.result(inside)
        if path is None or not path.is_file():
            return ""
        return path.read_text(encoding="utf-8", errors="replace").strip()[:_LONGEST_REASON]


def collect(output: Output, sandboxes: Sequence[Sandbox], catalog: ObjectCatalog) -> S3Location | None:
    """Upload what the hosts wrote into a folder; None if there is nothing.

    Of files with the same name the first host's is uploaded, since that host leads the others.
    """
    folders = [folder for sandbox in sandboxes for folder in _results(sandbox, output)]
    if not output.is_archive:
        uploaded = [upload(catalog, folder, output.place) for folder in reversed(folders)]
        return output.place if any(uploaded) else None
    if not any(path for folder in folders for path in folder.iterdir()):
        return None
    archive = sandboxes[0].folder / output.place.key.rsplit("/", 1)[-1]
    _pack(archive, folders)
    catalog.put_file(output.place, archive)
    archive.unlink()
    return output.place


def _results(sandbox: Sandbox, output: Output) -> Iterator[Path]:
    """The folder of an output, with links that lead to what the job meant; an archive keeps them as they are."""
    folder = sandbox.result(output.folder)
    if folder is not None and folder.is_dir():
        if sandbox.has_container and not output.is_archive:
            links.settle(folder, PurePosixPath(output.folder), sandbox.folders)
        yield folder


def _pack(archive: Path, folders: Sequence[Path]) -> None:
    """Pack the contents of folders into one archive."""
    packed: set[str] = set()

    def unpacked(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        if member.name in packed and not member.isdir():
            return None
        packed.add(member.name)
        return member

    with tarfile.open(archive, "w:gz", compresslevel=_STORED) as tar:
        for path in (path for folder in folders for path in sorted(folder.iterdir())):
            tar.add(path, arcname=path.name, filter=unpacked)
