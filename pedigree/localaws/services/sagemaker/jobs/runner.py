"""Runs training and processing jobs as processes of this machine.

Each job has a thread, which prepares its hosts, runs them, and uploads what they wrote. The job's document always says
how far it is, in the service's words. A job that ran when the daemon was killed runs again from the start, in a clean
folder but with its checkpoints; if its processes had ended, only the upload is repeated.
"""

from __future__ import annotations

import logging
import shutil
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from pedigree.errors import Mistake
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.kernel.background_errors import retry_until_done
from pedigree.localaws.kernel.interfaces import LogWriter
from pedigree.localaws.kernel.job_port import job_port
from pedigree.localaws.kernel.processes import ExitStatus, Host, HostProcesses, end_group
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.s3.catalog import NoSuchBucketError, ObjectCatalog, S3Location
from pedigree.localaws.services.sagemaker.jobs import input_checks, volume
from pedigree.localaws.services.sagemaker.jobs.events import job_changed
from pedigree.localaws.services.sagemaker.jobs.hosts import HostFactory
from pedigree.localaws.services.sagemaker.jobs.image_wait import StoppedWhileWaitingError, wait_for_image
from pedigree.localaws.services.sagemaker.jobs.log_lines import as_logged
from pedigree.localaws.services.sagemaker.jobs.machine_folder import FileTimes, file_times, first_change
from pedigree.localaws.services.sagemaker.jobs.metrics import MetricValues
from pedigree.localaws.services.sagemaker.jobs.plans import MODEL, ROOT, JobPlan
from pedigree.localaws.services.sagemaker.jobs.prepared_hosts import HostPreparation
from pedigree.localaws.services.sagemaker.jobs.sandbox import Sandbox, collect
from pedigree.localaws.services.sagemaker.jobs.transitions import ended, moved
from pedigree.localaws.services.sagemaker.resources.images import (
    Images,
    image_of,
    missing_module,
    notebook_refusal,
    with_missing_module,
)
from pedigree.localaws.services.sagemaker.resources.role_access import RoleAccess

_LOG = logging.getLogger(__name__)
_STOPPED_EXIT = "Stopped"
_OVER = ("Completed", "Failed", "Stopped")
_SERIES = "_series"
_OUTCOME = "_outcome"
_END_SECONDS = 5.0
_POLL_SECONDS = 0.02
NO_CONTAINER = "[local AWS] there is no container for this job:"
Planner: TypeAlias = Callable[[Document], JobPlan]


Publish: TypeAlias = Callable[[str, Sequence[tuple[str, float]]], None]
"""Called with a job and the metric values in a line of its log."""


@dataclass(frozen=True)
class JobHost:
    """What jobs run on: the variables of every process, the cores that they share, roles, hosts, and images."""

    environment: Mapping[str, str]
    cores: int
    roles: RoleAccess
    factory: HostFactory
    images: Images
    publish: Publish = field(default=lambda _job, _values: None)


@dataclass(frozen=True)
class JobKind:
    """A kind of job: its kind in the store, the member with its status, and whether it has secondary statuses."""

    kind: str
    status: str
    plan: Planner
    secondary: bool = False


