"""An account in which EC2 instances can be rented: moto's services, and fakes of SSM and SageMaker."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

import pytest

from pedigree.account.account import Account
from pedigree.account.errors import OperationsError
from pipeline.account.ec2 import rental as ec2
from pipeline.account.ec2.rental import Rental, RentalRequest
from tests.support.accounts import client
from tests.support.definitions import CODE, configure
from tests.support.fakes.clients import FakeService
from tests.support.fakes.clock import SimulatedClock
from tests.support.fakes.executions import Executions
from tests.support.fakes.served_services import ACCOUNT, REGION, SimulatedAccountClock, account_with

BUCKET = f"pedigree-{ACCOUNT}-{REGION}"
NEWEST = "oss-nvidia-driver-gpu-pytorch-2.13-amazon-linux-2023"
FAKED_SERVICES = ("ssm", "sagemaker")


class ImageParameters(FakeService):
    """SSM with the public parameters that name AMIs."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def get_parameter(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["Name"] not in self.names:
            self.refuse("ParameterNotFound", "")
        return {"Parameter": {"Name": request["Name"], "Value": "ami-12c6146b"}}


def parameter_name(name: str, architecture: str = "x86_64") -> str:
    return f"/aws/service/deeplearning/ami/{architecture}/{name}/latest/ami-id"


class RentalAccount:
    """The account, with moto's services and two fakes."""

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
            lambda service: fakes.clients(service) if service in FAKED_SERVICES else self.clients(service),
            clock=SimulatedAccountClock(SimulatedClock()),
        )

    def put(self, key: str, content: bytes = b"") -> None:
        client("s3").put_object(Bucket=BUCKET, Key=f"pedigree/{key}", Body=content)

    def plan(self, **options: Any) -> Rental:
        return ec2.plan(self.account, self.settings, CODE, RentalRequest(**options))

    def refused(self, kind: type[OperationsError], **options: Any) -> str:
        with pytest.raises(kind) as raised:
            self.plan(**options)
        return str(raised.value)


def exported_variables(rental: Rental) -> dict[str, str]:
    """The variables that the user data exports."""
    lines = shlex.split(rental.user_data.partition("set -uo pipefail")[0], comments=True)
    return dict(word.split("=", 1) for word in lines if word != "export")
