"""Assembles the local AWS from its parts, and starts and stops it; the only module that imports all of them.

A Foundation is what all services share. On it stand the RunningServices, then the table of all services, the chain of
a request's handlers, and the server.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from pedigree.clock import SystemClock
from pedigree.localaws.containers.runtime import ContainerRuntime, container_runtime
from pedigree.localaws.engine import engines
from pedigree.localaws.engine.command_lines import NONE
from pedigree.localaws.engine.engines import Engines
from pedigree.localaws.http.chain import request_chain
from pedigree.localaws.http.server import HttpServer
from pedigree.localaws.http.service import Provider, Service
from pedigree.localaws.iam.authentication import Authentication
from pedigree.localaws.iam.authorization import authorization
from pedigree.localaws.iam.authorizer import Authorizer, OnDecision, ignore_decision
from pedigree.localaws.iam.callers import Callers
from pedigree.localaws.iam.sessions import Sessions
from pedigree.localaws.images.catalog import ImageCatalog
from pedigree.localaws.images.environments import Environments
from pedigree.localaws.kernel import orphans, state_folder
from pedigree.localaws.kernel.access_key import WELL_KNOWN, AccessKey, folder_key
from pedigree.localaws.kernel.client_access import BUNDLE, ClientAccess
from pedigree.localaws.kernel.clients import Clients
from pedigree.localaws.kernel.store import Store
from pedigree.localaws.kernel.world import World
from pedigree.localaws.moto.backends import SERVICES, MotoBackends
from pedigree.localaws.moto.queue_waiter import QueueWaiter
from pedigree.localaws.moto.service import MotoService
from pedigree.localaws.proxy.authority import Authority, write_bundle
from pedigree.localaws.proxy.certificates import HostCertificates
from pedigree.localaws.proxy.proxy import Proxy
from pedigree.localaws.proxy.upstream import Upstream, UserProxy
from pedigree.localaws.services.autoscaling.operations import AutoScalingOperations
from pedigree.localaws.services.autoscaling.scaler import Scaler
from pedigree.localaws.services.bucket_destinations import BucketDestinations
from pedigree.localaws.services.cloudwatch.alarm_evaluator import AlarmEvaluator
from pedigree.localaws.services.cloudwatch.operations import CloudWatchOperations
from pedigree.localaws.services.events import targets
from pedigree.localaws.services.events.deliveries import DeliveryQueue
from pedigree.localaws.services.events.rules import RuleDispatcher
from pedigree.localaws.services.events.service import event_bridge
from pedigree.localaws.services.events.targets import TargetChannel
from pedigree.localaws.services.iam.operations import IamOperations
from pedigree.localaws.services.iam.simulation import PolicySimulation
from pedigree.localaws.services.lambda_.invoker import RuntimeConfig
from pedigree.localaws.services.lambda_.service import LambdaService
from pedigree.localaws.services.logs.operations import LogsOperations
from pedigree.localaws.services.logs.streams import CloudWatchLogs, LogFiles
from pedigree.localaws.services.resource_lookup import ResourceLookup
from pedigree.localaws.services.s3.api import S3Api
from pedigree.localaws.services.s3.blob_store import BlobStore
from pedigree.localaws.services.s3.catalog import ObjectCatalog
from pedigree.localaws.services.sagemaker.endpoints.runtime import DataPlane
from pedigree.localaws.services.sagemaker.executions.executor import POLL_SECONDS
from pedigree.localaws.services.sagemaker.resources.images import Images
from pedigree.localaws.services.sagemaker.sagemaker import SageMaker
from pedigree.localaws.services.scheduler.operations import SchedulerOperations
from pedigree.localaws.services.scheduler.scheduler import Scheduler
from pedigree.localaws.services.sqs.operations import SqsOperations
from pedigree.localaws.services.sts.operations import StsOperations
from pedigree.localaws.services.tagging.operations import TaggingOperations

ACCOUNT = "123456789012"


@dataclass(frozen=True)
class Options:
    """What a local AWS is started with."""

    folder: Path
    region: str = "us-east-1"
    port: int = 0
    container: Path | None = None
    images: Path | None = None
    engine: str = NONE
    function_python: Path = Path(sys.executable)
    function_idle_seconds: float = 300.0
    enforces_iam: bool = True
    logs_calls: bool = False
    poll_seconds: float = POLL_SECONDS
    on_decision: OnDecision = ignore_decision
    has_well_known_keys: bool = False
    uses_namespaces: bool = True
    mounts: tuple[Path, ...] = ()
    proxy_port: int = 0
    is_offline: bool = False


@dataclass(frozen=True)
class Foundation:
    """What all services share: the key, the state on the disk, authorization, clients, logs, deliveries, containers."""

    key: AccessKey
    world: World
    catalog: ObjectCatalog
    backends: MotoBackends
    authorizer: Authorizer
    sessions: Sessions
    clients: Clients
    logs: CloudWatchLogs
    deliveries: DeliveryQueue
    queues: QueueWaiter
    containers: ContainerRuntime


@dataclass(frozen=True)
class RunningServices:
    """The services that do something without a request: they run functions and jobs, and act at their times."""

    lambda_: LambdaService
    rules: RuleDispatcher
    scheduler: Scheduler
    sagemaker: SageMaker
    scaler: Scaler


class LocalAws:
    """A local AWS in a folder, from start to stop."""

    def __init__(self, options: Options) -> None:
        self._foundation = _foundation(options, lambda: self.access)
        self._running = _running_services(options, self._foundation)
        self.key = self._foundation.key
        self.world = self._foundation.world
        self.catalog = self._foundation.catalog
        self.backends = self._foundation.backends
        self.containers = self._foundation.containers
        self.service = self._running.sagemaker.service
        self.services = _services(self._foundation, self._running)
        authentication = Authentication(self._foundation.authorizer.callers)
        chain = request_chain(
            self.services,
            authentication.identify,
            authentication.verify_body,
            authorization(self._foundation.authorizer),
            region=options.region,
            port=lambda: self.port,
            spool_folder=self.catalog.blobs.arriving,
            is_logged=options.logs_calls,
        )
        self._server = HttpServer(chain, options.port)
        self._proxy = _proxy(options, self.world, lambda: self.port)

    @property
    def port(self) -> int:
        """The port on which it listens."""
        return self._server.port

    @property
    def url(self) -> str:
        """The AWS_ENDPOINT_URL that reaches it."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def access(self) -> ClientAccess:
        """How its clients reach it."""
        return ClientAccess.of(self.world.folder, self.url, self.proxy_port)

    @property
    def proxy_port(self) -> int:
        """The port of the proxy, which answers for AWS's host names."""
        return self._proxy.port

    def start(self) -> None:
        """Load the state, resume what was running, and answer."""
        foundation, running = self._foundation, self._running
        engines.clean(self.world.folder)
        orphans.kill_orphans(self.world.folder)
        self.catalog.blobs.sweep()
        foundation.backends.restore()
        running.sagemaker.resume()
        self._server.start()
        self._proxy.start()
        foundation.logs.start()
        running.lambda_.start()
        foundation.deliveries.start()
        running.rules.start()
        running.scheduler.start()
        running.sagemaker.begin()
        running.scaler.start()

    def stop(self) -> None:
        """Stop answering; the next start resumes what was running. Even if a step fails, no process is left."""
        foundation, running, sagemaker = self._foundation, self._running, self._running.sagemaker
        # Deliveries stop before functions end: an invocation that fails because of the stop must not count as a try.
        callers = (running.scheduler.stop, running.rules.stop, foundation.deliveries.stop, running.lambda_.stop)
        loops = (running.scaler.stop, sagemaker.queue.end, sagemaker.executor.end, sagemaker.tuner.end, *callers)
        processes = (sagemaker.jobs.end_all, sagemaker.transforms.end_all, sagemaker.endpoints.end_all)
        writers = (self._proxy.stop, self._server.stop, sagemaker.captures.end, foundation.logs.stop)
        with ExitStack() as stack:
            stack.callback(orphans.kill_orphans, self.world.folder)
            stack.callback(engines.clean, self.world.folder)
            for end in reversed((*loops, *processes, *writers)):
                stack.callback(end)

    def is_serving(self, endpoint: str) -> bool:
        """Whether an endpoint has instances that answer now."""
        return any(self._running.sagemaker.endpoints.counts(endpoint).values())

    def credentials(self, role_arn: str, principal: str, source: str) -> Mapping[str, str]:
        """The environment of a process that acts as a role, assumed by a service for one of its resources."""
        return self._foundation.sessions.credentials(role_arn, principal, source)


