"""The local AWS put together, from the state on the disk up to the port; the only place that knows all parts."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from pedigree.clock import SystemClock
from pedigree.localaws.http.chain import request_chain
from pedigree.localaws.http.server import HttpServer
from pedigree.localaws.http.service import Provider, Service
from pedigree.localaws.iam.authorization import authentication, authorization
from pedigree.localaws.iam.authorizer import Authorizer, OnDecision, ignore_decision
from pedigree.localaws.iam.callers import Callers
from pedigree.localaws.iam.sessions import Sessions
from pedigree.localaws.kernel import orphans
from pedigree.localaws.kernel.clients import Clients
from pedigree.localaws.kernel.store import Store
from pedigree.localaws.kernel.world import World
from pedigree.localaws.moto.backends import SERVICES, MotoBackends
from pedigree.localaws.moto.queue_waiter import QueueWaiter
from pedigree.localaws.moto.service import MotoService
from pedigree.localaws.services.autoscaling.operations import AutoScalingOperations
from pedigree.localaws.services.autoscaling.scaler import Scaler
from pedigree.localaws.services.cloudwatch.alarm_evaluator import AlarmEvaluator
from pedigree.localaws.services.events import targets
from pedigree.localaws.services.events.deliveries import DeliveryQueue
from pedigree.localaws.services.events.operations import EventBridgeOperations
from pedigree.localaws.services.events.rules import RuleDispatcher
from pedigree.localaws.services.events.targets import TargetChannel
from pedigree.localaws.services.lambda_.invoker import RuntimeConfig
from pedigree.localaws.services.lambda_.service import LambdaService
from pedigree.localaws.services.logs.streams import CloudWatchLogs, LogFiles
from pedigree.localaws.services.resource_lookup import ResourceLookup
from pedigree.localaws.services.s3.api import S3Api
from pedigree.localaws.services.s3.blob_store import BlobStore
from pedigree.localaws.services.s3.catalog import ObjectCatalog
from pedigree.localaws.services.sagemaker.endpoints.runtime import DataPlane
from pedigree.localaws.services.sagemaker.executions.executor import POLL_SECONDS
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
    function_python: Path = Path(sys.executable)
    function_idle_seconds: float = 300.0
    enforces_iam: bool = True
    logs_calls: bool = False
    poll_seconds: float = POLL_SECONDS
    on_decision: OnDecision = ignore_decision


class LocalAws:
    """A local AWS in a folder, from start to stop."""

    def __init__(self, options: Options) -> None:
        folder = options.folder
        folder.mkdir(parents=True, exist_ok=True)
        clock, store = SystemClock(), Store(folder / "state.sqlite")
        self.catalog = ObjectCatalog(store, BlobStore(folder / "objects"), clock)
        self.world = World(ACCOUNT, options.region, folder, store, self.catalog, clock)
        self._backends = MotoBackends(folder / "records", ACCOUNT)
        self._sessions, self._authorizer = self._authorization(options)
        self._clients = Clients(lambda: self.url, options.region, self._sessions.assume)
        logs = self._logs = CloudWatchLogs(LogFiles(folder / "logs", clock), self._backends, options.region, clock)
        self._deliveries = DeliveryQueue(store, clock)
        self._deliveries.add_channel(targets.CHANNEL, TargetChannel(self._clients))
        self._queues = QueueWaiter(self._backends, options.region)
        runtime = _lambda_runtime(options)
        self._lambda = LambdaService(
            self.world, self._backends, self._clients, logs, runtime, self._deliveries, self._queues
        )
        self._rules = RuleDispatcher(self.world, self._backends, self._deliveries)
        self._scheduler = Scheduler(self.world, self._backends, self._rules, self._deliveries, self._clients)
        self._sagemaker = SageMaker(
            *(
                self.world,
                self.catalog,
                self._authorizer,
                self._sessions,
                self._clients,
                logs,
                self._lambda.invoke,
                _job_environment(options),
            ),
            container=options.container,
            poll_seconds=options.poll_seconds,
        )
        self.service = self._sagemaker.service
        alarms = AlarmEvaluator(self._backends.backend, self._backends.save, options.region, clock.now)
        self._scaler = Scaler(self.world, self._sagemaker.endpoints, self._sagemaker.meter, alarms, self._clients)
        self.services = self._services()
        chain = request_chain(
            self.services,
            authentication(self._authorizer),
            authorization(self._authorizer),
            port=lambda: self.port,
            is_logged=options.logs_calls,
        )
        self._server = HttpServer(chain, options.port)

    @property
    def port(self) -> int:
        """The port on which it listens."""
        return self._server.port

    @property
    def url(self) -> str:
        """The AWS_ENDPOINT_URL that reaches it."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Load the state, resume what was running, and answer."""
        orphans.kill_orphans(self.world.folder)
        self._backends.restore()
        self._sagemaker.resume()
        self._server.start()
        self._logs.start()
        self._lambda.start()
        self._deliveries.start()
        self._rules.start()
        self._scheduler.start()
        self._sagemaker.begin()
        self._scaler.start()

    def stop(self) -> None:
        """Stop answering; what was running goes on with the next start. Whatever fails here, no process is left."""
        sagemaker = self._sagemaker
        # Deliveries stop before functions end: an invocation that fails because of the stop must not count as a try.
        calling = (self._scheduler.stop, self._rules.stop, self._deliveries.stop, self._lambda.stop)
        working = (self._scaler.stop, sagemaker.executor.end, sagemaker.tuner.end, *calling)
        running = (sagemaker.jobs.end_all, sagemaker.transforms.end_all, sagemaker.endpoints.end_all)
        keeping = (self._server.stop, sagemaker.captures.end, self._logs.stop)
        with ExitStack() as stack:
            stack.callback(orphans.kill_orphans, self.world.folder)
            for end in reversed((*working, *running, *keeping)):
                stack.callback(end)

    def is_serving(self, endpoint: str) -> bool:
        """Whether an endpoint has instances that answer now."""
        return any(self._sagemaker.endpoints.counts(endpoint).values())

    def _authorization(self, options: Options) -> tuple[Sessions, Authorizer]:
        """The authorizer of every call, and the sessions of services."""

        def now() -> float:
            return self.world.clock.now().timestamp()

        callers = Callers(self._backends.backend, ACCOUNT, now)
        self._backends.on_change(callers.forget)
        resources = ResourceLookup(self.world, self._backends.backend)
        authorizer = Authorizer(callers, resources, is_enforced=options.enforces_iam, on_decision=options.on_decision)
        return Sessions(authorizer, self._backends.backend, lambda: self.url, now), authorizer

    def credentials(self, role_arn: str, principal: str, source: str) -> Mapping[str, str]:
        """The environment of a process that acts as a role, assumed by a service for one of its resources."""
        return self._sessions.credentials(role_arn, principal, source)

    def _services(self) -> Mapping[str, Service]:
        """The services by their names in credential scopes; SageMaker's data plane has botocore's name."""
        moto = {name: MotoService(name, self._backends) for name in SERVICES}
        scaling, tagging, sagemaker = moto["application-autoscaling"], moto["tagging"], self._sagemaker
        return {
            **moto,
            "lambda": self._lambda.provider,
            "sqs": Provider(SqsOperations(self._queues, moto["sqs"]), fallback=moto["sqs"]),
            "events": Provider(EventBridgeOperations(self.world, self._rules, moto["events"]), fallback=moto["events"]),
            "scheduler": Provider(SchedulerOperations(moto["scheduler"]), fallback=moto["scheduler"]),
            "application-autoscaling": Provider(AutoScalingOperations(self.world.store), fallback=scaling),
            "s3": S3Api(self.world.store, self.catalog),
            "sagemaker": self.service,
            "sagemaker-runtime": DataPlane(sagemaker.endpoints, sagemaker.meter, sagemaker.captures),
            "sts": Provider(StsOperations(), fallback=moto["sts"]),
            "tagging": Provider(TaggingOperations(self.world, tagging), fallback=tagging),
        }


def _job_environment(options: Options) -> Mapping[str, str]:
    """The environment variables of jobs and model servers."""
    path = os.environ.get("PATH", os.defpath)
    if options.container:
        path = f"{options.container / 'bin'}{os.pathsep}{path}"
    # Threads that wait by spinning take the cores from every other process: two jobs would be 40 times slower.
    threads = {"OMP_WAIT_POLICY": "PASSIVE", "OMP_NUM_THREADS": "1"}
    environment = {"PATH": path, "PYTHONUNBUFFERED": "1", "AWS_REGION": options.region, **threads}
    return {**environment, **orphans.daemon_marker(options.folder)}


def _lambda_runtime(options: Options) -> RuntimeConfig:
    cores = os.cpu_count() or 1
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "en_US.UTF-8", "PYTHONUNBUFFERED": "1"}
    environment |= orphans.daemon_marker(options.folder)
    return RuntimeConfig(str(options.function_python), environment, cores, options.function_idle_seconds)
