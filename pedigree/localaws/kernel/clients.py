"""Clients for the local AWS itself: what it does for somebody, it does over the same API, with a role's credentials."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

SAGEMAKER, LAMBDA, EVENTS, SCHEDULER = (
    f"{name}.amazonaws.com" for name in ("sagemaker", "lambda", "events", "scheduler")
)
_MOST_KEPT = 256
_PATIENCE_SECONDS = 960
_ACCOUNT = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}


@dataclass(frozen=True)
class Taking:
    """A role as a service takes it for one of its resources; the session is what the resource calls itself."""

    role: str
    principal: str
    source: str
    session: str = "local"


Take = Callable[[Taking], Mapping[str, str]]
"""The environment of a process that acts as a role; it raises if the service may not take it."""


class Clients:
    """Clients by service and by whom they act for; those of nobody are the account's own."""

    def __init__(self, url: Callable[[], str], region: str, take: Take) -> None:
        self.url = url
        self.take = take
        self._region = region
        self._session = boto3.session.Session()
        self._lock = threading.RLock()
        self._clients: OrderedDict[tuple[str, str], Any] = OrderedDict()

    def __call__(self, service: str, taking: Taking | None = None) -> Any:
        """A client that acts as a role, for as long as the role may be taken."""
        credentials = self.take(taking) if taking else _ACCOUNT
        key = service, credentials["AWS_ACCESS_KEY_ID"]
        with self._lock:
            client = self._clients.pop(key, None) or self._made(service, credentials)
            self._clients[key] = client
            while len(self._clients) > _MOST_KEPT:
                self._clients.popitem(last=False)
            return client

    def _made(self, service: str, credentials: Mapping[str, str]) -> Any:
        return self._session.client(
            service,
            region_name=self._region,
            endpoint_url=self.url(),
            aws_access_key_id=credentials["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=credentials["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=credentials.get("AWS_SESSION_TOKEN"),
            config=Config(
                retries={"mode": "standard", "max_attempts": 3},
                max_pool_connections=64,
                read_timeout=_PATIENCE_SECONDS,
                proxies={},
            ),
        )
