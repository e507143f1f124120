"""Two documents are the same if they mean the same, however AWS or a person has written them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedigree.account import differences

WORDS = st.text("abc:*/", min_size=1, max_size=5)
LEAVES = st.one_of(WORDS, st.integers(0, 9), st.booleans())
DOCUMENTS = st.dictionaries(WORDS, st.one_of(LEAVES, st.lists(LEAVES, min_size=1, max_size=3)), max_size=4)


def otherwise(value: Any, reverse: bool) -> Any:
    """The same in other words: lists turned round, lists of one as what is in them, numbers as texts."""
    if isinstance(value, dict):
        return {key: otherwise(member, reverse) for key, member in reversed(value.items())}
    if isinstance(value, list):
        members = [otherwise(member, reverse) for member in (reversed(value) if reverse else value)]
        return members[0] if len(members) == 1 else members
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


@given(DOCUMENTS, st.booleans())
def test_other_words_for_the_same_are_no_difference(document: Any, reverse: bool) -> None:
    assert differences.canonical(otherwise(document, reverse)) == differences.canonical(document)


@given(DOCUMENTS, DOCUMENTS)
def test_what_is_there_besides_is_no_difference(expected: Any, more: Any) -> None:
    assert differences.covers({**more, **expected}, expected)


@given(DOCUMENTS, WORDS)
def test_another_value_is_one(expected: Any, key: str) -> None:
    expected[key] = "this"
    assert not differences.covers({**expected, key: "that"}, expected)


def test_a_difference_of_policies_names_the_statement() -> None:
    def policy(*statements: dict[str, Any]) -> dict[str, Any]:
        return {"Version": "2012-10-17", "Statement": list(statements)}

    read, write = {"Sid": "Read", "Action": "s3:GetObject"}, {"Sid": "Write", "Action": "s3:PutObject"}
    assert differences.documents("policy", policy(read), policy(read)) == ()
    assert differences.documents("policy", policy(read), policy(write)) == (
        "policy: statement Write is missing",
        "policy: statement Read is not ours",
    )
    assert differences.documents("policy", policy({**read, "Action": "*"}), policy(read)) == (
        "policy: statement Read was changed",
    )
    assert differences.documents("policy", {**policy(read), "Version": "2008-10-17"}, policy(read)) == (
        "policy was changed",
    )
    assert differences.documents("policy", None, policy(read)) == ("policy: statement Read is missing",)


@pytest.mark.parametrize(
    ("found", "lines"),
    [
        ({"Timeout": 3}, ("Timeout is 3, not 60",)),
        ({}, ("Timeout is not set, not 60",)),
        ({"Timeout": 60, "More": 1}, ()),
    ],
)
def test_a_field_is_shown_as_it_is_and_as_it_should_be(found: Any, lines: tuple[str, ...]) -> None:
    assert differences.fields(found, {"Timeout": 60}) == lines


def test_a_long_value_is_cut() -> None:
    [line] = differences.fields({"Template": "x" * 500}, {"Template": "y"})
    assert line == f"Template is {'x' * 80}…, not y"


def test_ours_is_put_beside_what_others_have() -> None:
    theirs, old, new = {"ID": "a", "Days": 1}, {"ID": "b", "Days": 2}, {"ID": "b", "Days": 3}
    assert differences.merged([theirs, old], [new], "ID") == [theirs, new]
    assert differences.merged([theirs, new], [new], "ID") is None
    assert json.dumps(differences.merged([], [new], "ID")) == '[{"ID": "b", "Days": 3}]'
