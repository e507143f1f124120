"""The local AWS put together: the one place where its parts meet threads, ports and folders."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from werkzeug import Request, Response

from pedigree.localaws.http.access_log import Told
from pedigree.localaws.http.error_boundary import Net
from pedigree.localaws.http.router import Application, Router, application
from pedigree.localaws.http.server import Server
from pedigree.localaws.iam.authorization import Door
from pedigree.localaws.iam.callers import People
from pedigree.localaws.iam.gate import Gate, Hear, unheard
from pedigree.localaws.iam.sessions import Sessions
from pedigree.localaws.kernel import orphans
from pedigree.localaws.kernel.clients import Clients
from pedigree.localaws.kernel.store import Document, Store
from pedigree.localaws.kernel.world import SystemClock, World
from pedigree.localaws.moto.services import SERVICES, Records
from pedigree.localaws.moto.supported import is_supported
from pedigree.localaws.moto.validation import Intake
from pedigree.localaws.services.autoscaling.activities import Activities
from pedigree.localaws.services.autoscaling.scaler import Scaler
from pedigree.localaws.services.cloudwatch.alarm_evaluator import AlarmEvaluator
from pedigree.localaws.services.lambda_ import invoker
from pedigree.localaws.services.lambda_.service import LambdaService
from pedigree.localaws.services.logs.streams import CloudWatchLogs, LogFiles
from pedigree.localaws.services.s3.api import ObjectsApi
from pedigree.localaws.services.s3.blob_store import BlobStore
from pedigree.localaws.services.s3.catalog import ObjectCatalog
from pedigree.localaws.services.sagemaker.control import searching
from pedigree.localaws.services.sagemaker.control.acting import Acting
from pedigree.localaws.services.sagemaker.control.api import Control
from pedigree.localaws.services.sagemaker.control.known import Resources
from pedigree.localaws.services.sagemaker.endpoints.capture import Captures
from pedigree.localaws.services.sagemaker.endpoints.endpoints import Endpoints
from pedigree.localaws.services.sagemaker.endpoints.metering import Meter
from pedigree.localaws.services.sagemaker.endpoints.operations import EndpointHandlers
from pedigree.localaws.services.sagemaker.endpoints.recipes import Kitchen
from pedigree.localaws.services.sagemaker.endpoints.runtime import Runtime
from pedigree.localaws.services.sagemaker.executions import operations as executions
from pedigree.localaws.services.sagemaker.executions import pipelines
from pedigree.localaws.services.sagemaker.executions.executor import LOOK_SECONDS, Executor
from pedigree.localaws.services.sagemaker.executions.steps.callbacks import CallbackRunner
from pedigree.localaws.services.sagemaker.executions.steps.decisions import ConditionRunner, FailRunner
from pedigree.localaws.services.sagemaker.executions.steps.functions import FunctionRunner
from pedigree.localaws.services.sagemaker.executions.steps.requests import LIVES, RequestRunner
from pedigree.localaws.services.sagemaker.executions.steps.runner import Run, Runner
from pedigree.localaws.services.sagemaker.jobs import operations as jobs
from pedigree.localaws.services.sagemaker.jobs.published import JobMetrics
from pedigree.localaws.services.sagemaker.jobs.work import Jobs, Machine
from pedigree.localaws.services.sagemaker.resources import models, registry, tags
from pedigree.localaws.services.sagemaker.resources.service import Service, joined
from pedigree.localaws.services.sagemaker.transforms.operations import TransformHandlers
from pedigree.localaws.services.sagemaker.transforms.work import Transforms
from pedigree.localaws.services.sagemaker.tuning.operations import TuningHandlers
from pedigree.localaws.services.sagemaker.tuning.trainings import Trainings
from pedigree.localaws.services.sagemaker.tuning.tuner import Tuner
from pedigree.localaws.services.tagging.api import Labelled

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
    tells_calls: bool = False
    look_seconds: float = LOOK_SECONDS
    hear: Hear = unheard


class LocalAws:
    """A local AWS in a folder, from start to stop."""

    def __init__(self, options: Options) -> None:
        folder = options.folder
        folder.mkdir(parents=True, exist_ok=True)
        clock, store = SystemClock(), Store(folder / "state.sqlite")
        self.catalog = ObjectCatalog(store, BlobStore(folder / "objects"), clock)
        self.world = World(ACCOUNT, options.region, folder, store, self.catalog, clock)
        self._records = Records(folder / "records", ACCOUNT)
        self._sessions, self._gate = self._gated(options)
        self._clients = Clients(lambda: self.url, options.region, self._sessions.taken)
        self._acting = Acting(self.world, self._gate, self._sessions, self._clients)
        logs = self._logs = CloudWatchLogs(LogFiles(folder / "logs", clock), self._records, options.region, clock)
        machine = self._machine(options)
        self._jobs = Jobs(self.world, self.catalog, machine, logs)
        self._functions = LambdaService(self.world, self._records, self._clients, logs, _functions_machine(options))
        toolkit = (str(options.container / "bin" / "train"),) if options.container else ()
        self._training = jobs.training(self._jobs, toolkit)
        self._processing = jobs.processing(self._jobs)
        kitchen = Kitchen(self._python(options), machine.environment, logs, *self._roles_of_models())
        self._endpoints = Endpoints(self.world, kitchen, self._firing)
        source = self.world.arn("sagemaker", "*")
        self._captures = Captures(clock.now, lambda role: kitchen.role_objects(role, source))
        self._tuner = Tuner(self.world, self._trainings())
        self._transforms = Transforms(self.world, kitchen)
        served = (EndpointHandlers(self._endpoints), TransformHandlers(self._transforms))
        handlers = (*served, TuningHandlers(self._tuner))
        acting = (self._training, self._processing, *handlers)
        keeping = (pipelines, executions, models, registry, searching, tags)
        tables = [*(one.HANDLERS for one in keeping), *(one.table() for one in acting)]
        self.service = Service(self.world, joined(tables))
        self._executor = Executor(self.world, self._runners(), self._read, look_seconds=options.look_seconds)
        self._meter = Meter(clock.monotonic)
        watch = AlarmEvaluator(self._records.held, self._records.keep, options.region, clock.now)
        self._scaler = Scaler(self.world, self._endpoints, self._meter, watch, self._clients)
        router: Application = Router(self._doors(), lambda: self.port)
        self._server = Server(Told(router) if options.tells_calls else router, options.port)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.port

    @property
    def url(self) -> str:
        """What AWS_ENDPOINT_URL must be to reach it."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Remember, take up what was running, and answer."""
        orphans.kill_orphans(self.world.folder)
        self._records.restore()
        for handlers in (self._training, self._processing):
            self._jobs.resume(handlers.kind)
        self._endpoints.resume()
        self._transforms.resume()
        self._server.start()
        self._logs.begin()
        self._functions.begin()
        self._executor.begin()
        self._scaler.begin()
        self._captures.begin()
        self._tuner.begin()

    def stop(self) -> None:
        """Stop answering; what runs goes on with the next start. Whatever fails in here, no process is left."""
        working = (self._scaler.end, self._executor.end, self._tuner.end, self._functions.end)
        running = (self._jobs.end_all, self._transforms.end_all, self._endpoints.end_all)
        keeping = (self._server.stop, self._captures.end, self._logs.end)
        with ExitStack() as stack:
            stack.callback(orphans.kill_orphans, self.world.folder)
            for end in reversed((*working, *running, *keeping)):
                stack.callback(end)

    def is_serving(self, endpoint: str) -> bool:
        """Whether an endpoint has instances that answer now."""
        return any(self._endpoints.counts(endpoint).values())

    def _gated(self, options: Options) -> tuple[Sessions, Gate]:
        """IAM before everything that is asked, and the roles that services take."""

        def now() -> float:
            return self.world.clock.now().timestamp()

        people = People(self._records.held, ACCOUNT, now)
        self._records.listen(people.changed)
        known = Resources(self.world, self._records.held)
        gate = Gate(people, known, is_enforced=options.enforces_iam, hear=options.hear)
        return Sessions(gate, self._records.held, lambda: self.url, now), gate

    def _roles_of_models(self) -> tuple[Callable[[str, str], Mapping[str, str]], Callable[[str, str], ObjectCatalog]]:
        def objects(role: str, source: str) -> ObjectCatalog:
            return self._acting.objects(self.catalog, role, source)

        return self._acting.environment, objects

    def _read(self, execution: Document, address: str) -> bytes:
        role, source = execution["RoleArn"], execution["PipelineExecutionArn"]
        return self._acting.objects(self.catalog, role, source).read(address)

    def _doors(self) -> Mapping[str, Application]:
        """The services, each behind the gate; nothing gets past the net."""
        return {name: Net(Door(self._gate, inside)) for name, inside in self._services().items()}

    def credentials(self, role_arn: str, principal: str, source: str) -> Mapping[str, str]:
        """The environment of a process that acts as a role, which a service takes for one of its resources."""
        return self._sessions.credentials(role_arn, principal, source)

    def _services(self) -> Mapping[str, Application]:
        objects = ObjectsApi(self.world.store, self.catalog)
        recorded: dict[str, Application] = {
            **dict.fromkeys(SERVICES, self._records),
            **self._functions.applications(),
            "application-autoscaling": Activities(self.world, self._records),
            "tagging": Labelled(self.world, self._records),
        }
        return {
            **{name: Intake(inside, is_supported) for name, inside in recorded.items()},
            "sagemaker": application(self._sagemaker()),
            "s3": application(objects.answer),
        }

    def _sagemaker(self) -> Callable[[Request], Response]:
        """The control plane names its operation in a header, the data plane has a path; both sign alike."""
        control, runtime = Control(self.service), Runtime(self._endpoints, self._meter, self._captures)
        return lambda request: (control if "X-Amz-Target" in request.headers else runtime).answer(request)

    def _trainings(self) -> Trainings:
        def call(operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
            return self.service.answer(operation, dict(request))

        return Trainings(self.world, call, self._training.series)

    def _runners(self) -> Mapping[str, Runner]:
        acting = self._acting

        def call(run: Run, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
            return acting.call(run, operation, request, self.service.answer)

        return {
            **dict.fromkeys(LIVES, RequestRunner(call)),
            "Condition": ConditionRunner(),
            "Fail": FailRunner(),
            "Callback": CallbackRunner(acting.send),
            "Lambda": FunctionRunner(acting.invoke),
        }

    def _firing(self, alarms: Sequence[str]) -> Sequence[str]:
        """Which of some alarms are in ALARM, by what CloudWatch's records say."""
        told = self._clients("cloudwatch").describe_alarms(AlarmNames=list(alarms))
        return [one["AlarmName"] for one in told["MetricAlarms"] if one["StateValue"] == "ALARM"]

    def _python(self, options: Options) -> str:
        return str(options.container / "bin" / "python") if options.container else sys.executable

    def _machine(self, options: Options) -> Machine:
        path = os.environ.get("PATH", os.defpath)
        if options.container:
            path = f"{options.container / 'bin'}{os.pathsep}{path}"
        # Threads that wait by spinning take the cores from every other process: two jobs would be 40 times slower.
        threads = {"OMP_WAIT_POLICY": "PASSIVE", "OMP_NUM_THREADS": "1"}
        environment = {"PATH": path, "PYTHONUNBUFFERED": "1", "AWS_REGION": options.region, **threads}
        environment |= orphans.daemon_marker(options.folder)
        published = JobMetrics(self._clients)
        return Machine(environment, os.cpu_count() or 1, self._acting.environment, self._acting.objects, published)


def _functions_machine(options: Options) -> invoker.RuntimeConfig:
    cores = os.cpu_count() or 1
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "en_US.UTF-8", "PYTHONUNBUFFERED": "1"}
    environment |= orphans.daemon_marker(options.folder)
    return invoker.RuntimeConfig(str(options.function_python), environment, cores, options.function_idle_seconds)
