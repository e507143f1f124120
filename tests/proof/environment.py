"""A local AWS with IAM enforced that records each decision, and whose policies can be changed."""

from __future__ import annotations

import datetime as dt
import json
import logging
import sys
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
from tests.policies.arns import REGION, role
from tests.proof.container import container
from tests.proof.permissions import Document, Permission, permissions, without
from tests.support.definitions import configure
from tests.support.images import images_file

OPERATOR = "operator"
_OPERATOR_ROLE = "pedigree-operator"
_SHORT_SECONDS = 0.02
_ONCE = Config(retries={"total_max_attempts": 1}, read_timeout=60)


@dataclass(frozen=True)
class RecordedDecision:
    """A decision of IAM: the role, the action, and the permission that allowed it, if any."""

    role: str
    action: str
    permission: Permission | None


class ImpatientClock:
    """A clock with short sleeps: what the account waits for happens on this machine, and soon."""

    def now(self) -> dt.datetime:
        """The present moment."""
        return dt.datetime.now(dt.timezone.utc)

    def monotonic(self) -> float:
        """Seconds since some moment."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Sleep for a short time only."""
        time.sleep(min(seconds, _SHORT_SECONDS))


class WarningCollector(logging.Handler):
    """Collects the daemon's warnings about work in the background."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        cause = record.exc_info[1] if record.exc_info else ""
        self.messages.append(f"{record.getMessage()} {cause}")


class ProofEnvironment:
    """A local AWS for one scenario."""

    def __init__(self, folder: Path, values: Mapping[str, Any]) -> None:
        self.settings = configure(values)
        self.documents = documents(self.settings)
        self.decisions: list[RecordedDecision] = []
        self.requests: list[tuple[Caller, Request]] = []
        self.warnings = WarningCollector()
        self.client_errors: list[str] = []
        self._log_offsets: dict[Path, int] = {}
        self.folder = folder
        self._permissions = {
            (permission.role, permission.statement, permission.action.lower()): permission
            for permission in permissions()
        }
        self._role_folders = {name: folder_name for folder_name, name in self._names().items()}
        self._container = container(folder / "container")
        self.local = LocalAws(self.options())
        self.root = self._clients(self.local.key.id, self.local.key.secret)
        self.state: dict[str, Any] = {}

    def __enter__(self) -> ProofEnvironment:
        logging.getLogger("pedigree.localaws").addHandler(self.warnings)
        self.local.start()
        trust = json.dumps(self.documents[OPERATOR].trust)
        self.root("iam").create_role(RoleName=_OPERATOR_ROLE, AssumeRolePolicyDocument=trust)
        taken = self.root("sts").assume_role(RoleArn=role(_OPERATOR_ROLE), RoleSessionName="ann")
        given = taken["Credentials"]
        keys = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        clients = self._clients(*keys, on_response=self._record_error)
        self.account = Account(ACCOUNT, REGION, clients, taken["AssumedRoleUser"]["Arn"], ImpatientClock())
        return self

    def __exit__(self, *_: object) -> None:
        self.local.stop()
        logging.getLogger("pedigree.localaws").removeHandler(self.warnings)

    def options(self) -> Options:
        """What its local AWS is started with."""
        # The container's python leads to the one that runs the tests.
        mounts = tuple(dict.fromkeys((Path(sys.prefix), Path(sys.base_prefix))))
        images = images_file(self.folder, self._container)
        return Options(self.folder / "aws", images=images, on_decision=self._record, mounts=mounts)

    def before_call(self, **_: object) -> None:
        """Called before each call of its clients."""

    @property
    def root_account(self) -> Account:
        """The account as the root user sees it."""
        return Account(ACCOUNT, REGION, self.root, "root", ImpatientClock())

    def limit_operator(self, files: Iterable[str]) -> None:
        """Give the operator only these of the operator's policies."""
        for name, part in self.documents[OPERATOR].parts.items():
            self._put(OPERATOR, name, part if name in files else {**part, "Statement": []})

    @contextmanager
    def without(self, permission: Permission) -> Iterator[None]:
        """Take an action out of its policy for a while."""
        documents = self.documents[permission.role]
        is_operator = permission.role == OPERATOR
        name, whole = (permission.file, documents.parts[permission.file]) if is_operator else (POLICY, documents.policy)
        self._put(permission.role, name, without(whole, permission))
        self.clear()
        try:
            yield
        finally:
            self._put(permission.role, name, whole)

    def clear(self) -> None:
        """Forget what was recorded so far."""
        self.decisions.clear()
        self.warnings.messages.clear()
        self.client_errors.clear()
        self._logged()

    def denials(self, of: str = "lambda") -> str:
        """Messages about denied actions since then, from logs whose path contains the word, and from their callers."""
        lines = (*self.warnings.messages, *self._logged(of, move=False))
        return "\n".join(line for line in lines if "not authorized to perform" in line)

    def has_logged(self, words: str) -> bool:
        """Whether a function has logged these words since then."""
        return any(words in line for line in self._logged("lambda", move=False))

    def _logged(self, of: str = "", *, move: bool = True) -> list[str]:
        """Lines that jobs and functions have logged since then."""
        lines: list[str] = []
        for path in (self.folder / "aws" / "logs").rglob("*.log"):
            if of not in str(path.relative_to(self.folder)):
                continue
            content = path.read_text(encoding="utf-8")
            lines += content[self._log_offsets.get(path, 0) :].splitlines()
            if move:
                self._log_offsets[path] = len(content)
        return lines

    def has_denied(self, permission: Permission) -> bool:
        """Whether that role was refused that action since then."""
        refused = (permission.role, permission.action.lower())
        return any(
            decision.permission is None and (decision.role, decision.action.lower()) == refused
            for decision in list(self.decisions)
        )

    def permissions_used(self, roles: Iterable[str]) -> tuple[Permission, ...]:
        """The permissions of these roles that have allowed something since then, in order of first use."""
        return tuple(
            dict.fromkeys(
                decision.permission
                for decision in list(self.decisions)
                if decision.permission and decision.role in roles
            )
        )

    def _record_error(self, parsed: Mapping[str, Any], **_: object) -> None:
        error = parsed.get("Error")
        if error:
            self.client_errors.append(f"{error.get('Code')}: {error.get('Message')}")

    def _put(self, party: str, name: str, document: Document) -> None:
        named = {"RoleName": self._names()[party], "PolicyName": name}
        if document["Statement"]:
            self.root("iam").put_role_policy(**named, PolicyDocument=json.dumps(document))
        elif name in self.root("iam").list_role_policies(RoleName=named["RoleName"])["PolicyNames"]:
            self.root("iam").delete_role_policy(**named)

    def _names(self) -> Mapping[str, str]:
        return {**self.settings.site.roles.model_dump(by_alias=True), OPERATOR: _OPERATOR_ROLE}

    def _record(self, caller: Caller, request: Request, decision: Decision) -> None:
        _, is_role, name = caller.arn.partition(":assumed-role/")
        party = self._role_folders.get(name.partition("/")[0], "")
        self.requests.append((caller, request))
        if is_role and party:
            statement = decision.statement.sid if decision.allowed and decision.statement else ""
            self.decisions.append(
                RecordedDecision(
                    party, request.action, self._permissions.get((party, statement, request.action.lower()))
                )
            )

    def _clients(
        self, key: str, secret: str, token: str | None = None, on_response: Callable[..., None] | None = None
    ) -> Callable[[str], Any]:
        session = boto3.Session(key, secret, token, region_name=REGION)
        session.events.register("before-call", self.before_call)
        if on_response:
            session.events.register("after-call", on_response)

        @cache
        def client(service: str) -> Any:
            return session.client(service, endpoint_url=self.local.url, config=_ONCE)

        return client