def _foundation(options: Options, access: Callable[[], ClientAccess]) -> Foundation:
    state_folder.prepare(options.folder)
    key = folder_key(options.folder)
    world, catalog = _world(options)
    backends = MotoBackends(options.folder / "records", ACCOUNT)
    sessions, authorizer = _authorization(options, key, world, backends, access)
    clients = Clients(lambda: access().url, options.region, sessions.assume, key)
    logs = CloudWatchLogs(LogFiles(options.folder / "logs", world.clock), backends, options.region, world.clock)
    deliveries = DeliveryQueue(world.store, world.clock)
    deliveries.add_channel(targets.CHANNEL, TargetChannel(clients, authorizer))
    queues = QueueWaiter(backends, options.region)
    containers = container_runtime(
        (options.folder.resolve(),),
        (options.folder.resolve() / BUNDLE,),
        options.mounts,
        uses_namespaces=options.uses_namespaces,
    )
    return Foundation(
        key, world, catalog, backends, authorizer, sessions, clients, logs, deliveries, queues, containers
    )


def _world(options: Options) -> tuple[World, ObjectCatalog]:
    clock, store = SystemClock(), Store(options.folder / "state.sqlite")
    catalog = ObjectCatalog(store, BlobStore(options.folder / "objects", store), clock)
    return World(ACCOUNT, options.region, options.folder, store, catalog, clock), catalog


