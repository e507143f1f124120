"""The life of endpoints: created, updated without a failed request, resized, deleted, and taken up after a restart.

The document of an endpoint says what AWS would say at each moment, and in members of its own what it is to become;
what runs is in a Live beside it. Everything that takes time happens in a thread of its own, one after the other for
each endpoint.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.kernel.background_errors import retry_until_done
from pedigree.localaws.kernel.store import Document, DocumentNotFoundError
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.endpoints.capture import Capture
from pedigree.localaws.services.sagemaker.endpoints.deployment import Invoked, Live, Order
from pedigree.localaws.services.sagemaker.endpoints.descriptions import captured, running
from pedigree.localaws.services.sagemaker.endpoints.fleet import OverError, wait
from pedigree.localaws.services.sagemaker.endpoints.generation import Generation
from pedigree.localaws.services.sagemaker.endpoints.hosting import HostEnvironment, variants
from pedigree.localaws.services.sagemaker.endpoints.instances import InstanceError, end_left_over
from pedigree.localaws.services.sagemaker.endpoints.resource import ENDPOINT
from pedigree.localaws.services.sagemaker.endpoints.rollout import Rollout, rollout
from pedigree.localaws.services.sagemaker.resources import events

_FOLDER = "endpoints"
_LOG = logging.getLogger(__name__)
_LOOK_SECONDS = 0.5
_TRIES = 5
_END_SECONDS = 2.0
_NOT_IN_SERVICE = "the endpoint is not in service"
Firing: TypeAlias = Callable[[Sequence[str]], Sequence[str]]
"""Which of some alarms are in ALARM."""
Done: TypeAlias = Callable[[str], None]
"""Told why something failed, or nothing if it did not."""


class Endpoints:
    """All endpoints."""

    def __init__(self, world: World, host: HostEnvironment, firing: Firing) -> None:
        self._world = world
        self._host = host
        self._firing = firing
        self._live: dict[str, Live] = {}
        self._lock = threading.Lock()

    def begin(self, name: str) -> None:
        """Bring a new endpoint into service."""
        self._in_thread(name, lambda live: self._create(name, live))

    def update(self, name: str, order: Order) -> None:
        """Move an endpoint to another configuration, as its document has it under _change."""
        self._in_thread(name, lambda live: self._update(name, live, order))

    def resize(self, name: str, counts: Mapping[str, int], weights: Mapping[str, float]) -> None:
        """Give variants other numbers of instances, or weights, as the endpoint's document has them."""
        self._in_thread(name, lambda live: self._resize(name, live, counts, weights, lambda _failure: None))

    def scale(self, name: str, counts: Mapping[str, int], done: Done) -> None:
        """Give variants other numbers of instances on behalf of their scaling; the endpoint says Updating meanwhile."""
        with self._world.store.transaction():
            body = self._world.store.find(ENDPOINT.kind, name)
            is_at_rest = body is not None and body["EndpointStatus"] == "InService"
            if body is not None and is_at_rest:
                self._note(name, "Updating", **Order.of(body).resized(counts, {}))
        if is_at_rest:
            self._in_thread(name, lambda live: self._resize(name, live, counts, {}, done))
        else:
            done(_NOT_IN_SERVICE)

    def remove(self, name: str) -> None:
        """End an endpoint and forget it; asked once by whoever has noted that it is Deleting."""
        self._of(name).is_over = True
        self._in_thread(name, lambda live: self._remove(name, live))

    def resume(self) -> None:
        """Take up what there was when the daemon ended, after ending what is left of it."""
        end_left_over(self._world.folder / _FOLDER)
        for entry in self._world.store.entries(ENDPOINT.kind):
            status = entry.body["EndpointStatus"]
            if status == "Deleting":
                self.remove(entry.name)
            elif status != "Failed":
                self._resume(entry.name, entry.body)

    def end_all(self) -> None:
        """End every instance; the endpoints come back with the next start."""
        with self._lock:
            lives = list(self._live.values())
        for live in lives:
            live.is_over = True
        for live in lives:
            live.end(_END_SECONDS)

    def invoke(self, name: str, body: bytes, headers: Mapping[str, str], variant: str = "") -> Invoked:
        """Ask an endpoint; ServiceError if it is not there or cannot answer."""
        try:
            for _ in range(_TRIES):
                generation = self._generation(name, variant)
                try:
                    return Invoked(*generation.invoke(body, headers, variant), generation)
                except OverError:
                    continue  # an update has ended it between two words; there is another by now
        except InstanceError as error:
            raise ServiceError("ServiceUnavailable", str(error), 503) from error
        raise ServiceError("ServiceUnavailable", f"Endpoint {name} has no instances.", 503)

    def counts(self, name: str) -> Mapping[str, int]:
        """How many instances the variants of an endpoint have now."""
        live = self._live.get(name)
        return live.current.counts() if live and live.current else {}

    def _generation(self, name: str, variant: str) -> Generation:
        live = self._live.get(name)
        generation = live.generation() if live else None
        if generation is None:
            raise ServiceError("ValidationError", f"Endpoint {name} of account {self._world.account} not found.")
        if variant and variant not in generation.fleets:
            raise ServiceError("ValidationError", f"Variant {variant} of endpoint {name} not found.")
        return generation

    def _resume(self, name: str, body: Document) -> None:
        with self._lock:
            self._live[name] = Live(is_back=body["EndpointStatus"] != "Creating")

        def taken_up(live: Live) -> None:
            # What was being changed is changed now; meanwhile, and if that fails, there is what was.
            self._create(name, live)
            if body.get("_change") and live.current is not None:
                self._update(name, live, Order(**body["_change"]))

        self._in_thread(name, taken_up)

    def _create(self, name: str, live: Live) -> None:
        body = self._world.store.get(ENDPOINT.kind, name)
        order = Order.of(body)
        self._clean(name, but=body.get("_folder", ""))
        try:
            self._bring_up(name, live, order, body.get("_folder", ""))
        except (InstanceError, ServiceError) as error:
            if not live.is_over:
                live.drop()
                self._note(name, "Failed", FailureReason=str(error))
            return
        live.replace()
        self._settle(name, live, order, "Updating" if body.get("_change") else "InService")

    def _update(self, name: str, live: Live, order: Order) -> None:
        try:
            generation = self._bring_up(name, live, order)
        except (InstanceError, ServiceError) as error:
            self._roll_back(name, live, f"The update failed and was rolled back: {error}")
            return
        plan = rollout(order.deployment, sum(generation.counts().values()))
        failure = self._shift(live, plan)
        if live.is_over:
            return
        if failure:
            self._roll_back(name, live, failure)
            return
        old = live.replace()
        self._settle(name, live, order, LastDeploymentConfig=order.deployment, _change=None)
        if old is not None:
            wait(plan.termination_seconds, lambda: not live.is_over)
            old.end()
            if not live.is_over:
                self._clean(name, but=generation.name)

    def _shift(self, live: Live, plan: Rollout) -> str:
        """Move the traffic step by step; why it has to go back, if it has to."""
        deadline = time.monotonic() + plan.longest_seconds
        for move in plan.moves:
            live.share = move.share
            until = time.monotonic() + move.seconds
            while True:
                firing = self._firing(plan.alarms) if plan.alarms else ()
                if firing:
                    return f"The alarms {', '.join(firing)} went off, and the update was rolled back"
                if time.monotonic() >= deadline:
                    return f"The update took longer than {plan.longest_seconds:.0f} seconds, and was rolled back"
                if live.is_over or time.monotonic() >= until:
                    break
                wait(min(_LOOK_SECONDS, until - time.monotonic()), lambda: not live.is_over)
        return ""

    def _resize(
        self, name: str, live: Live, counts: Mapping[str, int], weights: Mapping[str, float], done: Done
    ) -> None:
        if live.current is None or live.is_over:
            done(_NOT_IN_SERVICE)
            return
        live.current.weights.update(weights)
        failure = ""
        try:
            for variant, count in counts.items():
                if variant in live.current.fleets:
                    live.current.fleets[variant].resize(count)
        except InstanceError as error:
            failure = str(error)
        if not live.is_over:
            body = self._world.store.get(ENDPOINT.kind, name)
            # An update that was asked for meanwhile waits for this thread, and is not over because this is.
            kept = {"PendingDeploymentSummary": body.get("PendingDeploymentSummary")} if body.get("_change") else {}
            self._settle(
                name, live, Order.of(body), "Updating" if kept else "InService", FailureReason=failure or None, **kept
            )
        done(failure)

    def _remove(self, name: str, live: Live) -> None:
        live.end()
        # Before the name is free: another endpoint of it would lie in the same folder.
        shutil.rmtree(self._world.folder / _FOLDER / name, ignore_errors=True)
        with self._lock:
            self._live.pop(name, None)
        with self._world.store.transaction():
            if self._world.store.find(ENDPOINT.kind, name) is not None:
                self._world.store.remove(ENDPOINT.kind, name)

    def _bring_up(self, name: str, live: Live, order: Order, kept: str = "") -> Generation:
        """Have a generation that answers, beside the current one; its models lie in a folder of its own."""
        folder = kept or str(uuid.uuid4())
        place = self._world.folder / _FOLDER / name / folder
        found = variants(self._world, self._host, name, order.configuration, place)
        chosen = tuple(
            replace(one, count=order.counts.get(one.name, one.count), weight=order.weights.get(one.name, one.weight))
            for one in found
        )
        generation = Generation(order.configuration, chosen, folder, Capture.of(order.capture))
        live.begin(generation)
        if live.is_over:
            generation.end()
        generation.start()
        return generation

    def _settle(self, name: str, live: Live, order: Order, status: str = "InService", **members: Any) -> None:
        """Say what an endpoint runs, and that it is in service; one that is still to be changed is not at rest."""
        generation = live.current
        assert generation is not None
        told = {
            "EndpointConfigName": generation.configuration,
            "ProductionVariants": running(generation),
            "DataCaptureConfig": captured(order.capture),
            "PendingDeploymentSummary": None,
            "FailureReason": None,
            "_counts": dict(generation.counts()),
            "_weights": dict(generation.weights),
            "_capture": order.capture,
            "_folder": generation.name,
        }
        with self._world.store.transaction():
            coming = {**self._world.store.get(ENDPOINT.kind, name), **members}.get("_change")
            self._note(name, "Updating" if coming else status, **{**told, **members})

    def _roll_back(self, name: str, live: Live, why: str) -> None:
        if live.is_over:
            return
        _LOG.warning("endpoint %s: %s", name, why)
        self._note(name, "RollingBack")
        live.drop()
        if live.current is None:
            self._note(name, "Failed", FailureReason=why, _change=None)
            return
        before = Order.of(self._world.store.get(ENDPOINT.kind, name))
        self._settle(name, live, before, FailureReason=why, _change=None)
        self._clean(name, but=live.current.name)

    def _give_up(self, name: str, live: Live) -> None:
        def undone() -> None:
            with suppress(DocumentNotFoundError):
                self._roll_back(name, live, "InternalServerError: see the local AWS's log")

        retry_until_done(
            undone, lambda seconds: not wait(seconds, lambda: not live.is_over), f"the failure of endpoint {name}"
        )

    def _clean(self, name: str, but: str) -> None:
        """Remove the models of all generations but one."""
        folder: Path = self._world.folder / _FOLDER / name
        for path in folder.iterdir() if folder.exists() else ():
            if path.name != but:
                shutil.rmtree(path, ignore_errors=True)

    def _change(self, name: str, **members: Any) -> Document:
        return self._world.store.update(ENDPOINT.kind, name, lambda before: {**before, **members})

    def _note(self, name: str, status: str, **members: Any) -> None:
        """Say how far an endpoint is; of one that is to be deleted nothing else is said any more."""
        with self._world.store.transaction():
            if self._world.store.get(ENDPOINT.kind, name)["EndpointStatus"] == "Deleting":
                return
            body = self._change(name, **members, EndpointStatus=status, LastModifiedTime=self._world.now())
            self._tell(body, status)
        self._world.signal.wake()

    def _tell(self, body: Document, status: str) -> None:
        names = ("EndpointName", "EndpointArn", "EndpointConfigName")
        spoken = {"InService": "IN_SERVICE", "Failed": "FAILED", "RollingBack": "ROLLING_BACK"}
        detail = {**{member: body[member] for member in names}, "EndpointStatus": spoken.get(status, status.upper())}
        events.publish(self._world, "SageMaker Endpoint State Change", [body["EndpointArn"]], detail)

    def _of(self, name: str) -> Live:
        with self._lock:
            return self._live.setdefault(name, Live())

    def _in_thread(self, name: str, work: Callable[[Live], None]) -> None:
        """Do something for what lives under a name now, even if another endpoint has that name by then."""
        live = self._of(name)

        def done() -> None:
            with live.work:
                try:
                    work(live)
                except DocumentNotFoundError:
                    _LOG.info("endpoint %s is gone", name)
                except Exception:  # noqa: BLE001  # a bug in here must not leave an endpoint in change for ever
                    _LOG.exception("endpoint %s", name)
                    self._give_up(name, live)

        threading.Thread(target=done, name=f"endpoint {name}", daemon=True).start()
