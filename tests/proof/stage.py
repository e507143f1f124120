"""Where the run is put on: a local AWS with IAM enforced, whose decisions are heard, and whose policies are changed."""

from __future__ import annotations

import datetime as dt
import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from pedigree.account.account import Account
from pedigree.iam import Decision, Request
from pedigree.localaws.daemon import ACCOUNT, LocalAws, Options
from pedigree.localaws.http.caller import Caller
from pipeline.account.role import POLICY
from pipeline.account.roles import documents
from tests.policies.places import REGION, role
from tests.proof.container import container
from tests.proof.rights import Document, Right, every, without
from tests.support.definitions import configure

OPERATOR = "operator"
_OPERATOR_ROLE = "pedigree-operator"
_SHORT_SECONDS = 0.02
_ONCE = Config(retries={"total_max_attempts": 1}, read_timeout=60)


@dataclass(frozen=True)
class Heard:
    """What the gate decided: for whose role, which action, and by which right, where one allowed it."""

    role: str
    action: str
    right: Right | None


class Hasty:
    """A clock of which little passes while one waits: what is waited for is on this machine."""

    def now(self) -> dt.datetime:
        """The present moment."""
        return dt.datetime.now(dt.timezone.utc)

    def monotonic(self) -> float:
        """Seconds since some moment."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait, but not as long."""
        time.sleep(min(seconds, _SHORT_SECONDS))


class Complaints(logging.Handler):
    """What the daemon says that goes wrong in the background, where nobody asks."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        cause = record.exc_info[1] if record.exc_info else ""
        self.said.append(f"{record.getMessage()} {cause}")


class Stage:
    """A local AWS for one journey."""

    def __init__(self, folder: Path, values: Mapping[str, Any]) -> None:
        self.settings = configure(values)
        self.documents = documents(self.settings)
        self.heard: list[Heard] = []
        self.asked: list[tuple[Caller, Request]] = []
        self.complaints = Complaints()
        self.answered: list[str] = []
        self._places: dict[Path, int] = {}
        self.folder = folder
        self._known = {(one.role, one.statement, one.action.lower()): one for one in every()}
        self._folders = {name: folder_name for folder_name, name in self._names().items()}
        self.local = LocalAws(
            Options(folder / "aws", container=container(folder / "container"), on_decision=self._hear)
        )
        self.root = _clients(self.local, "local", "local")
        self.kept: dict[str, Any] = {}

    def __enter__(self) -> Stage:
        logging.getLogger("pedigree.localaws").addHandler(self.complaints)
        self.local.start()
        trust = json.dumps(self.documents[OPERATOR].trust)
        self.root("iam").create_role(RoleName=_OPERATOR_ROLE, AssumeRolePolicyDocument=trust)
        taken = self.root("sts").assume_role(RoleArn=role(_OPERATOR_ROLE), RoleSessionName="ann")
        given = taken["Credentials"]
        keys = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        clients = _clients(self.local, *keys, self._answered)
        self.account = Account(ACCOUNT, REGION, clients, taken["AssumedRoleUser"]["Arn"], Hasty())
        return self

    def __exit__(self, *_: object) -> None:
        self.local.stop()
        logging.getLogger("pedigree.localaws").removeHandler(self.complaints)

    @property
    def root_account(self) -> Account:
        """The account as whoever may do everything sees it."""
        return Account(ACCOUNT, REGION, self.root, "root", Hasty())

    def person(self, files: Iterable[str]) -> None:
        """Let the operator have these of the operator's policies, and no others."""
        for name, part in self.documents[OPERATOR].parts.items():
            self._put(OPERATOR, name, part if name in files else {**part, "Statement": []})

    @contextmanager
    def lacking(self, right: Right) -> Iterator[None]:
        """Take an action away for a while."""
        documents = self.documents[right.role]
        is_operator = right.role == OPERATOR
        name, whole = (right.file, documents.parts[right.file]) if is_operator else (POLICY, documents.policy)
        self._put(right.role, name, without(whole, right))
        self.forget()
        try:
            yield
        finally:
            self._put(right.role, name, whole)

    def forget(self) -> None:
        """Begin to listen anew."""
        self.heard.clear()
        self.complaints.said.clear()
        self.answered.clear()
        self._logged()

    def trouble(self, of: str = "lambda") -> str:
        """What those whose logs are called so, and those who call them, have said since about what they may not do."""
        lines = (*self.complaints.said, *self._logged(of, move=False))
        return "\n".join(line for line in lines if "not authorized to perform" in line)

    def has_logged(self, words: str) -> bool:
        """Whether a job or a function has said something since."""
        return any(words in line for line in self._logged("lambda", move=False))

    def _logged(self, of: str = "", *, move: bool = True) -> list[str]:
        """What jobs and functions have logged since."""
        lines: list[str] = []
        for path in (self.folder / "aws" / "logs").rglob("*.log"):
            if of not in str(path.relative_to(self.folder)):
                continue
            content = path.read_text(encoding="utf-8")
            lines += content[self._places.get(path, 0) :].splitlines()
            if move:
                self._places[path] = len(content)
        return lines

    def denied(self, right: Right) -> bool:
        """Whether somebody with that role has been refused that action since."""
        wanted = (right.role, right.action.lower())
        return any(one.right is None and (one.role, one.action.lower()) == wanted for one in list(self.heard))

    def used(self, roles: Iterable[str]) -> tuple[Right, ...]:
        """By which rights of roles something was allowed since, the first first."""
        return tuple(dict.fromkeys(one.right for one in list(self.heard) if one.right and one.role in roles))

    def _answered(self, parsed: Mapping[str, Any], **_: object) -> None:
        error = parsed.get("Error")
        if error:
            self.answered.append(f"{error.get('Code')}: {error.get('Message')}")

    def _put(self, party: str, name: str, document: Document) -> None:
        named = {"RoleName": self._names()[party], "PolicyName": name}
        if document["Statement"]:
            self.root("iam").put_role_policy(**named, PolicyDocument=json.dumps(document))
        elif name in self.root("iam").list_role_policies(RoleName=named["RoleName"])["PolicyNames"]:
            self.root("iam").delete_role_policy(**named)

    def _names(self) -> Mapping[str, str]:
        return {**self.settings.site.roles.model_dump(by_alias=True), OPERATOR: _OPERATOR_ROLE}

    def _hear(self, caller: Caller, request: Request, decision: Decision) -> None:
        _, is_role, name = caller.arn.partition(":assumed-role/")
        party = self._folders.get(name.partition("/")[0], "")
        self.asked.append((caller, request))
        if is_role and party:
            statement = decision.statement.sid if decision.allowed and decision.statement else ""
            self.heard.append(Heard(party, request.action, self._known.get((party, statement, request.action.lower()))))


def _clients(
    local: LocalAws, key: str, secret: str, token: str | None = None, hear: Callable[..., None] | None = None
) -> Callable[[str], Any]:
    session = boto3.Session(key, secret, token, region_name=REGION)
    if hear:
        session.events.register("after-call", hear)

    @cache
    def client(service: str) -> Any:
        return session.client(service, endpoint_url=local.url, config=_ONCE)

    return client