def _authorization(
    options: Options, key: AccessKey, world: World, backends: MotoBackends, access: Callable[[], ClientAccess]
) -> tuple[Sessions, Authorizer]:
    """The authorizer of every call, and the sessions of services."""

    def now() -> float:
        return world.clock.now().timestamp()

    root_keys = (key, WELL_KNOWN) if options.has_well_known_keys else (key,)
    callers = Callers(backends.backend, ACCOUNT, now, root_keys)
    backends.on_change(callers.forget)
    resources = ResourceLookup(world, backends.backend)
    authorizer = Authorizer(callers, resources, is_enforced=options.enforces_iam, on_decision=options.on_decision)
    return Sessions(authorizer, backends.backend, access, now), authorizer


def _running_services(options: Options, foundation: Foundation) -> RunningServices:
    world, backends, clients = foundation.world, foundation.backends, foundation.clients
    lambda_ = LambdaService(
        world,
        backends,
        clients,
        foundation.logs,
        _lambda_runtime(options, foundation.containers),
        foundation.deliveries,
        foundation.queues,
    )
    rules = RuleDispatcher(world, backends, foundation.deliveries)
    scheduler = Scheduler(world, backends, rules, foundation.deliveries, clients)
    sagemaker = _sagemaker(options, foundation, lambda_)
    alarms = AlarmEvaluator(backends.backend, backends.save, options.region, world.clock.now)
    scaler = Scaler(world, sagemaker.endpoints, sagemaker.meter, alarms, clients)
    return RunningServices(lambda_, rules, scheduler, sagemaker, scaler)


def _sagemaker(options: Options, foundation: Foundation, lambda_: LambdaService) -> SageMaker:
    return SageMaker(
        foundation.world,
        foundation.catalog,
        foundation.authorizer,
        foundation.sessions,
        foundation.clients,
        foundation.logs,
        lambda_.invoke,
        _job_environment(options),
        containers=foundation.containers,
        images=_images(options),
        poll_seconds=options.poll_seconds,
    )


