"""Settings, by name, under which the documents of the roles differ: in what they allow, and in their length."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from steps.site import RolesConfig
from tests.policies.arns import ACCOUNT, EVERYTHING, IN_ACCOUNT, KEY

_ALIAS = KEY.replace("key/1234abcd-12ab-34cd-56ef-1234567890ab", "alias/mine")
_DEBUGGER = {"debugger.enabled": True, "images.training.version": "2.0.1", "images.training.python": "py310"}
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "default": IN_ACCOUNT,
    "everything": EVERYTHING,
    "alias": {**IN_ACCOUNT, "site.encryption.output_key": _ALIAS, "pipeline.name": "Dog-Breeds"},
    "debugger": {**IN_ACCOUNT, **_DEBUGGER, "distributed.enabled": False},
    "china": {"site.account": ACCOUNT, "site.region": "cn-north-1"},
    "government": {"site.account": ACCOUNT, "site.region": "us-gov-west-1"},
    "longest": {
        **EVERYTHING,
        "data.source": f"s3://{'d' * 63}/{'k' * 100}",
        "endpoint.name": "e" * 63,
        "pipeline.name": "P" * 32,
        "registry.group": "G" * 63,
        "site.bucket": "b" * 63,
        "site.network.security_groups": [f"sg-{index:017x}" for index in range(5)],
        "site.network.subnets": [f"subnet-{index:017x}" for index in range(16)],
        "site.prefix": "p" * 128,
        "training.weights": f"s3://{'w' * 63}/{'k' * 900}",
        **{f"site.roles.{name}": f"{name:r<64}" for name in RolesConfig().model_dump(by_alias=True)},
    },
}
