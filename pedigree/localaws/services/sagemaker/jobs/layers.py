"""The layer that a job gets on its environment, made before it starts: what its requirements.txt asks for.

A function of the SDK needs the SDK, too. The job's own pip then finds everything there. Where no layer can be made, it
installs as ever.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pedigree.localaws.containers.container import HOME, TMP, Container, Mount
from pedigree.localaws.containers.runtime import CHANGED, ENVIRONMENT, ContainerRuntime
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.images.errors import ImageError
from pedigree.localaws.images.installer import OnLine, run_pip
from pedigree.localaws.images.layers import Layers, Wanted
from pedigree.localaws.services.s3.catalog import NoSuchBucketError, ObjectCatalog
from pedigree.localaws.services.sagemaker.jobs import requirement_files
from pedigree.localaws.services.sagemaker.jobs.function_runtime import runtime_requirement
from pedigree.localaws.services.sagemaker.jobs.plans import JobPlan

_LIST = "/opt/local-aws/requirements.txt"
_PIP = ("-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--root-user-action=ignore", "-r", _LIST)
_OF_PIP = "PIP_"


@dataclass(frozen=True)
class JobLayers:
    """Makes the layers of jobs, in containers."""

    containers: ContainerRuntime
    layers: Layers

    @contextmanager
    def of(
        self,
        plan: JobPlan,
        root: Path,
        catalog: ObjectCatalog,
        environment: Path,
        variables: Mapping[str, str],
        on_line: OnLine,
    ) -> Iterator[tuple[Path, ...]]:
        """The layers of a job, none or one, as long as it runs; root is its /opt/ml, laid out."""
        with ExitStack() as stack:
            text = self._requirements(plan, root, catalog, environment)
            own = {name: value for name, value in plan.environment.items() if name.startswith(_OF_PIP)}
            wanted = Wanted(environment.resolve(), text, own)
            install = partial(self._install, environment, {**variables, **ENVIRONMENT, **own}, on_line)
            try:
                found = (stack.enter_context(self.layers.used(wanted, install, on_line)),) if text else ()
            except (ImageError, OSError) as error:
                on_line(f"There is no layer for requirements.txt, and the job installs it: {error}")
                found = ()
            yield tuple(changes / CHANGED for changes in found)

    def _requirements(self, plan: JobPlan, root: Path, catalog: ObjectCatalog, environment: Path) -> str:
        """What the job asks for; nothing if it could not install it, either."""
        if plan.is_isolated or not self.containers.can_install(environment):
            return ""
        text = requirement_files.requirements(root, _fetched_archive(plan, catalog))
        return text + runtime_requirement(plan.command, text, environment)

    def _install(
        self, environment: Path, variables: Mapping[str, str], on_line: OnLine, requirements: Path, changes: Path
    ) -> None:
        scratch = {target: changes.with_name(target.strip("/")) for target in (TMP, HOME)}
        for folder in scratch.values():
            folder.mkdir()
        writable = (Mount(folder, target, is_writable=True) for target, folder in scratch.items())
        bare = Container("layer", "/", (Mount(requirements, _LIST), *writable))
        container = self.containers.with_python(bare, environment, changes)
        launch = self.containers.launched(container, (str(environment / "bin" / "python"), *_PIP))
        with launch.input() as plan:
            failure = run_pip(launch.command, variables, on_line, plan)
        for folder in scratch.values():
            shutil.rmtree(folder, ignore_errors=True)
        if failure:
            raise ImageError(failure.reason, "see the job's log")


def _fetched_archive(plan: JobPlan, catalog: ObjectCatalog) -> io.BytesIO | None:
    """The archive with a job's script that AWS's own toolkit fetches in the container."""
    address = plan.submitted
    if not address.startswith("s3://") or any(str(source.place) == address for source in plan.inputs):
        return None
    try:
        return io.BytesIO(catalog.read(address))
    except (KeyError, ValueError, NoSuchBucketError, ServiceError):
        return None  # the toolkit will say what is wrong with it
