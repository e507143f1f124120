"""The life of endpoints: created, updated without a failed request, resized, deleted, and taken up after a restart.

The document of an endpoint says what AWS would say at each moment; what runs is in a Live beside it. Everything that
takes time happens in a thread of its own, one after the other for each endpoint.
"""

from __future__ import annotations

import logging
import random
import shutil
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from localaws import events
from localaws.endpoints.fleet import wait
from localaws.endpoints.generation import Generation
from localaws.endpoints.instances import InstanceError, Reply
from localaws.endpoints.recipes import Kitchen, variants
from localaws.endpoints.rollout import Rollout, rollout
from localaws.jobs.processes import end_group
from localaws.protocol.errors import ServiceError
from localaws.sagemaker import models
from localaws.store import Document
from localaws.world import World

ENDPOINT = "endpoint"
_PROCESSES = "endpoint-processes"
_LOG = logging.getLogger(__name__)
Firing: TypeAlias = Callable[[Sequence[str]], Sequence[str]]
"""Which of some alarms are in ALARM."""
Deployment: TypeAlias = Mapping[str, Any] | None


class Live:
    """What runs for an endpoint: a generation, and during an update another one, with its share of the traffic."""

    def __init__(self) -> None:
        self.current: Generation | None = None
        self.incoming: Generation | None = None
        self.share = 0.0
        self.work = threading.Lock()
        self.is_over = False

    def generation(self) -> Generation | None:
        """Whom to ask next."""
        incoming = self.incoming
        return incoming if incoming is not None and random.random() < self.share else self.current  # noqa: S311  # a share


