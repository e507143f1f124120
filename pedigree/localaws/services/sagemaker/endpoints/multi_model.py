"""Multi-model endpoints: an instance loads a model when a request names it, and lets go of those not named for longest.

Each loaded model has a model server of its own, as each has its own code.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.services.s3.catalog import S3Location
from pedigree.localaws.services.sagemaker.endpoints.answer_stream import StreamedReply
from pedigree.localaws.services.sagemaker.endpoints.server_process import (
    START_SECONDS,
    InstanceDiedError,
    InstanceError,
    PingFailedError,
    ServerProcess,
    ServerSpec,
)
from pedigree.localaws.services.sagemaker.endpoints.server_reply import Reply

TARGET_MODEL = "X-Amzn-SageMaker-Target-Model"
_MOST_LOADED = 16
_FAILED = 500


@dataclass(frozen=True)
class ModelLoader:
    """Downloads the models under a prefix as they are named, into folders below one; prepare says what one runs."""

    prefix: str
    folder: Path
    prepare: Callable[[str, Path], ServerSpec]
    most_loaded: int = _MOST_LOADED
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def load(self, model: str) -> ServerSpec:
        """What the server of a model runs; ServiceError if the model cannot be downloaded."""
        address = f"{self.prefix.rstrip('/')}/{model.lstrip('/')}"
        folder = self.folder / hashlib.sha256(model.encode()).hexdigest()[:32]
        try:
            with self._lock:
                return self.prepare(address, folder)
        except InstanceError:
            location = S3Location.parse(address)
            raise ServiceError(
                "ValidationError",
                f"Failed to download model data(bucket: {location.bucket}, key: {location.key}). Please ensure that "
                "there is an object located at the URL and that the role passed to CreateModel has permissions to "
                "download the model.",
            ) from None


@dataclass
class _LoadedModel:
    lock: threading.Lock = field(default_factory=threading.Lock)
    server: ServerProcess | None = None
    busy: int = 0
    last_request: int = 0


class MultiModelInstance:
    """An instance with the model servers of the models that requests have named."""

    def __init__(self, loader: ModelLoader) -> None:
        self._loader = loader
        self._models: dict[str, _LoadedModel] = {}
        self._requests = 0
        self._lock = threading.Lock()
        self._is_over = False
        self.busy = 0
        self.last_request = 0

    @property
    def processes(self) -> list[int]:
        """The ids of its processes."""
        return [server.process for server in self._servers()]

    def is_alive(self) -> bool:
        """Whether it can be invoked: a model's server that ends is started again by the next request."""
        return not self._is_over

    def wait_until_ready(self, _is_wanted: Callable[[], bool], _seconds: float = START_SECONDS) -> None:
        """Nothing is loaded before a request names it."""

    def invoke(self, body: bytes, headers: Mapping[str, str], _target: str = "", seconds: float | None = None) -> Reply:
        """Invoke the model that the headers name; raises ModelTimeoutError if it does not answer in time."""
        with self._used(headers[TARGET_MODEL]) as (name, model):
            for _ in range(2):
                try:
                    return self._server(name, model).invoke(body, headers, seconds)
                except InstanceDiedError:
                    continue
                except PingFailedError as error:
                    return _not_loaded(name, error)
        return _not_loaded(name, "its server ended while it was to answer")

    def stream(self, body: bytes, headers: Mapping[str, str], target: str = "") -> StreamedReply:
        """As invoke, whole: a streamed answer of one of many models is one piece."""
        return StreamedReply.of(self.invoke(body, headers, target))

    def end(self) -> None:
        """End all its processes."""
        self._is_over = True
        for server in self._servers():
            server.end()

    def _servers(self) -> list[ServerProcess]:
        with self._lock:
            return [model.server for model in self._models.values() if model.server is not None]

    @contextmanager
    def _used(self, name: str) -> Iterator[tuple[str, _LoadedModel]]:
        """The model of a name, which nobody unloads meanwhile."""
        with self._lock:
            model = self._models.setdefault(name, _LoadedModel())
            model.busy += 1
            self._requests += 1
            model.last_request = self._requests
        try:
            yield name, model
        finally:
            with self._lock:
                model.busy -= 1
            self._make_room()

    def _server(self, name: str, model: _LoadedModel) -> ServerProcess:
        """The server of a model, which is started if none runs."""
        with model.lock:
            if model.server is not None and model.server.is_alive():
                return model.server
            if model.server is not None:
                model.server.end()
            server = ServerProcess(self._loader.load(name))
            try:
                server.wait_until_ready(lambda: not self._is_over)
            except InstanceError:
                server.end()
                raise
            model.server = server
            return server

    def _make_room(self) -> None:
        """End the servers of the models beyond the most that are kept, those not named for longest first."""
        with self._lock:
            named = sorted(self._models, key=lambda name: self._models[name].last_request, reverse=True)
            surplus = [name for name in named[self._loader.most_loaded :] if not self._models[name].busy]
            unloaded = [self._models.pop(name) for name in surplus]
        for model in unloaded:
            if model.server is not None:
                model.server.end()


def _not_loaded(name: str, why: object) -> Reply:
    return Reply(_FAILED, "text/plain", f"The model {name} could not be loaded: {why}".encode(), 0.0)
