"""An account in which a machine can be rented: moto's services, and two of ours beside them."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from functools import cache
from typing import Any

import boto3
import pytest

from pedigree.account.account import Account
from pedigree.account.errors import OperationsError
from pipeline.account.ec2 import rental as ec2
from pipeline.account.ec2.rental import Rental, RentalRequest
from tests.support.definitions import CODE, configure
from tests.support.fakes.clients import FakeService
from tests.support.fakes.clock import SimulatedClock
from tests.support.fakes.executions import Executions
from tests.support.fakes.served_services import ACCOUNT, REGION, SimulatedAccountClock, account_with

BUCKET = f"pedigree-{ACCOUNT}-{REGION}"
NEWEST = "oss-nvidia-driver-gpu-pytorch-2.13-amazon-linux-2023"
FAKED_SERVICES = ("ssm", "sagemaker")


@cache
def client(service: str) -> Any:
    """One of moto's; making it is what takes time."""
    return boto3.client(service, region_name=REGION)


class ImageParameters(FakeService):
    """The public parameters of images."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def get_parameter(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["Name"] not in self.names:
            self.refuse("ParameterNotFound", "")
        return {"Parameter": {"Name": asked["Name"], "Value": "ami-12c6146b"}}


def parameter_name(name: str, architecture: str = "x86_64") -> str:
    return f"/aws/service/deeplearning/ami/{architecture}/{name}/latest/ami-id"


class RentalAccount:
    """An account with the services of moto, beside two of ours."""

    def __init__(self) -> None:
        self.executions, self.parameters = Executions(), ImageParameters(parameter_name(NEWEST))
        self.settings = configure({"site.account": ACCOUNT})
        self.clients: Callable[[str], Any] = client

    @property
    def account(self) -> Account:
        fakes = account_with({"ssm": self.parameters, "sagemaker": self.executions})
        return Account(
            ACCOUNT,
            REGION,
            lambda one: fakes.clients(one) if one in FAKED_SERVICES else self.clients(one),
            clock=SimulatedAccountClock(SimulatedClock()),
        )

    def put(self, key: str, content: bytes = b"") -> None:
        client("s3").put_object(Bucket=BUCKET, Key=f"pedigree/{key}", Body=content)

    def plan(self, **wanted: Any) -> Rental:
        return ec2.plan(self.account, self.settings, CODE, RentalRequest(**wanted))

    def refused(self, kind: type[OperationsError], **wanted: Any) -> str:
        with pytest.raises(kind) as raised:
            self.plan(**wanted)
        return str(raised.value)


def exported_variables(rental: Rental) -> dict[str, str]:
    """The variables that the user data exports."""
    lines = shlex.split(rental.user_data.partition("set -uo pipefail")[0], comments=True)
    return dict(word.split("=", 1) for word in lines if word != "export")