class JobRunner:
    """Runs all jobs of the machine, of all kinds."""

    def __init__(self, world: World, host: JobHost, logs: LogWriter) -> None:
        self._world = world
        self._host = host
        self._logs = logs
        self._lock = threading.Lock()
        self._running: dict[str, HostProcesses | None] = {}
        self._hosts: dict[str, int] = {}
        self._readings: dict[str, MetricValues] = {}
        self._missing_modules: dict[str, str] = {}
        self._ending = threading.Event()

    def objects(self, kind: JobKind, name: str, role: str) -> ObjectCatalog:
        """The objects of S3 as a job's role finds them; ServiceError if the role cannot be assumed."""
        return self._host.roles.objects(role, self._arn(kind, name))

    def start(self, kind: JobKind, name: str) -> None:
        """Start a job."""
        hosts = _hosts(kind, self._world.store.get(kind.kind, name))
        with self._lock:
            self._running[name] = None
            self._hosts[name] = hosts  # from the start, so that jobs which start together share the cores fairly
        threading.Thread(target=self._run, args=(kind, name), name=f"job {name}", daemon=True).start()

    def stop(self, kind: JobKind, name: str) -> None:
        """Ask a job to end; its status is Stopping until it has."""
        self._note(kind, name, "Stopping", "Stopping")
        with self._lock:
            running = self._running.get(name)
        if running is not None:
            running.stop()

    def wait_for_cleanup(self, name: str) -> None:
        """Wait until the folder of an ended job is removed: another job of its name would use the same folder."""
        deadline = time.monotonic() + _END_SECONDS
        while name in self._running and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)

    def metric_values(self, kind: JobKind, name: str, metric: str) -> Sequence[float]:
        """The values of a metric so far, in order, of a job that runs or has ended."""
        with self._lock:
            readings = self._readings.get(name)
        series = readings.series if readings else self._world.store.get(kind.kind, name).get(_SERIES, {})
        return tuple(series.get(metric, ()))

    def resume(self, kind: JobKind) -> None:
        """Run the jobs again that ran when the last daemon ended, whose processes have been killed."""
        for entry in self._world.store.entries(kind.kind):
            if entry.body[kind.status] in ("InProgress", "Stopping"):
                if entry.body[kind.status] == "Stopping" and _OUTCOME not in entry.body:
                    self._note(kind, entry.name, "Stopped", _STOPPED_EXIT)
                else:
                    self.start(kind, entry.name)

    def end_all(self, patience: float = _END_SECONDS) -> None:
        """Kill all jobs' processes. That is not stored: the jobs run again with the next daemon."""
        self._ending.set()
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            with self._lock:
                jobs = list(self._running.values())
            if not jobs:
                return
            for group in [group for running in jobs if running for group in running.groups]:
                end_group(group, signal.SIGKILL)
            time.sleep(_POLL_SECONDS)

    def _run(self, kind: JobKind, name: str) -> None:
        try:
            self._run_job(kind, name)
        except StoppedWhileWaitingError:
            self._note(kind, name, "Stopped", "Stopped")
        except (OSError, ValueError, NoSuchBucketError, ServiceError, Mistake) as error:
            self._fail(kind, name, f"ClientError: {error}")
            if not self._ending.is_set():
                shutil.rmtree(self._world.folder / "jobs" / name, ignore_errors=True)
        except Exception:  # noqa: BLE001  # a bug in here fails this job, and the log says more
            _LOG.exception("job %s cannot go on", name)
            self._fail(kind, name, "InternalServerError: see the local AWS's log")
        finally:
            with self._lock:
                self._running.pop(name, None)
                self._hosts.pop(name, None)
                self._readings.pop(name, None)
            self._world.signal.wake()

    def _fail(self, kind: JobKind, name: str, reason: str) -> None:
        def store_failure() -> None:
            self._note(kind, name, "Failed", "Failed", FailureReason=reason)

        retry_until_done(store_failure, self._ending.wait, f"the failure of job {name}")

    def _run_job(self, kind: JobKind, name: str) -> None:
        body = self._world.store.get(kind.kind, name)
        containers = self._host.factory.containers
        plan = kind.plan(body)
        has_container = containers.has_containers or plan.engine is not None
        plan = plan if has_container else plan.without_containers()
        catalog = self.objects(kind, name, plan.role)
        folder = self._world.folder / "jobs" / name
        numbers = range(1, len(plan.hosts) + 1)
        sandboxes = [Sandbox(folder / f"host-{number}", has_container) for number in numbers]
        outcome = ExitStatus(**body[_OUTCOME]) if _OUTCOME in body else self._outcome(kind, plan, sandboxes, catalog)
        if self._ending.is_set():
            return
        reason = self._with_missing_module(_reason(outcome, sandboxes, plan.kind), plan, body)
        artifacts = self._upload(plan, sandboxes, catalog, has_failed=bool(reason))
        ended_early = outcome.is_stopped or outcome.is_too_long
        status = "Stopped" if ended_early else "Failed" if reason else "Completed"
        secondary = "MaxRuntimeExceeded" if outcome.is_too_long else status
        failure = {"FailureReason": reason if status == "Failed" else None}
        message = next(filter(None, (sandbox.exit_message() for sandbox in sandboxes)), None)
        self._note(kind, name, status, secondary, ExitMessage=message, **artifacts, **failure)
        shutil.rmtree(folder, ignore_errors=True)

    def _with_missing_module(self, reason: str, plan: JobPlan, body: Document) -> str:
        module = self._missing_modules.pop(plan.name, "")
        if not reason or not module or plan.engine:
            return reason
        recipe = self._host.images.find(image_of(body)).recipe
        return with_missing_module(reason, module, body, recipe.name, self._host.images.environments.folder_of(recipe))

    def _outcome(self, kind: JobKind, plan: JobPlan, sandboxes: list[Sandbox], catalog: ObjectCatalog) -> ExitStatus:
        """Run a job's processes; their outcome is stored before anything is uploaded."""
        name = plan.name
        if plan.checkpoints and sandboxes[0].root.exists():
            collect(plan.checkpoints, sandboxes[:1], catalog)  # so that the next run can continue one that was cut off
        shutil.rmtree(self._world.folder / "jobs" / name, ignore_errors=True)
        self._note(kind, name, "InProgress", "Downloading")
        environment = wait_for_image(lambda: self._available(plan), lambda: self._is_stopping(kind, name))
        downloaded = volume.check_inputs(plan, catalog)
        input_checks.check_fast_file(plan, catalog)
        for sandbox, host in zip(sandboxes, plan.hosts, strict=True):
            sandbox.lay_out(plan, host, catalog)
        readings = MetricValues(plan.metrics)
        with self._lock:
            self._readings[name] = readings
        before = self._prepare_without_containers(plan)
        with self._preparation(kind, plan).hosts(plan, sandboxes, catalog, environment) as hosts:
            outcome = self._processes(kind, plan, hosts, readings)
        self._check_without_containers(plan, outcome, before)
        if not outcome.exit_code:
            volume.check_outputs(plan, downloaded, sandboxes)
        final = {"FinalMetricDataList": readings.final(), _SERIES: readings.series} if plan.metrics else {}
        # Where there is nothing to upload, the end of the job is the next thing to be stored.
        if kind.secondary or plan.outputs or plan.checkpoints:
            self._note(kind, name, "InProgress", "Uploading", **{_OUTCOME: asdict(outcome)}, **final)
        return outcome

    def _available(self, plan: JobPlan) -> Path | None:
        """The environment that stands for a job's image, or None where an engine has that; the job waits for either."""
        images = self._host.images
        if plan.engine:
            plan.engine.fetch(plan.image, lambda line: self._tell(plan, f"[local AWS] {line}"))
            return None
        environment = images.build(images.find(plan.image), plan.image, lambda line: self._tell(plan, line))
        if why := notebook_refusal(plan.command, environment, self._host.factory.containers.support.reason):
            raise ValueError(why)
        return environment

    def _tell(self, plan: JobPlan, line: str) -> None:
        """Write a line of ours to a job's log."""
        self._logs.write(plan.log_group, f"{plan.name}/algo-1", line)

    def _prepare_without_containers(self, plan: JobPlan) -> FileTimes:
        """Say in the log what a job without containers lacks; the files of this machine that it must not change."""
        reason = self._host.factory.containers.support.reason
        if not reason or plan.engine:
            return {}
        network = ", and EnableNetworkIsolation is not enforced" if plan.is_isolated else ""
        line = f"{NO_CONTAINER} {reason}: paths below {ROOT} are rewritten in the command and in scripts{network}"
        self._tell(plan, line)
        return file_times(self._host.factory.machine_folder)

    def _check_without_containers(self, plan: JobPlan, outcome: ExitStatus, before: FileTimes) -> None:
        if self._host.factory.containers.has_containers or plan.engine or outcome.exit_code:
            return
        if changed := first_change(before, file_times(self._host.factory.machine_folder)):
            words = f"{changed} of this machine changed while the job ran, and its outputs may lack what it wrote there"
            raise ValueError(f"{words}; {NO_CONTAINER} {self._host.factory.containers.support.reason}")

    def _preparation(self, kind: JobKind, plan: JobPlan) -> HostPreparation:
        host = self._host

        def on_line(line: str) -> None:
            self._tell(plan, f"[local AWS] {line}")

        session = host.roles.environment(plan.role, self._arn(kind, plan.name))
        return HostPreparation(host.factory, host.images, host.environment, on_line, session, lambda: self._share(plan))

    def _share(self, plan: JobPlan) -> Mapping[str, str]:
        """A job's share of the cores, and its port, as variables."""
        with self._lock:
            share = max(1, self._host.cores // sum(self._hosts.values()))
        return {
            "OMP_NUM_THREADS": str(share),
            "SM_LOCAL_CORES": str(share),
            "PET_MASTER_PORT": str(job_port(plan.name)),  # where torchrun's processes find each other
        }

    def _processes(self, kind: JobKind, plan: JobPlan, hosts: Sequence[Host], readings: MetricValues) -> ExitStatus:
        def on_line(host: str, line: str) -> None:
            line = as_logged(line) if plan.kind == "training" else line
            self._logs.write(plan.log_group, f"{plan.name}/algo-{plan.hosts.index(host) + 1}", line)
            if module := missing_module(line):
                self._missing_modules[plan.name] = module
            if values := readings.read(line, self._world.clock.now()):
                self._host.publish(plan.name, values)

        start = {"TrainingStartTime": self._world.now()} if kind.secondary else {}
        self._note(kind, plan.name, "InProgress", "Training", **start)
        with self._lock:
            if self._ending.is_set():  # nothing would end a process that starts now; the next daemon runs the job again
                return ExitStatus(-signal.SIGKILL)
            running = self._running[plan.name] = HostProcesses(hosts, on_line)
        if self._is_stopping(kind, plan.name):
            running.stop()
        return running.wait(plan.seconds)

    def _is_stopping(self, kind: JobKind, name: str) -> bool:
        return bool(self._world.store.get(kind.kind, name)[kind.status] == "Stopping")

    def _upload(
        self, plan: JobPlan, sandboxes: list[Sandbox], catalog: ObjectCatalog, *, has_failed: bool
    ) -> Mapping[str, Any]:
        """Upload what the hosts wrote; the members that describe it."""
        uploaded: dict[str, S3Location | None] = {}
        for output in plan.outputs:
            if has_failed and not output.also_after_failure:
                continue
            uploaded[output.folder] = collect(output, sandboxes, catalog)
        if plan.checkpoints:
            collect(plan.checkpoints, sandboxes[:1], catalog)
        model = uploaded.get(MODEL) if plan.kind == "training" else None
        return {"ModelArtifacts": {"S3ModelArtifacts": str(model)}} if model else {}

    def _arn(self, kind: JobKind, name: str) -> str:
        return self._world.arn("sagemaker", f"{kind.kind}/{name}")

    def _note(self, kind: JobKind, name: str, status: str, secondary: str, **members: Any) -> None:
        """Store how far a job is. A job without secondary statuses says less."""
        has_news = kind.secondary or members or status != "InProgress"
        if self._ending.is_set() or not has_news:
            return
        moment = self._world.now()

        def updated(before: Document) -> Document:
            if before[kind.status] in _OVER:
                return before
            body = {**before, **{member: value for member, value in members.items() if value is not None}}
            body[kind.status] = status if before[kind.status] != "Stopping" or status != "InProgress" else "Stopping"
            body["LastModifiedTime"] = moment
            if kind.secondary:
                body.update(moved(before, secondary, moment))
            if status not in ("InProgress", "Stopping"):
                body.update(ended(before, moment))
            return body

        with self._world.store.transaction():
            before = self._world.store.get(kind.kind, name)
            job_changed(self._world, kind.kind, self._world.store.update(kind.kind, name, updated), before)
        self._world.signal.wake()


def _hosts(kind: JobKind, document: Document) -> int:
    """The number of hosts of a job; 1 if its request is not readable, which fails when the job runs."""
    try:
        return len(kind.plan(document).hosts)
    except (ValueError, Mistake):
        return 1


def _reason(outcome: ExitStatus, sandboxes: list[Sandbox], kind: str) -> str:
    """Why a job failed: the reason that it wrote itself, or its exit code; empty if it did not fail."""
    if outcome.is_stopped or outcome.is_too_long or not outcome.exit_code:
        return ""
    written = next((text for text in (sandbox.failure() for sandbox in sandboxes) if text), "")
    if not written and kind == "processing":
        return "AlgorithmError: See job logs for more information"
    return f"AlgorithmError: {written}, exit code: {outcome.exit_code}"
