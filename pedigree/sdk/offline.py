"""Keeps a process away from the network: every request of botocore gets its answer here or from the local AWS.

The SDK's own sessions, clients and requests stay as they are; only what would go onto the wire is caught: both versions
of the SDK ask STS at its public address, whatever AWS_ENDPOINT_URL says.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, NoReturn

import botocore.session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.httpsession import URLLib3Session

REGION = "us-east-1"
LOOPBACK = ("127.", "::1", "localhost")
Answer = Callable[[AWSPreparedRequest], AWSResponse]
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_SETTINGS = {
    **dict.fromkeys(_KEYS, "offline"),  # opens nothing
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "SAGEMAKER_TELEMETRY_OPT_OUT": "true",
    "SAGEMAKER_VALIDATE_ROLE": "false",
}


class NetworkError(OSError):
    """The process tried to reach another machine."""


def environment(variables: Mapping[str, str], local_url: str = "") -> dict[str, str]:
    """The variables without any account; a region is kept. With a local AWS, so are the keys, which are its own."""
    region = variables.get("AWS_REGION") or variables.get("AWS_DEFAULT_REGION") or REGION
    others = {name: value for name, value in variables.items() if not name.startswith("AWS_")}
    local = {name: variables[name] for name in _KEYS} | {"AWS_ENDPOINT_URL": local_url} if local_url else {}
    return {**others, **_SETTINGS, "AWS_REGION": region, "AWS_DEFAULT_REGION": region, **local}


def install(answer: Answer, variables: MutableMapping[str, str], local_url: str = "") -> None:
    """From now on, this process has no account and no network, and its AWS requests get these answers."""
    offline = environment(variables, local_url)
    variables.clear()
    variables.update(offline)
    URLLib3Session.send = lambda _self, request: answer(request)
    _ignore_profiles()
    _block_network()


def _ignore_profiles() -> None:
    """A script may name a profile of the user's, which would need its own credentials."""
    original = botocore.session.Session.set_config_variable

    def set_config_variable(self: botocore.session.Session, name: str, value: Any) -> None:
        if name != "profile":
            original(self, name, value)

    botocore.session.Session.set_config_variable = set_config_variable


def _block_network() -> None:
    connect, lookup = socket.socket.connect, socket.getaddrinfo

    def connect_nearby(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address[0]):
            _refuse(address[0])
        connect(self, address)

    def look_up_nearby(host: Any, *arguments: Any, **options: Any) -> Any:
        if host is not None and not _is_loopback(host):
            _refuse(host)
        return lookup(host, *arguments, **options)

    socket.socket.connect = connect_nearby  # type: ignore[method-assign,assignment]
    socket.getaddrinfo = look_up_nearby


def _is_loopback(host: Any) -> bool:
    return str(host.decode() if isinstance(host, bytes) else host).startswith(LOOPBACK)


def _refuse(host: Any) -> NoReturn:
    name = host.decode() if isinstance(host, bytes) else host
    raise NetworkError(f"pedigree runs a script without network, and it asks for {name}")
