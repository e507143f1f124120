"""What the hosts of a job run, as long as they have their network: by an engine, or in an environment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from pedigree.localaws.containers.network import isolated_network
from pedigree.localaws.images.layers import Layers
from pedigree.localaws.kernel.processes import Host
from pedigree.localaws.services.s3.catalog import ObjectCatalog
from pedigree.localaws.services.sagemaker.jobs import engine_hosts
from pedigree.localaws.services.sagemaker.jobs.hosts import HostFactory, HostSetup
from pedigree.localaws.services.sagemaker.jobs.layers import JobLayers
from pedigree.localaws.services.sagemaker.jobs.plans import JobPlan
from pedigree.localaws.services.sagemaker.jobs.sandbox import Sandbox
from pedigree.localaws.services.sagemaker.resources.images import Images, in_environment


@dataclass(frozen=True)
class HostPreparation:
    """Prepares the hosts of a job; variables are those of every process.

    on_line gets the lines of what a job waits for. session has the credentials of a job's role, share its share of the
    cores, which is counted when the hosts start.
    """

    factory: HostFactory
    images: Images
    variables: Mapping[str, str]
    on_line: Callable[[str], None]
    session: Mapping[str, str]
    share: Callable[[], Mapping[str, str]]

    @contextmanager
    def hosts(
        self, plan: JobPlan, sandboxes: Sequence[Sandbox], catalog: ObjectCatalog, environment: Path | None
    ) -> Iterator[Sequence[Host]]:
        """The hosts of a job in an environment, or without one by the engine of its plan."""
        if plan.engine or environment is None:
            assert plan.engine is not None
            base = {**self.variables, **self.session, **self.share()}
            with engine_hosts.hosts(plan.engine, plan, sandboxes, base, self.factory.containers.shared) as made:
                yield made
            return
        own = in_environment(self.variables, environment, self.images.variables(plan.image))
        variables = {**own, **self.session}
        layers = JobLayers(self.factory.containers, Layers(self.images.environments.folder))
        made_layers = layers.of(plan, sandboxes[0].root, catalog, environment, variables, self.on_line)
        with self._network(plan) as network, made_layers as folders:
            setup = HostSetup(environment, folders, network)
            yield self.factory.hosts(plan, sandboxes, {**variables, **self.share()}, setup)

    def _network(self, plan: JobPlan) -> AbstractContextManager[int]:
        """The network of a job's hosts: this machine's, or one of their own."""
        is_isolated = plan.is_isolated and self.factory.containers.has_containers
        return isolated_network(self.variables) if is_isolated else nullcontext(0)
