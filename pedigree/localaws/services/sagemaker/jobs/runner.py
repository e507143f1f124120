"""Running jobs: from a document that says what is asked for to one that says what came of it.

Each job has a thread, which lays out its hosts, runs them, and keeps what they wrote. The document says at each moment
how far it is, in the service's words. A job that was running when the daemon was killed is run again from the start,
in a clean folder but for its checkpoints; of one whose processes had ended, only what they wrote is still to be kept.
"""

from __future__ import annotations

import logging
import shutil
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, TypeAlias

from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.kernel.background_errors import retry_until_done
from pedigree.localaws.kernel.interfaces import LogWriter
from pedigree.localaws.kernel.processes import Host, HostProcesses, Outcome, end_group
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.s3.catalog import NoSuchBucketError, ObjectCatalog, S3Location
from pedigree.localaws.services.sagemaker.jobs.events import job_changed
from pedigree.localaws.services.sagemaker.jobs.metrics import Readings
from pedigree.localaws.services.sagemaker.jobs.plans import MODEL, JobPlan
from pedigree.localaws.services.sagemaker.jobs.sandbox import Sandbox, collect
from pedigree.localaws.services.sagemaker.jobs.transitions import ended, moved
from pedigree.localaws.services.sagemaker.resources.role_access import RoleAccess

_LOG = logging.getLogger(__name__)
_STOPPED_EXIT = "Stopped"
_OVER = ("Completed", "Failed", "Stopped")
_SERIES = "_series"
_OUTCOME = "_outcome"
_END_SECONDS = 5.0
_LOOK_SECONDS = 0.02
Planner: TypeAlias = Callable[[Document], JobPlan]
Ended: TypeAlias = Callable[[Document], None]


Publish: TypeAlias = Callable[[str, Sequence[tuple[str, float]]], None]
"""Told a job and what its log has just said of its metrics."""


@dataclass(frozen=True)
class JobHost:
    """What jobs run on: the environment of every process, the cores that jobs share, and the roles that they take."""

    environment: Mapping[str, str]
    cores: int
    roles: RoleAccess
    publish: Publish = field(default=lambda _job, _values: None)


@dataclass(frozen=True)
class JobKind:
    """What a kind of job is called in its documents."""

    kind: str
    status: str
    plan: Planner
    secondary: bool = False


