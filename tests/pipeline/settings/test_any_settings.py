"""All valid settings make a sound definition: complete requests, resolved references, the same bytes each time."""

from __future__ import annotations

import json

from hypothesis import given

from pedigree.language.definition import read
from pipeline.document import render
from tests.support.definitions import CODE, assert_sound, configure
from tests.support.strategies import Values, valid_settings

INLINE_LIMIT = 1_048_576


@given(valid_settings())
def test_any_valid_settings_make_a_sound_definition(values: Values) -> None:
    text = render(configure(values), CODE)
    document = json.loads(text)
    assert_sound(document)
    assert text == render(configure(values), CODE)
    assert len(text) < INLINE_LIMIT
    assert all("_" not in parameter["Name"] and "DefaultValue" in parameter for parameter in document["Parameters"])
    assert [step.name for step in read(document).steps][-1] == "QualityGate"
