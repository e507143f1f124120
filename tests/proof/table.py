"""Writes docs/permissions.md: every action of every policy, and which step fails without it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from tests.proof import on_aws
from tests.proof.permissions import Permission, permissions
from tests.proof.proving import Proof

HEAD = """# What every permission is for

Every action of every policy in [iam/](../iam/README.md), and what needs it. `make permissions` writes this page: it
does everything that the project does on the local AWS, with IAM enforced, and checks that it succeeds. Then it takes
the actions away, one at a time: the run must fail with AccessDenied for that action, or this page says why nothing on
one machine can need it. [tests/proof](../tests/proof/__init__.py) does this, and `make test` compares this page with
it.

- *needed by*: the first step that uses the action; without the action, that step fails, or a later one that needs it
  too. Steps are named after what the operator types, or what runs.
- *stays for AWS*: reviewed, not proven: AWS needs the action for something that this machine does not have.

Where several statements allow the same action, it is taken away from one at a time. The operator's policies are for
different tasks, so the operator has only those that a step is for. Most steps stop there; `status` goes on without the
page in Studio, the graph or the logs that it may not read, and deploy_endpoint leaves what it may not remove to the
next deployment: both say so.
"""


def counts(proofs: Mapping[Permission, Proof]) -> str:
    """How many actions are proven, and how many stay."""
    every = permissions()
    left = sum(permission not in proofs for permission in every)
    return f"{len(every)} actions: {len(every) - left} proven, {left} that stay for AWS.\n"


def page(proofs: Mapping[Permission, Proof]) -> str:
    """The whole page."""
    return "\n".join((HEAD, counts(proofs), *_roles(proofs), *_denied()))


def _roles(proofs: Mapping[Permission, Proof]) -> Iterator[str]:
    for role in dict.fromkeys(permission.role for permission in permissions()):
        yield f"## {role}\n"
        own = [permission for permission in permissions() if permission.role == role]
        yield from _rows("| policy | statement | action | needed by |", _proven(own, proofs))
        yield from _rows("| policy | statement | action | stays for AWS |", _left(own, proofs))


def _proven(own: Iterable[Permission], proofs: Mapping[Permission, Proof]) -> Iterator[tuple[str, ...]]:
    return ((*_cells(permission), proofs[permission].step) for permission in own if permission in proofs)


def _left(own: Iterable[Permission], proofs: Mapping[Permission, Proof]) -> Iterator[tuple[str, ...]]:
    return ((*_cells(permission), on_aws.reason(permission)) for permission in own if permission not in proofs)


def _denied() -> Iterator[str]:
    yield "## What is forbidden\n"
    yield (
        "A Deny takes away what another statement gives, so nothing needs it. That each forbids what it should, and "
        "nothing else,\nis in [tests/policies](../tests/policies).\n"
    )
    denied = ((permission.role, *_cells(permission)) for permission in permissions("Deny"))
    yield from _rows("| role | policy | statement | action |", denied)


def _cells(permission: Permission) -> tuple[str, str, str]:
    return permission.file, permission.statement, f"`{permission.action}`"


def _rows(head: str, rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    listed = [f"| {' | '.join(row)} |" for row in rows]
    if listed:
        yield "\n".join((head, "|---" * head.count(" | ") + "|---|", *listed, ""))
