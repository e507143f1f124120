"""What the operator does to an account: everything is put up, mended after others were at it, and taken down again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pedigree.account.account import Account
from pedigree.account.errors import OperationsError
from pedigree.account.perform import fulfil
from pedigree.account.plan import Change, plan
from pedigree.account.plan import Part as Wanted
from pipeline.account import removals
from pipeline.account.destroy import Data
from pipeline.account.removals import Look, Removal
from pipeline.account.roles import documents
from pipeline.account.upsert import parts
from pipeline.settings.tree import Settings
from tests.policies.places import IN_ACCOUNT
from tests.proof.hands import HANDS, attached, leftovers, running
from tests.proof.proving import Journey, Part
from tests.support.definitions import CODE, configure

_BEFORE = {"pipelines": running, "roles": attached}
KEEPER = ("functions", "roles", "upsert")
VALUES = {**IN_ACCOUNT, "functions.predict.provisioned_concurrency": 1}


def brought_about(wanted: Iterable[Wanted], account: Account) -> str:
    """What hinders parts from being as they should; nothing, where nothing does."""
    chosen = list(wanted)
    try:
        fulfil(chosen, account, plan(chosen, account), lambda _change: None)
    except OperationsError as error:
        return str(error)
    return ""


def everything(settings: Settings) -> list[Wanted]:
    """All that upsert makes."""
    return parts(settings, CODE, documents(settings))


@dataclass(frozen=True)
class Removed:
    """One kind of thing that destroy removes."""

    removal: Removal
    settings: Settings

    def changes(self, account: Account) -> Iterator[Change]:
        """What is there of it."""
        yield from self.removal(Look(account, self.settings))


def _keeping(wanted: Wanted) -> Part:
    name = f"{type(wanted).__name__} {getattr(wanted, 'name', getattr(wanted, 'function', ''))}".strip()
    return Part(f"upsert: {name}", lambda stage: brought_about([wanted], stage.account), files=KEEPER)


def _mending(wanted: Wanted) -> Iterator[Part]:
    """The same once more for each thing that somebody may have done to it."""
    part = _keeping(wanted)
    for hand in HANDS.get(part.name.removeprefix("upsert: "), ()):
        yield Part(f"{part.name}, {hand.__name__.replace('_', ' ')}", part.do, files=KEEPER, before=hand)


def _removing(removal: Removal, settings: Settings) -> Part:
    one = Removed(removal, settings)
    name = removal.__name__.replace("_", " ")
    files = (*KEEPER, "policy") if removal is removals.schedule else KEEPER
    before = _BEFORE.get(name, leftovers)
    return Part(f"destroy: {name}", lambda stage: brought_about([one], stage.account), files=files, before=before)


def _parts(settings: Settings) -> Iterator[Part]:
    wanted = everything(settings)
    yield from map(_keeping, wanted)
    yield from (part for one in wanted for part in _mending(one))
    yield from (_removing(one, settings) for one in removals.IN_ORDER)
    yield Part("destroy: data", lambda stage: brought_about([Data(settings)], stage.account), files=KEEPER)


ACCOUNT = Journey("account", tuple(_parts(configure(VALUES))), VALUES)
