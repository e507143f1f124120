"""boto3 clients for the local AWS itself: its services call each other over the API, with a role's credentials."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from pedigree.localaws.kernel.access_key import AccessKey

SAGEMAKER, LAMBDA, EVENTS, SCHEDULER = (
    f"{name}.amazonaws.com" for name in ("sagemaker", "lambda", "events", "scheduler")
)
_MAX_CLIENTS = 256
_READ_TIMEOUT_SECONDS = 960


@dataclass(frozen=True)
class ServiceRole:
    """A role that a service (principal) assumes for one of its resources (source)."""

    role: str
    principal: str
    source: str
    session: str = "local"


AssumeRole = Callable[[ServiceRole], Mapping[str, str]]
"""Returns the credentials as environment variables; raises ServiceError if the service may not assume the role."""


class Clients:
    """Makes and caches clients by service and credentials; without a role they use the account's own key."""

    def __init__(self, url: Callable[[], str], region: str, assume_role: AssumeRole, account_key: AccessKey) -> None:
        self.url = url
        self.assume_role = assume_role
        self._account_credentials = account_key.environment
        self._region = region
        self._session = boto3.session.Session()
        self._lock = threading.RLock()
        self._clients: OrderedDict[tuple[str, str], Any] = OrderedDict()

    def __call__(self, service: str, role: ServiceRole | None = None) -> Any:
        credentials = self.assume_role(role) if role else self._account_credentials
        key = service, credentials["AWS_ACCESS_KEY_ID"]
        with self._lock:
            client = self._clients.pop(key, None) or self._create(service, credentials)
            self._clients[key] = client
            while len(self._clients) > _MAX_CLIENTS:
                self._clients.popitem(last=False)
            return client

    def _create(self, service: str, credentials: Mapping[str, str]) -> Any:
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
                read_timeout=_READ_TIMEOUT_SECONDS,
                proxies={},
            ),
        )


def queue_url(clients: Clients, arn: str) -> str:
    """Return the URL of a queue by its ARN."""
    account, name = arn.split(":")[4:6]
    return f"{clients.url()}/{account}/{name}"
