"""One instance: a model server for each container of its model.

Several containers are a pipeline, whose requests go through all of them in their order, or each is asked by its name.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pedigree.localaws.services.sagemaker.endpoints.answer_stream import StreamedReply
from pedigree.localaws.services.sagemaker.endpoints.multi_model import ModelLoader, MultiModelInstance
from pedigree.localaws.services.sagemaker.endpoints.server_process import (
    OK,
    START_SECONDS,
    InstanceError,
    ServerProcess,
    ServerSpec,
)
from pedigree.localaws.services.sagemaker.endpoints.server_reply import Reply

_CONTENT_TYPE, _ACCEPT = "Content-Type", "Accept"


@dataclass(frozen=True)
class InstanceSpec:
    """The model servers of an instance, in the order of its model's containers; is_direct: each is asked by name.

    With a loader it has none to begin with, and many models.
    """

    servers: tuple[ServerSpec, ...]
    is_direct: bool = False
    loader: ModelLoader | None = None

    @property
    def folder(self) -> Path:
        """The folder with its models."""
        return self.loader.folder if self.loader else self.servers[0].model

    def model_refusal(self, model: str) -> str:
        """Why a request that names a model, or none, cannot be carried out; empty if it can."""
        if bool(model) == (self.loader is not None):
            return ""
        return "TargetModel is for multi-model endpoints." if model else "A multi-model endpoint needs a TargetModel."

    def refusal(self, target: str) -> str:
        """Why a request to a container cannot be carried out, by the container's name; empty if it can."""
        names = [server.hostname for server in self.servers] if self.is_direct else [""]
        if target in names:
            return ""
        if not self.is_direct:
            return "TargetContainerHostname is for endpoints that are configured for direct invocation."
        given = f"{target} is none of them" if target else "the request names none"
        return f"TargetContainerHostname must be a container of the endpoint ({', '.join(names)}), and {given}."


class Instance:
    """The model servers of an instance; when_over is called when the process of one has ended, for any reason."""

    def __init__(self, spec: InstanceSpec, when_over: Callable[[], None] = lambda: None) -> None:
        self._is_direct = spec.is_direct
        self._servers: dict[str, ServerProcess] = {}
        self.busy = 0
        self.last_request = 0
        try:
            for server in spec.servers:
                self._servers[server.hostname] = ServerProcess(server, when_over)
        except InstanceError:
            self.end()
            raise

    @property
    def processes(self) -> list[int]:
        """The ids of its processes."""
        return [server.process for server in self._servers.values()]

    def is_alive(self) -> bool:
        """Whether it can be invoked."""
        return all(server.is_alive() for server in self._servers.values())

    def wait_until_ready(self, is_wanted: Callable[[], bool], seconds: float = START_SECONDS) -> None:
        """Wait until all containers answer pings; InstanceError if one never does, or they are no longer needed."""
        deadline = time.monotonic() + seconds
        for server in self._servers.values():
            server.wait_until_ready(is_wanted, deadline - time.monotonic())

    def invoke(self, body: bytes, headers: Mapping[str, str], target: str = "", seconds: float | None = None) -> Reply:
        """Invoke its model; raises InstanceDiedError or ModelTimeoutError if that does not answer."""
        if self._is_direct:
            return self._servers[target].invoke(body, headers, seconds)
        *others, last = self._servers.values()
        reply = Reply(OK, headers.get(_CONTENT_TYPE, ""), body, 0.0)
        for server in others:
            reply = _following(server, reply, _without_accept(headers), seconds)
            if reply.status != OK:
                return reply
        return _following(last, reply, headers, seconds)

    def stream(self, body: bytes, headers: Mapping[str, str], target: str = "") -> StreamedReply:
        """Invoke its model, and return the answer as soon as it begins; raises what invoke raises."""
        if self._is_direct:
            return self._servers[target].stream(body, headers)
        *others, last = self._servers.values()
        reply = Reply(OK, headers.get(_CONTENT_TYPE, ""), body, 0.0)
        for server in others:
            reply = _following(server, reply, _without_accept(headers), None)
            if reply.status != OK:
                return StreamedReply.of(reply)
        kind = {_CONTENT_TYPE: reply.content_type} if reply.content_type else {}
        return last.stream(reply.content, {**headers, **kind})

    def end(self) -> None:
        """Ask its processes to end, and kill those that do not."""
        for server in self._servers.values():
            server.end()


def _following(server: ServerProcess, before: Reply, headers: Mapping[str, str], seconds: float | None) -> Reply:
    """Send what came before on to a container: the answer's type becomes that of the request."""
    kind = {_CONTENT_TYPE: before.content_type} if before.content_type else {}
    reply = server.invoke(before.content, {**headers, **kind}, seconds)
    return replace(reply, seconds=before.seconds + reply.seconds)


def _without_accept(headers: Mapping[str, str]) -> Mapping[str, str]:
    """The headers for all containers but the last, which answer what their images answer if nothing is accepted."""
    return {name: value for name, value in headers.items() if name != _ACCEPT}


def start_instance(spec: InstanceSpec, when_over: Callable[[], None]) -> Instance | MultiModelInstance:
    """Start an instance; when_over is called when a process has ended that it cannot be without."""
    return MultiModelInstance(spec.loader) if spec.loader else Instance(spec, when_over)
