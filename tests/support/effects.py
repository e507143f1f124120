"""Which setting reaches which step: every key gets another value, and the steps and parameters that change are listed.

Another value is derived from the type and the bounds of the field. OTHER_VALUES has those that cannot be derived, most
of them texts; NEEDS has the settings that must be set, too, for a value to be valid or to have an effect.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic import AfterValidator
from pydantic.fields import FieldInfo

from pedigree.language.definition import read
from pipeline.settings.errors import SettingsError
from pipeline.settings.tree import Settings
from steps.config import Config, OneOf
from tests.support.definitions import configure, define

KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1"
VPC = {"site.network.subnets": ["subnet-0123abcd"], "site.network.security_groups": ["sg-0123abcd"]}
ISOLATED = {"data.source": "s3://images/dogs.zip", "training.weights": "s3://images/w.pth"}
DEBUGGED = {"debugger.enabled": True, "images.training.version": "2.0.1", "images.training.python": "py310"}
SEVERAL = {"endpoint.instance_count": 2, "autoscaling.min_capacity": 2}
FEWER_FAULTS = ["Step.THROTTLING"]
KINDS = ("processing", "tuning", "training", "registry")

OTHER_VALUES: Mapping[str, Any] = {
    "site.account": "123456789012",
    "site.region": "eu-central-1",
    "site.bucket": "mine",
    "site.tags": {"team": "vision"},
    "site.network.subnets": ["subnet-89abcdef"],
    "site.network.security_groups": ["sg-89abcdef"],
    "site.encryption.output_key": KEY,
    "site.encryption.volume_key": KEY,
    "images.training.version": "2.12",
    "images.distributed.version": "2.4.0",
    "images.inference.version": "2.5.1",
    **{f"images.{family}.python": "" for family in ("training", "distributed", "inference")},
    **{f"images.{family}.image_uri": IMAGE for family in ("training", "distributed", "inference")},
    "data.source": "https://host/cats.zip",
    "data.sha256": 64 * "0",
    **{f"data.splits.{name}": share + 4e-7 for name, share in Settings().data.splits.model_dump().items()},
    "processing.instance_type": "ml.m5.2xlarge",
    "processing.alternatives": ["ml.m5.4xlarge"],
    "tuning.ranges": {"dropout": {"type": "categorical", "values": [0.1, 0.2]}},
    "training.architecture": "resnet101",
    "training.weights": "IMAGENET1K_V1",
    "training.precision": "fp16",
    "training.hyperparameters": {"patience": 3},
    "training.instance_type": "ml.g5.xlarge",
    "training.alternatives": ["ml.g5.xlarge"],
    "training.max_runtime_seconds": 600,
    "distributed.instance_type": "ml.p4de.24xlarge",
    "distributed.alternatives": ["ml.p4d.24xlarge"],
    "debugger.collections": ["gradients"],
    "debugger.rules": ["Overfit"],
    "registry.inference_instance_types": ["ml.m5.large"],
    "endpoint.instance_type": "ml.c5.xlarge",
    "endpoint.alarms.extra": ["mine"],
    "schedule.expression": "rate(2 days)",
    "schedule.timezone": "Asia/Tokyo",
    "schedule.parameters": {"Epochs": 3},
    **{f"retries.{kind}.on": FEWER_FAULTS for kind in KINDS},
    **{f"cache.{kind}": "PT1H" for kind in KINDS if kind != "registry"},
    "checks.ignore": [{"code": "CST004", "reason": "it is short"}],
}
NEEDS: Mapping[str, Mapping[str, Any]] = {
    "site.network.subnets": VPC,
    "site.network.security_groups": VPC,
    "site.network.isolation": ISOLATED,
    "images.inference.version": {"images.inference.python": ""},
    "tuning.hyperband_min_epochs": {"tuning.strategy": "Hyperband"},
    "training.max_wait_seconds": {"training.spot": True},
    "debugger.enabled": {name: value for name, value in DEBUGGED.items() if name != "debugger.enabled"},
    **{f"debugger.{name}": DEBUGGED for name in ("collections", "save_interval", "rules", "profiler")},
    "endpoint.update.policy": SEVERAL,
    "autoscaling.min_capacity": {"endpoint.instance_count": 2},
    **{
        f"retries.{kind}.expire_after_minutes": {f"retries.{kind}.max_attempts": 0}
        for kind in KINDS
        if kind != "training"
    },
    "retries.training.max_attempts": {"retries.training.expire_after_minutes": 0},
}


@dataclass(frozen=True)
class Effect:
    """A key, a value that is not its default, and the settings that must be set, too."""

    key: str
    value: Any
    needs: Mapping[str, Any]

    def definitions(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The definition before and after the setting gets its other value."""
        return define(self.needs), define({**self.needs, self.key: self.value})

    def changes(self) -> set[str]:
        """The steps and parameters that change."""
        before, after = map(_parts, self.definitions())
        return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def report() -> str:
    """A line for each key: the value that it gets, and what changes in the definition."""
    return "".join(
        f"{effect.key} = {effect.value!r}: {' '.join(sorted(effect.changes())) or 'nothing'}\n" for effect in EFFECTS
    )


def fields(config: Config, section: str = "") -> Iterator[tuple[str, FieldInfo, Any]]:
    """Every key, its field and its default."""
    for name, field in type(config).model_fields.items():
        key, value = f"{section}{field.alias or name}", getattr(config, name)
        if isinstance(value, Config):
            yield from fields(value, f"{key}.")
        else:
            yield key, field, value


def _other(key: str, field: FieldInfo, default: Any) -> Any:
    """The first value near the default that is valid."""
    for value in _near(field, default):
        with suppress(SettingsError):
            configure({**NEEDS.get(key, {}), key: value})
            return value
    raise AssertionError(f"{key}: no other value can be derived; add one to OTHER_VALUES in {__name__}")


def _near(field: FieldInfo, default: Any) -> tuple[Any, ...]:
    if isinstance(default, bool):
        return (not default,)
    if isinstance(default, (int, float)) and get_origin(field.annotation) is not Literal:
        return default + 1, default - 1, default / 2
    choices = tuple(choice for choice in _choices(field) if choice != default)
    return choices or ((f"{default}2",) if isinstance(default, str) else ())


def _choices(field: FieldInfo) -> tuple[Any, ...]:
    if get_origin(field.annotation) is Literal:
        return get_args(field.annotation)
    validators = [mark.func for mark in field.metadata if isinstance(mark, AfterValidator)]
    return next((validator.choices for validator in validators if isinstance(validator, OneOf)), ())


def _parts(document: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters, and the steps without those in their branches."""
    parameters = {parameter["Name"]: parameter for parameter in document["Parameters"]}
    return parameters | {
        step.name: {**step.document, "Arguments": dict(step.own_arguments)} for step in read(document).all_steps()
    }


EFFECTS = tuple(
    Effect(key, OTHER_VALUES[key] if key in OTHER_VALUES else _other(key, field, default), NEEDS.get(key, {}))
    for key, field, default in fields(Settings())
)
