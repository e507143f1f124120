"""An operation of a service's own is a method with boto3's name of it; there is no second list."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore import xform_name

from pedigree.localaws.daemon import LocalAws, Options
from pedigree.localaws.http.protocol.models import MODELS, operations
from pedigree.localaws.http.service import Provider


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    started = LocalAws(Options(tmp_path_factory.mktemp("local")))
    started.start()
    yield started
    started.stop()


def test_methods_of_providers_are_operations_of_their_services(local: LocalAws) -> None:
    providers = {name: service for name, service in local.services.items() if isinstance(service, Provider)}
    assert {"events", "lambda", "scheduler", "sqs", "sts", "tagging"} <= set(providers)
    for name, provider in providers.items():
        assert provider.own_operations <= {xform_name(operation) for operation in operations(name)}


def test_every_service_with_a_model_is_served(local: LocalAws) -> None:
    assert set(local.services) == {*MODELS, "s3"}
