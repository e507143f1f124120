"""docs/permissions.md: every action of every policy, and what becomes of the run without it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from tests.proof import on_aws
from tests.proof.proving import Proof
from tests.proof.rights import Right, every

HEAD = """# What every permission is for

Every action of every policy in [iam/](../iam/README.md), and what needs it. `make permissions` writes this page: it
goes through everything that the project does on the local AWS, with IAM enforced, and sees that it succeeds. Then it
takes the actions away, one at a time: the run must fail with AccessDenied for that very action, or this page says why
nothing on one machine can need it. [tests/proof](../tests/proof/__init__.py) has all of it, and `make test` holds this
page against it.

- *needed by*: the first part that uses the action; without it, that part fails, or a later one that needs it too. Parts
  are named after what is typed, or what runs.
- *stays for AWS*: reviewed, not proven: the action is needed by what AWS has and this machine has not.

Where several statements allow the same action, each is taken away by itself. The operator's files are for different
work, so whoever does a part has only the files that are for it. Most parts end there; `status` goes on without the
page in Studio, the graph or the logs that it may not see, and deploy_endpoint leaves what it may not remove to the
next deployment: both say so.
"""


def counts(proofs: Mapping[Right, Proof]) -> str:
    """How many there are of each."""
    rights = every()
    left = sum(one not in proofs for one in rights)
    return f"{len(rights)} actions: {len(rights) - left} proven, {left} that stay for AWS.\n"


def page(proofs: Mapping[Right, Proof]) -> str:
    """The page."""
    return "\n".join((HEAD, counts(proofs), *_roles(proofs), *_denied()))


def _roles(proofs: Mapping[Right, Proof]) -> Iterator[str]:
    for role in dict.fromkeys(one.role for one in every()):
        yield f"## {role}\n"
        rights = [one for one in every() if one.role == role]
        yield from _rows("| policy | statement | action | needed by |", _proven(rights, proofs))
        yield from _rows("| policy | statement | action | stays for AWS |", _left(rights, proofs))


def _proven(rights: Iterable[Right], proofs: Mapping[Right, Proof]) -> Iterator[tuple[str, ...]]:
    return ((*_told(one), proofs[one].part) for one in rights if one in proofs)


def _left(rights: Iterable[Right], proofs: Mapping[Right, Proof]) -> Iterator[tuple[str, ...]]:
    return ((*_told(one), on_aws.reason(one)) for one in rights if one not in proofs)


def _denied() -> Iterator[str]:
    yield "## What is forbidden\n"
    yield (
        "A Deny takes away what another statement gives, so nothing needs it. That each forbids what it should, and "
        "nothing else,\nis in [tests/policies](../tests/policies).\n"
    )
    yield from _rows("| role | policy | statement | action |", ((one.role, *_told(one)) for one in every("Deny")))


def _told(right: Right) -> tuple[str, str, str]:
    return right.file, right.statement, f"`{right.action}`"


def _rows(head: str, rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    listed = [f"| {' | '.join(row)} |" for row in rows]
    if listed:
        yield "\n".join((head, "|---" * head.count(" | ") + "|---|", *listed, ""))
