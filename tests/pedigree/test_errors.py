"""The base of all errors that a user can mend."""

from __future__ import annotations

import copy
import pickle

from pedigree.errors import Mistake, Mistakes


class UnknownNameError(Mistake):
    """An error of some package."""


def test_the_line_has_the_cause_and_then_the_remedy() -> None:
    assert str(Mistake("a.json is not there", "name another file")) == "a.json is not there; name another file"
    assert str(Mistake("the disk is full")) == "the disk is full"


def test_cause_and_remedy_are_two_members_in_every_subclass() -> None:
    mistake = UnknownNameError("x; y is unknown", "write z")

    assert (mistake.cause, mistake.remedy) == ("x; y is unknown", "write z")
    assert mistake.mistakes == (mistake,)


def test_several_mistakes_are_several_lines() -> None:
    first, second = Mistake("one", "mend it"), Mistake("two")

    assert str(Mistakes([first, second])) == "one; mend it\ntwo"
    assert Mistakes([first, second]).mistakes == (first, second)


def test_mistakes_survive_copies_and_other_processes() -> None:
    mistake = UnknownNameError("cause", "remedy")

    for again in (copy.copy(mistake), pickle.loads(pickle.dumps(mistake))):
        assert (again.cause, again.remedy, type(again)) == ("cause", "remedy", UnknownNameError)
    several = pickle.loads(pickle.dumps(Mistakes([mistake])))
    assert [error.remedy for error in several.mistakes] == ["remedy"]
