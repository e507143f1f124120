"""Creates endpoints, updates them without a failed request, resizes, deletes, and resumes them after a restart.

The document of an endpoint says what AWS would say at each moment, and in members of its own what the endpoint is to
become; what runs is in a Deployment. Everything that takes time happens in threads, one after the other for each
endpoint.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeAlias, TypeVar

from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.kernel.background_errors import retry_until_done
from pedigree.localaws.kernel.store import Document, DocumentNotFoundError
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.endpoints import progress
from pedigree.localaws.services.sagemaker.endpoints.answer_stream import StreamedReply
from pedigree.localaws.services.sagemaker.endpoints.deployment import DesiredState, EndpointAnswer, EndpointDeployment
from pedigree.localaws.services.sagemaker.endpoints.descriptions import captured, running, shadowing
from pedigree.localaws.services.sagemaker.endpoints.events import deployment_changed, endpoint_changed
from pedigree.localaws.services.sagemaker.endpoints.fleet import FleetEndedError, wait
from pedigree.localaws.services.sagemaker.endpoints.generation import Generation
from pedigree.localaws.services.sagemaker.endpoints.hosting import HostEnvironment, check_roles, clean
from pedigree.localaws.services.sagemaker.endpoints.new_generation import ASYNC, new_generation
from pedigree.localaws.services.sagemaker.endpoints.resource import ENDPOINT
from pedigree.localaws.services.sagemaker.endpoints.rollout import Rollout, rollout
from pedigree.localaws.services.sagemaker.endpoints.server_process import InstanceError, end_left_over
from pedigree.localaws.services.sagemaker.resources import models

_FOLDER = "endpoints"
_LOG = logging.getLogger(__name__)
_POLL_SECONDS = 0.5
_TRIES = 5
_END_SECONDS = 2.0
_NOT_IN_SERVICE = "the endpoint is not in service"
_Answered = TypeVar("_Answered")
Firing: TypeAlias = Callable[[Sequence[str]], Sequence[str]]
"""Returns which of some alarms are in the state ALARM."""
Done: TypeAlias = Callable[[str], None]
"""Called with the reason of a failure, or with nothing after a success."""


class Endpoints:
    """All endpoints."""

    def __init__(self, world: World, host: HostEnvironment, firing: Firing) -> None:
        self._world = world
        self._host = host
        self._firing = firing
        self._deployments: dict[str, EndpointDeployment] = {}
        self._lock = threading.Lock()

    @property
    def account(self) -> str:
        return self._world.account

    def check_roles(self, configuration: str) -> None:
        """Refuse a configuration with a model whose role cannot be assumed; InvalidRequestError says so."""
        check_roles(self._world, self._host, configuration)

    def begin(self, name: str) -> None:
        """Bring a new endpoint into service."""
        self._in_thread(name, lambda deployment: self._create(name, deployment))

    def update(self, name: str, desired: DesiredState) -> None:
        """Move an endpoint to another configuration, which its document has under _change."""
        self._in_thread(name, lambda deployment: self._update(name, deployment, desired))

    def resize(self, name: str, counts: Mapping[str, int], weights: Mapping[str, float]) -> None:
        """Give variants the numbers of instances and the weights that the endpoint's document already has."""
        self._in_thread(name, lambda deployment: self._resize(name, deployment, counts, weights, lambda _failure: None))

    def scale(self, name: str, counts: Mapping[str, int], done: Done) -> None:
        """Change numbers of instances for autoscaling; meanwhile the endpoint's status is Updating."""
        with self._world.store.transaction():
            body = self._world.store.find(ENDPOINT.kind, name)
            is_at_rest = body is not None and body["EndpointStatus"] == "InService"
            if body is not None and is_at_rest:
                self._note(name, "Updating", **DesiredState.of(body).resized(counts, {}))
        if is_at_rest:
            self._in_thread(name, lambda deployment: self._resize(name, deployment, counts, {}, done))
        else:
            done(_NOT_IN_SERVICE)

    def remove(self, name: str) -> None:
        """End and delete an endpoint. Called once, after its status has been set to Deleting."""
        self._of(name).is_over = True
        self._in_thread(name, lambda deployment: self._remove(name, deployment))

    def resume(self) -> None:
        """Start the endpoints again that existed when the last daemon ended, after killing what is left of them."""
        end_left_over(self._world.folder / _FOLDER)
        for entry in self._world.store.entries(ENDPOINT.kind):
            status = entry.body["EndpointStatus"]
            if status == "Deleting":
                self.remove(entry.name)
            elif status != "Failed":
                self._resume(entry.name, entry.body)

    def end_all(self) -> None:
        """End all instances; the endpoints come back with the next daemon."""
        with self._lock:
            lives = list(self._deployments.values())
        for deployment in lives:
            deployment.is_over = True
        for deployment in lives:
            deployment.end(_END_SECONDS)

    def invoke(
        self,
        name: str,
        body: bytes,
        headers: Mapping[str, str],
        variant: str = "",
        container: str = "",
        seconds: float | None = None,
    ) -> EndpointAnswer:
        """Invoke an endpoint; ServiceError if it does not exist or cannot answer."""
        answer, generation = self._asked(name, variant, lambda g: g.invoke(body, headers, variant, container, seconds))
        return EndpointAnswer(*answer, generation)

    def stream(
        self, name: str, body: bytes, headers: Mapping[str, str], variant: str = "", container: str = ""
    ) -> tuple[str, StreamedReply]:
        """Invoke an endpoint, and return the variant and its reply when that begins; raises what invoke raises."""
        return self._asked(name, variant, lambda generation: generation.stream(body, headers, variant, container))[0]

    def _asked(self, name: str, variant: str, ask: Callable[[Generation], _Answered]) -> tuple[_Answered, Generation]:
        try:
            for _ in range(_TRIES):
                generation = self._generation(name, variant)
                try:
                    return ask(generation), generation
                except FleetEndedError:
                    continue  # an update has just ended this generation; another one has taken its place
        except InstanceError as error:
            raise ServiceError("ServiceUnavailable", str(error), 503) from error
        raise ServiceError("ServiceUnavailable", f"Endpoint {name} has no instances.", 503)

    def asynchronous(self, name: str) -> Mapping[str, Any] | None:
        """The AsyncInferenceConfig of an endpoint; ServiceError if there is no such endpoint."""
        return self._generation(name, "").asynchronous

    def deployment(self, name: str) -> EndpointDeployment:
        """What runs for an endpoint; a deployment of nothing if there is no such endpoint."""
        return self._deployments.get(name) or EndpointDeployment()

    def counts(self, name: str) -> Mapping[str, int]:
        """The present number of instances of each variant."""
        current = self.deployment(name).current
        return current.counts() if current else {}

    def _generation(self, name: str, variant: str) -> Generation:
        deployment = self._deployments.get(name)
        generation = deployment.generation() if deployment else None
        if generation is None:
            raise ServiceError("ValidationError", f"Endpoint {name} of account {self._world.account} not found.")
        if variant and variant not in generation.fleets:
            raise ServiceError("ValidationError", f"Variant {variant} of endpoint {name} not found.")
        return generation

    def _resume(self, name: str, body: Document) -> None:
        with self._lock:
            self._deployments[name] = EndpointDeployment(is_back=body["EndpointStatus"] != "Creating")

        def resumed(deployment: EndpointDeployment) -> None:
            # An interrupted update starts again; until it succeeds, the endpoint runs what it ran before.
            self._create(name, deployment)
            if body.get("_change") and deployment.current is not None:
                self._update(name, deployment, DesiredState(**body["_change"]))

        self._in_thread(name, resumed)

    def _create(self, name: str, deployment: EndpointDeployment) -> None:
        body = self._world.store.get(ENDPOINT.kind, name)
        desired = DesiredState.of(body)
        self._clean(name, but=body.get("_folder", ""))
        try:
            self._bring_up(name, deployment, desired, body.get("_folder", ""))
        except (InstanceError, ServiceError) as error:
            if not deployment.is_over:
                deployment.drop()
                self._note(name, "Failed", FailureReason=str(error))
            return
        deployment.replace()
        self._settle(name, deployment, desired, "Updating" if body.get("_change") else "InService")

    def _update(self, name: str, deployment: EndpointDeployment, desired: DesiredState) -> None:
        self._reach(name, progress.launching)
        try:
            generation = self._bring_up(name, deployment, desired)
        except (InstanceError, ServiceError) as error:
            self._roll_back(name, deployment, f"The update failed and was rolled back: {error}")
            return
        plan = rollout(desired.deployment, sum(generation.counts().values()))
        failure = self._shift(name, deployment, plan)
        if deployment.is_over:
            return
        if failure:
            self._roll_back(name, deployment, failure)
            return
        old = deployment.replace()
        self._settle(name, deployment, desired, LastDeploymentConfig=desired.deployment, _change=None)
        if old is not None:
            wait(plan.termination_seconds, lambda: not deployment.is_over)
            old.end()
            if not deployment.is_over:
                self._clean(name, but=generation.name)

    def _shift(self, name: str, deployment: EndpointDeployment, plan: Rollout) -> str:
        """Move the traffic step by step; the reason to roll back, if there is one."""
        deadline = time.monotonic() + plan.longest_seconds
        for move in plan.moves:
            self._reach(name, progress.activating(move))
            deployment.share = move.share
            if move.seconds:
                self._reach(name, progress.baking(move))
            until = time.monotonic() + move.seconds
            while True:
                firing = self._firing(plan.alarms) if plan.alarms else ()
                if firing:
                    return f"The alarms {', '.join(firing)} went off, and the update was rolled back"
                if time.monotonic() >= deadline:
                    return f"The update took longer than {plan.longest_seconds:.0f} seconds, and was rolled back"
                if deployment.is_over or time.monotonic() >= until:
                    break
                wait(min(_POLL_SECONDS, until - time.monotonic()), lambda: not deployment.is_over)
        return ""

    def _resize(
        self,
        name: str,
        deployment: EndpointDeployment,
        counts: Mapping[str, int],
        weights: Mapping[str, float],
        done: Done,
    ) -> None:
        if deployment.current is None or deployment.is_over:
            done(_NOT_IN_SERVICE)
            return
        deployment.current.weights.update(weights)
        failure = ""
        try:
            for variant, count in counts.items():
                if variant in deployment.current.fleets:
                    deployment.current.fleets[variant].resize(count)
        except InstanceError as error:
            failure = str(error)
        if not deployment.is_over:
            body = self._world.store.get(ENDPOINT.kind, name)
            # An update that was requested meanwhile waits for this thread; it is not over yet.
            pending = {"PendingDeploymentSummary": body.get("PendingDeploymentSummary")} if body.get("_change") else {}
            self._settle(
                name,
                deployment,
                DesiredState.of(body),
                "Updating" if pending else "InService",
                FailureReason=failure or None,
                **pending,
            )
        done(failure)

    def _remove(self, name: str, deployment: EndpointDeployment) -> None:
        deployment.end()
        # Before the name is free: another endpoint of that name would use the same folder.
        shutil.rmtree(self._world.folder / _FOLDER / name, ignore_errors=True)
        with self._lock:
            self._deployments.pop(name, None)
        with self._world.store.transaction():
            if self._world.store.find(ENDPOINT.kind, name) is not None:
                self._world.store.remove(ENDPOINT.kind, name)

    def _bring_up(
        self, name: str, deployment: EndpointDeployment, desired: DesiredState, folder: str = ""
    ) -> Generation:
        """Start a generation beside the current one, with its models in a folder of its own."""
        folder = folder or str(uuid.uuid4())
        place = self._world.folder / _FOLDER / name / folder
        generation = new_generation(self._world, self._host, name, desired, place)
        deployment.begin(generation)
        if deployment.is_over:
            generation.end()
        generation.start()
        return generation

    def _settle(
        self,
        name: str,
        deployment: EndpointDeployment,
        desired: DesiredState,
        status: str = "InService",
        **members: Any,
    ) -> None:
        """Store what an endpoint runs, and that it is in service, unless another change waits."""
        generation = deployment.current
        assert generation is not None
        members_now = {
            "EndpointConfigName": generation.configuration,
            "ProductionVariants": running(generation),
            models.SHADOWS: shadowing(generation),
            "DataCaptureConfig": captured(desired.capture),
            ASYNC: generation.asynchronous,
            "PendingDeploymentSummary": None,
            "FailureReason": None,
            "_counts": dict(generation.counts()),
            "_weights": dict(generation.weights),
            "_capture": desired.capture,
            "_folder": generation.name,
        }
        with self._world.store.transaction():
            coming = {**self._world.store.get(ENDPOINT.kind, name), **members}.get("_change")
            self._note(name, "Updating" if coming else status, **{**members_now, **members})

    def _roll_back(self, name: str, deployment: EndpointDeployment, why: str) -> None:
        if deployment.is_over:
            return
        _LOG.warning("endpoint %s: %s", name, why)
        self._note(name, "RollingBack")
        deployment.drop()
        if deployment.current is None:
            self._note(name, "Failed", FailureReason=why, _change=None)
            return
        before = DesiredState.of(self._world.store.get(ENDPOINT.kind, name))
        self._settle(name, deployment, before, FailureReason=why, _change=None)
        self._clean(name, but=deployment.current.name)

    def _give_up(self, name: str, deployment: EndpointDeployment) -> None:
        def roll_back() -> None:
            with suppress(DocumentNotFoundError):
                self._roll_back(name, deployment, "InternalServerError: see the local AWS's log")

        retry_until_done(
            roll_back,
            lambda seconds: not wait(seconds, lambda: not deployment.is_over),
            f"the failure of endpoint {name}",
        )

    def _clean(self, name: str, but: str) -> None:
        clean(self._world.folder / _FOLDER / name, but)

    def _change(self, name: str, **members: Any) -> Document:
        return self._world.store.update(ENDPOINT.kind, name, lambda before: {**before, **members})

    def _note(self, name: str, status: str, **members: Any) -> None:
        """Store how far an endpoint is. An endpoint that is being deleted keeps that status."""
        with self._world.store.transaction():
            if self._world.store.get(ENDPOINT.kind, name)["EndpointStatus"] == "Deleting":
                return
            body = self._change(name, **members, EndpointStatus=status, LastModifiedTime=self._world.now())
            endpoint_changed(self._world, body)
        self._world.signal.wake()

    def _reach(self, name: str, stage: progress.Stage) -> None:
        """Store and publish the stage that an update has reached."""
        with self._world.store.transaction():
            pending = self._world.store.get(ENDPOINT.kind, name).get("PendingDeploymentSummary")
            if pending:
                variants_now = progress.with_status(pending["ProductionVariants"], stage, self._world.now())
                summary = {**pending, "ProductionVariants": variants_now}
                deployment_changed(self._world, self._change(name, PendingDeploymentSummary=summary))

    def _of(self, name: str) -> EndpointDeployment:
        with self._lock:
            return self._deployments.setdefault(name, EndpointDeployment())

    def _in_thread(self, name: str, work: Callable[[EndpointDeployment], None]) -> None:
        """Do something for the endpoint that has a name now, even if another one has the name later."""
        deployment = self._of(name)

        def done() -> None:
            with deployment.work:
                try:
                    work(deployment)
                except DocumentNotFoundError:
                    _LOG.info("endpoint %s is gone", name)
                except Exception:  # noqa: BLE001  # a bug in here must not leave an endpoint Updating for ever
                    _LOG.exception("endpoint %s", name)
                    self._give_up(name, deployment)

        threading.Thread(target=done, name=f"endpoint {name}", daemon=True).start()