def _images(options: Options) -> Images:
    """What stands for images, or runs them; the processes that make environments end with the daemon."""
    variables = {**os.environ, **orphans.daemon_marker(options.folder)}
    catalog = ImageCatalog(options.images, options.container)
    return Images(catalog, Environments(variables=variables), Engines(options.engine, options.folder, variables))


def _proxy(options: Options, world: World, http_port: Callable[[], int]) -> Proxy:
    authority = Authority(options.folder, world.clock.now)
    write_bundle(options.folder / BUNDLE, authority)
    upstream = Upstream(options.is_offline, UserProxy.of(os.environ))
    return Proxy(HostCertificates(authority, world.clock.now), upstream, http_port, options.proxy_port)


def _services(foundation: Foundation, running: RunningServices) -> Mapping[str, Service]:
    """The services by their names in credential scopes; SageMaker's data plane has botocore's name."""
    moto = {name: MotoService(name, foundation.backends) for name in SERVICES}
    use_backend = foundation.backends.backend
    world, scaling, tagging = foundation.world, moto["application-autoscaling"], moto["tagging"]
    sagemaker = running.sagemaker
    simulation = PolicySimulation(foundation.backends.backend, world.clock.now)
    return {
        **moto,
        "lambda": running.lambda_.provider,
        "sqs": Provider(SqsOperations(foundation.queues, moto["sqs"]), fallback=moto["sqs"]),
        "events": event_bridge(world, running.rules, foundation.backends.backend, moto["events"]),
        "scheduler": Provider(SchedulerOperations(moto["scheduler"]), fallback=moto["scheduler"]),
        "application-autoscaling": Provider(AutoScalingOperations(world.store), fallback=scaling),
        "s3": S3Api(
            world.store,
            foundation.catalog,
            world.account,
            _bucket_destinations(foundation),
        ),
        "sagemaker": sagemaker.service,
        "sagemaker-runtime": DataPlane(
            sagemaker.endpoints, sagemaker.meter, sagemaker.captures, sagemaker.queue, world.clock.now
        ),
        "sts": Provider(StsOperations(foundation.backends.backend, moto["sts"]), fallback=moto["sts"]),
        "monitoring": Provider(CloudWatchOperations(use_backend, moto["monitoring"]), fallback=moto["monitoring"]),
        "logs": Provider(LogsOperations(foundation.backends.backend, moto["logs"]), fallback=moto["logs"]),
        "iam": Provider(IamOperations(moto["iam"]), simulation, fallback=moto["iam"]),
        "tagging": Provider(TaggingOperations(world, tagging), fallback=tagging),
    }


def _bucket_destinations(foundation: Foundation) -> BucketDestinations:
    return BucketDestinations(foundation.world, foundation.deliveries, foundation.authorizer, foundation.queues)


def _job_environment(options: Options) -> Mapping[str, str]:
    """The environment variables of jobs and model servers."""
    path = os.environ.get("PATH", os.defpath)
    # Threads that wait by spinning take the cores from every other process: two jobs would be 40 times slower.
    threads = {"OMP_WAIT_POLICY": "PASSIVE", "OMP_NUM_THREADS": "1"}
    environment = {"PATH": path, "PYTHONUNBUFFERED": "1", "AWS_REGION": options.region, **threads}
    return {**environment, **orphans.daemon_marker(options.folder)}


def _lambda_runtime(options: Options, containers: ContainerRuntime) -> RuntimeConfig:
    cores = os.cpu_count() or 1
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "en_US.UTF-8", "PYTHONUNBUFFERED": "1"}
    environment |= orphans.daemon_marker(options.folder)
    runtime = containers if containers.has_containers else None
    return RuntimeConfig(str(options.function_python), environment, cores, options.function_idle_seconds, runtime)