class JobRunner:
    """All jobs of the machine, whichever kind."""

    def __init__(self, world: World, host: JobHost, logs: LogWriter) -> None:
        self._world = world
        self._host = host
        self._logs = logs
        self._lock = threading.Lock()
        self._running: dict[str, HostProcesses | None] = {}
        self._hosts: dict[str, int] = {}
        self._readings: dict[str, Readings] = {}
        self._ending = threading.Event()

    def start(self, kind: JobKind, name: str) -> None:
        """Run the job of that name."""
        hosts = _hosts(kind, self._world.store.get(kind.kind, name))
        with self._lock:
            self._running[name] = None
            self._hosts[name] = hosts  # from the start, so that jobs which start together share the cores fairly
        threading.Thread(target=self._run, args=(kind, name), name=f"job {name}", daemon=True).start()

    def stop(self, kind: JobKind, name: str) -> None:
        """Ask a job to end; it says Stopping until it has."""
        self._note(kind, name, "Stopping", "Stopping")
        with self._lock:
            running = self._running.get(name)
        if running is not None:
            running.stop()

    def wait_for_cleanup(self, name: str) -> None:
        """Wait for what is still done about a job that has ended: another of its name would lie in the same folder."""
        deadline = time.monotonic() + _END_SECONDS
        while name in self._running and time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)

    def metric_values(self, kind: JobKind, name: str, metric: str) -> Sequence[float]:
        """The values of a metric so far, in their order, whether the job still runs or has ended."""
        with self._lock:
            readings = self._readings.get(name)
        told = readings.series if readings else self._world.store.get(kind.kind, name).get(_SERIES, {})
        return tuple(told.get(metric, ()))

    def resume(self, kind: JobKind) -> None:
        """Run again what was running when the daemon ended; what is left of it has been ended."""
        for entry in self._world.store.entries(kind.kind):
            if entry.body[kind.status] in ("InProgress", "Stopping"):
                if entry.body[kind.status] == "Stopping" and _OUTCOME not in entry.body:
                    self._note(kind, entry.name, "Stopped", _STOPPED_EXIT)
                else:
                    self.start(kind, entry.name)

    def end_all(self, patience: float = _END_SECONDS) -> None:
        """End every job's processes at once; they run again when the daemon does, so their end is not noted."""
        self._ending.set()
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            with self._lock:
                jobs = list(self._running.values())
            if not jobs:
                return
            for group in [group for running in jobs if running for group in running.groups]:
                end_group(group, signal.SIGKILL)
            time.sleep(_LOOK_SECONDS)

    def _run(self, kind: JobKind, name: str) -> None:
        try:
            self._carry_out(kind, name)
        except (OSError, ValueError, NoSuchBucketError, ServiceError) as error:
            self._fail(kind, name, f"ClientError: {error}")
        except Exception:  # noqa: BLE001  # a bug in here is this job's failure, and the log has all of it
            _LOG.exception("job %s cannot go on", name)
            self._fail(kind, name, "InternalServerError: see the local AWS's log")
        finally:
            with self._lock:
                self._running.pop(name, None)
                self._hosts.pop(name, None)
                self._readings.pop(name, None)
            self._world.signal.wake()

    def _fail(self, kind: JobKind, name: str, reason: str) -> None:
        def noted() -> None:
            self._note(kind, name, "Failed", "Failed", FailureReason=reason)

        retry_until_done(noted, self._ending.wait, f"the failure of job {name}")

    def _carry_out(self, kind: JobKind, name: str) -> None:
        body = self._world.store.get(kind.kind, name)
        plan = kind.plan(body)
        catalog = self._host.roles.objects(plan.role, self._arn(kind, name))
        folder = self._world.folder / "jobs" / name
        sandboxes = [Sandbox(folder / f"host-{number}") for number, _ in enumerate(plan.hosts, start=1)]
        outcome = Outcome(**body[_OUTCOME]) if _OUTCOME in body else self._outcome(kind, plan, sandboxes, catalog)
        if self._ending.is_set():
            return
        reason = _reason(outcome, sandboxes)
        artifacts = self._keep(plan, sandboxes, catalog, has_failed=bool(reason))
        ended_early = outcome.is_stopped or outcome.is_too_long
        status = "Stopped" if ended_early else "Failed" if reason else "Completed"
        secondary = "MaxRuntimeExceeded" if outcome.is_too_long else status
        failure = {"FailureReason": reason if status == "Failed" else None}
        self._note(kind, name, status, secondary, ExitMessage=reason or None, **artifacts, **failure)
        shutil.rmtree(folder, ignore_errors=True)

    def _outcome(self, kind: JobKind, plan: JobPlan, sandboxes: list[Sandbox], catalog: ObjectCatalog) -> Outcome:
        """Run a job's processes; how they ended is noted before anything is done about it."""
        name = plan.name
        if plan.checkpoints and sandboxes[0].root.exists():
            collect(plan.checkpoints, sandboxes[:1], catalog)  # a run that was cut off can be continued by the next
        shutil.rmtree(self._world.folder / "jobs" / name, ignore_errors=True)
        self._note(kind, name, "InProgress", "Downloading")
        for sandbox, host in zip(sandboxes, plan.hosts, strict=True):
            sandbox.lay_out(plan, host, catalog)
        readings = Readings(plan.metrics)
        with self._lock:
            self._readings[name] = readings
        outcome = self._processes(kind, plan, sandboxes, readings)
        final = {"FinalMetricDataList": readings.final(), _SERIES: readings.series} if plan.metrics else {}
        # Where there is nothing to upload, the end of the job is the next thing to be stored.
        if kind.secondary or plan.outputs or plan.checkpoints:
            self._note(kind, name, "InProgress", "Uploading", **{_OUTCOME: asdict(outcome)}, **final)
        return outcome

    def _processes(self, kind: JobKind, plan: JobPlan, sandboxes: list[Sandbox], readings: Readings) -> Outcome:
        with self._lock:
            share = max(1, self._host.cores // sum(self._hosts.values()))
        base = {
            **self._host.environment,
            **self._host.roles.environment(plan.role, self._arn(kind, plan.name)),
            "OMP_NUM_THREADS": str(share),
            "SM_LOCAL_CORES": str(share),
        }
        hosts = [
            Host(name, sandbox.command(plan), sandbox.root / "code", sandbox.environment(plan, base))
            for name, sandbox in zip(plan.hosts, sandboxes, strict=True)
        ]

        def hear(host: str, line: str) -> None:
            self._logs.write(plan.log_group, f"{plan.name}/algo-{plan.hosts.index(host) + 1}", line)
            if found := readings.read(line, self._world.clock.now()):
                self._host.publish(plan.name, found)

        began = {"TrainingStartTime": self._world.now()} if kind.secondary else {}
        self._note(kind, plan.name, "InProgress", "Training", **began)
        with self._lock:
            if self._ending.is_set():  # nobody would end what begins now; the next daemon runs the job again
                return Outcome(-signal.SIGKILL)
            running = self._running[plan.name] = HostProcesses(hosts, hear)
        if self._world.store.get(kind.kind, plan.name)[kind.status] == "Stopping":
            running.stop()
        return running.wait(plan.seconds)

    def _keep(
        self, plan: JobPlan, sandboxes: list[Sandbox], catalog: ObjectCatalog, *, has_failed: bool
    ) -> Mapping[str, Any]:
        """Keep what the hosts wrote; what the document says of it."""
        kept: dict[str, S3Location | None] = {}
        for output in plan.outputs:
            if has_failed and not output.also_after_failure:
                continue
            kept[output.folder] = collect(output, sandboxes, catalog)
        if plan.checkpoints:
            collect(plan.checkpoints, sandboxes[:1], catalog)
        model = kept.get(MODEL) if plan.kind == "training" else None
        return {"ModelArtifacts": {"S3ModelArtifacts": str(model)}} if model else {}

    def _arn(self, kind: JobKind, name: str) -> str:
        return self._world.arn("sagemaker", f"{kind.kind}/{name}")

    def _note(self, kind: JobKind, name: str, status: str, secondary: str, **members: Any) -> None:
        """Say in the job's document how far it is, as far as its kind tells that."""
        is_told = kind.secondary or members or status != "InProgress"
        if self._ending.is_set() or not is_told:
            return
        moment = self._world.now()

        def noted(before: Document) -> Document:
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
            job_changed(self._world, kind.kind, self._world.store.update(kind.kind, name, noted), before)
        self._world.signal.wake()


def _hosts(kind: JobKind, document: Document) -> int:
    """On how many hosts a job will run; one that cannot be planned says so when it is carried out."""
    try:
        return len(kind.plan(document).hosts)
    except ValueError:
        return 1


def _reason(outcome: Outcome, sandboxes: list[Sandbox]) -> str:
    """Why a job failed: what it wrote itself, else its exit code; nothing if it did not."""
    if outcome.is_stopped or outcome.is_too_long or not outcome.exit_code:
        return ""
    written = next((text for text in (sandbox.failure() for sandbox in sandboxes) if text), "")
    cause = written or "See job logs for more information"
    return f"AlgorithmError: {cause}, exit code: {outcome.exit_code}"