class Endpoints:
    """All endpoints."""

    def __init__(self, world: World, kitchen: Kitchen, firing: Firing) -> None:
        self._world = world
        self._kitchen = kitchen
        self._firing = firing
        self._live: dict[str, Live] = {}
        self._lock = threading.Lock()

    def begin(self, name: str) -> None:
        """Bring a new endpoint, or one that was there before a restart, into service."""
        self._in_thread(self._create, name)

    def update(self, name: str, configuration: str, counts: Mapping[str, int], deployment: Deployment) -> None:
        """Move an endpoint to another configuration; counts are of variants that keep theirs."""
        self._in_thread(self._update, name, configuration, counts, deployment)

    def resize(self, name: str, counts: Mapping[str, int], weights: Mapping[str, float]) -> None:
        """Give variants other numbers of instances, or weights."""
        self._in_thread(self._resize, name, counts, weights)

    def scale(self, name: str, counts: Mapping[str, int]) -> None:
        """Give variants other numbers of instances on behalf of their scaling; the endpoint says Updating meanwhile."""
        self._note(name, "Updating")
        self._in_thread(self._resize, name, counts, {})

    def remove(self, name: str) -> None:
        """End an endpoint and forget it."""
        self._of(name).is_over = True
        self._in_thread(self._remove, name)

    def resume(self) -> None:
        """Take up what there was when the daemon ended, after ending what is left of it."""
        for entry in self._world.store.entries(_PROCESSES):
            for process in entry.body["processes"]:
                if _belongs(process, self._world.folder / "endpoints" / entry.name):
                    end_group(process, signal.SIGKILL)
        for entry in self._world.store.entries(ENDPOINT):
            status = entry.body["EndpointStatus"]
            if status == "Deleting":
                self.remove(entry.name)
            elif status != "Failed":
                self._in_thread(self._take_up, entry.name)

    def end_all(self) -> None:
        """End every instance; the endpoints come back with the next start."""
        with self._lock:
            lives = list(self._live.values())
        for live in lives:
            live.is_over = True
            for generation in (live.current, live.incoming):
                if generation is not None:
                    generation.end()

    def invoke(self, name: str, body: bytes, headers: Mapping[str, str], variant: str = "") -> tuple[str, Reply]:
        """Ask an endpoint; ServiceError if it is not there or cannot answer."""
        live = self._live.get(name)
        generation = live.generation() if live else None
        if live is None or generation is None:
            raise ServiceError("ValidationError", f"Endpoint {name} of account {self._world.account} not found.")
        if variant and variant not in generation.fleets:
            raise ServiceError("ValidationError", f"Variant {variant} of endpoint {name} not found.")
        try:
            return generation.invoke(body, headers, variant)
        except InstanceError as error:
            raise ServiceError("ServiceUnavailable", str(error), 503) from error

    def counts(self, name: str) -> Mapping[str, int]:
        """How many instances the variants of an endpoint have now."""
        live = self._live.get(name)
        return live.current.counts() if live and live.current else {}

    def _take_up(self, name: str) -> None:
        """Bring back an endpoint; one that was being updated is updated from what it was."""
        update = self._world.store.get(ENDPOINT, name).get("_update")
        self._create(name, "Updating" if update else "InService")
        if update and self._of(name).current is not None:
            self._update(name, **update)

    def _create(self, name: str, status: str = "InService") -> None:
        live, body = self._of(name), self._world.store.get(ENDPOINT, name)
        counts = {one["VariantName"]: one["DesiredInstanceCount"] for one in body["ProductionVariants"]}
        try:
            generation = self._started(name, body["EndpointConfigName"], counts, live)
        except (InstanceError, ServiceError) as error:
            self._note(name, "Failed", FailureReason=str(error))
            return
        live.current = generation
        self._settled(name, generation, status)

    def _update(self, name: str, configuration: str, counts: Mapping[str, int], deployment: Deployment) -> None:
        live = self._of(name)
        old = live.current
        try:
            generation = self._started(name, configuration, counts, live)
        except (InstanceError, ServiceError) as error:
            self._rolled_back(name, live, f"The update failed and was rolled back: {error}")
            return
        plan = rollout(deployment, sum(generation.counts().values()))
        live.incoming = generation
        firing = self._shifted(live, plan)
        if live.is_over:
            return
        if firing:
            live.share = 0.0
            live.incoming = None
            generation.end()
            self._rolled_back(name, live, f"The alarms {', '.join(firing)} went off, and the update was rolled back")
            return
        live.current, live.incoming, live.share = generation, None, 0.0
        done: dict[str, Any] = {
            "EndpointConfigName": configuration,
            "LastDeploymentConfig": deployment,
            "_update": None,
        }
        self._settled(name, generation, **done)
        if old is not None:
            wait(plan.termination_seconds, lambda: not live.is_over)
            old.end()

    def _shifted(self, live: Live, plan: Rollout) -> Sequence[str]:
        """Move the traffic step by step; the alarms that went off meanwhile, after which nothing moves any more."""
        deadline = time.monotonic() + plan.longest_seconds
        for move in plan.moves:
            live.share = move.share
            until = min(deadline, time.monotonic() + move.seconds)
            while True:
                firing = self._firing(plan.alarms) if plan.alarms else ()
                if firing or live.is_over or time.monotonic() >= until:
                    break
                wait(min(0.5, until - time.monotonic()), lambda: not live.is_over)
            if firing or live.is_over:
                return firing
        return ()

    def _resize(self, name: str, counts: Mapping[str, int], weights: Mapping[str, float]) -> None:
        live = self._of(name)
        if live.current is None:
            return
        live.current.weights.update(weights)
        failure = ""
        try:
            for variant, count in counts.items():
                live.current.fleets[variant].resize(count)
        except InstanceError as error:
            failure = str(error)
        self._settled(name, live.current, FailureReason=failure or None)

    def _remove(self, name: str) -> None:
        live = self._of(name)
        for generation in (live.current, live.incoming):
            if generation is not None:
                generation.end()
        with self._lock:
            self._live.pop(name, None)
        with self._world.store.together():
            for kind in (ENDPOINT, _PROCESSES):
                if self._world.store.find(kind, name) is not None:
                    self._world.store.remove(kind, name)
        shutil.rmtree(self._world.folder / "endpoints" / name, ignore_errors=True)

    def _started(self, name: str, configuration: str, counts: Mapping[str, int], live: Live) -> Generation:
        chosen = variants(self._world, self._kitchen, name, configuration)
        generation = Generation(configuration, chosen)
        generation.start()
        for variant, count in counts.items():
            if variant in generation.fleets:
                generation.fleets[variant].resize(count)
        if live.is_over:
            generation.end()
            raise InstanceError("the endpoint is being deleted")
        running = [*generation.processes(), *(live.current.processes() if live.current else ())]
        self._world.store.put(_PROCESSES, name, {"processes": running})
        return generation

    def _settled(self, name: str, generation: Generation, status: str = "InService", **members: Any) -> None:
        """Say that an endpoint is in service, and with how many instances."""
        counts = generation.counts()
        described = models.CONFIGURATION.get(self._world, generation.configuration)["ProductionVariants"]
        told = [
            {
                "VariantName": one["VariantName"],
                "CurrentWeight": generation.weights[one["VariantName"]],
                "DesiredWeight": generation.weights[one["VariantName"]],
                "CurrentInstanceCount": counts[one["VariantName"]],
                "DesiredInstanceCount": counts[one["VariantName"]],
            }
            for one in described
        ]
        self._world.store.put(_PROCESSES, name, {"processes": generation.processes()})
        self._note(name, status, **{"ProductionVariants": told, "FailureReason": None, **members})

    def _rolled_back(self, name: str, live: Live, why: str) -> None:
        _LOG.warning("endpoint %s: %s", name, why)
        if live.current is not None:
            self._settled(name, live.current, FailureReason=why, _update=None)
        else:
            self._note(name, "Failed", FailureReason=why)

    def _note(self, name: str, status: str, **members: Any) -> None:
        def noted(before: Document) -> Document:
            return {**before, **members, "EndpointStatus": status, "LastModifiedTime": self._world.now()}

        body = self._world.store.change(ENDPOINT, name, noted)
        self._world.signal.wake()
        names = ("EndpointName", "EndpointArn", "EndpointConfigName")
        spoken = {"InService": "IN_SERVICE", "Failed": "FAILED"}.get(status, status.upper())
        detail = {**{member: body[member] for member in names}, "EndpointStatus": spoken}
        events.emit(self._world, "SageMaker Endpoint State Change", [body["EndpointArn"]], detail)

    def _of(self, name: str) -> Live:
        with self._lock:
            return self._live.setdefault(name, Live())

    def _in_thread(self, work: Callable[..., None], name: str, *arguments: Any) -> None:
        live = self._of(name)

        def done() -> None:
            with live.work:
                work(name, *arguments)

        threading.Thread(target=done, name=f"endpoint {name}", daemon=True).start()


def _belongs(process: int, folder: Path) -> bool:
    """Whether a process still is a model server of a folder: ids are given anew."""
    try:
        return str(folder).encode() in Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False
