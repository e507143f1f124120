"""Terraform writes null for a member that is not set: it is as if it were left out."""

from __future__ import annotations

from pedigree.checks.run import run
from tests.pedigree.checks.case import made
from tests.pedigree.checks.small import GONE


def codes(path: str, value: object) -> list[str]:
    return [finding.code for finding in run(made(((path, value),)))]


def test_null_is_as_if_a_member_were_left_out() -> None:
    for path in ("Train.Arguments.Environment", "Prepare.Arguments.NetworkConfig", "Train.DependsOn", ".Metadata"):
        assert codes(path, None) == codes(path, GONE) == []


def test_what_is_needed_is_not_null() -> None:
    assert codes("Prepare.Arguments.ProcessingResources", None) == ["LIM001"]


def test_a_list_has_no_null() -> None:
    assert codes("Prepare.Arguments.AppSpecification.ContainerArguments.0", None) == ["TYP001"]
