"""Clients for the local AWS itself: what it does for somebody, it does over the same API, with a role's credentials."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

_HOUR = 3600.0
_RENEW_BEFORE = 2700.0  # so that a process that is started with them can live on them


@dataclass(frozen=True)
class Credentials:
    """Who somebody is for an hour."""

    key: str
    secret: str
    token: str
    until: float

    def variables(self) -> Mapping[str, str]:
        """As the environment of a process."""
        return {
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_SESSION_TOKEN": self.token,
        }


class Clients:
    """Clients by service and role, renewed before their credentials end; no role is the account itself."""

    def __init__(self, url: Callable[[], str], region: str) -> None:
        self.url = url
        self._region = region
        self._session = boto3.session.Session()
        self._lock = threading.RLock()
        self._clients: dict[tuple[str, str], tuple[Any, float]] = {}
        self._credentials: dict[str, Credentials] = {}

    def __call__(self, service: str, role: str = "", session: str = "local") -> Any:
        """A client that acts as a role."""
        with self._lock:
            credentials = self.credentials(role, session) if role else _ACCOUNT
            client, until = self._clients.get((service, role), (None, 0.0))
            if client is None or until != credentials.until:
                client = self._made(service, credentials)
                self._clients[service, role] = client, credentials.until
            return client

    def credentials(self, role: str, session: str) -> Credentials:
        """A role's credentials, good for a while yet."""
        with self._lock:
            known = self._credentials.get(role)
            if known is None or known.until - time.time() < _RENEW_BEFORE:
                known = self._assumed(role, session)
                self._credentials[role] = known
            return known

    def _assumed(self, role: str, session: str) -> Credentials:
        answer = self("sts").assume_role(RoleArn=role, RoleSessionName=session[:64])
        told = answer["Credentials"]
        return Credentials(
            told["AccessKeyId"], told["SecretAccessKey"], told["SessionToken"], time.time() + _HOUR - 60.0
        )

    def _made(self, service: str, credentials: Credentials) -> Any:
        return self._session.client(
            service,
            region_name=self._region,
            endpoint_url=self.url(),
            aws_access_key_id=credentials.key,
            aws_secret_access_key=credentials.secret,
            aws_session_token=credentials.token or None,
            config=Config(
                retries={"mode": "standard", "max_attempts": 3}, max_pool_connections=64, read_timeout=960, proxies={}
            ),
        )


_ACCOUNT = Credentials("local", "local", "", 0.0)
