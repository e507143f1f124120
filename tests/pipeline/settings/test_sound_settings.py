"""The checks find no error in the definition of any valid settings."""

from __future__ import annotations

from hypothesis import given, settings

from pedigree.checks.finding import Severity
from pedigree.checks.run import assert_clean
from tests.support.definitions import define
from tests.support.strategies import Values, valid_settings


@settings(max_examples=40)
@given(valid_settings())
def test_no_valid_settings_make_an_error(values: Values) -> None:
    assert_clean(define(values), fail_on=Severity.ERROR)
