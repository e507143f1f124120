"""What the local AWS does in somebody's name: an execution's steps as its role, a job's objects as the job's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from botocore.exceptions import ClientError

from pedigree.iam import Request
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.iam.callers import Caller
from pedigree.localaws.iam.calls import Call
from pedigree.localaws.iam.authorizer import Gate
from pedigree.localaws.iam.sessions import SESSION, Sessions
from pedigree.localaws.kernel.clients import SAGEMAKER, Clients, RoleAssumption
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.s3.catalog import ObjectCatalog
from pedigree.localaws.services.sagemaker.control.places import RoleCatalog
from pedigree.localaws.services.sagemaker.executions.steps.functions import Invoked
from pedigree.localaws.services.sagemaker.executions.steps.runner import Run

Answer: TypeAlias = Callable[[str, Any], Mapping[str, Any]]


@dataclass(frozen=True)
class Acting:
    """SageMaker, as it acts for those whose roles it has taken."""

    world: World
    gate: Gate
    sessions: Sessions
    clients: Clients

    def environment(self, role: str, source: str) -> Mapping[str, str]:
        """What a process of a job or a model gets, to act as its role; nothing without one."""
        return self.sessions.credentials(role, SAGEMAKER, source) if role else {}

    def objects(self, catalog: ObjectCatalog, role: str, source: str) -> ObjectCatalog:
        """The objects as far as a role may read and write them."""
        if not role or not self.gate.is_enforced:
            return catalog
        caller = self.sessions.caller(role, SAGEMAKER, source)

        def check(request: Request) -> None:
            self.gate.check(caller, (request,), self.world.region)

        return RoleCatalog(self.world.store, catalog.blobs, self.world.clock, check)

    def call(self, run: Run, operation: str, request: Mapping[str, Any], answer: Answer) -> Mapping[str, Any]:
        """An operation of SageMaker, for a step."""
        self.gate.check_call(self._caller(run), Call("sagemaker", operation, request, self.world.region))
        return answer(operation, dict(request))

    def send(self, run: Run, queue: str, body: str) -> None:
        """A message in a queue, for a step."""
        _told(lambda: self._client(run, "sqs").send_message(QueueUrl=queue, MessageBody=body))

    def invoke(self, run: Run, arn: str, payload: str) -> Invoked:
        """A function's answer, for a step."""
        told = _told(lambda: self._client(run, "lambda").invoke(FunctionName=arn, Payload=payload))
        return Invoked(told["Payload"].read().decode(), told.get("FunctionError", ""))

    def _caller(self, run: Run) -> Caller:
        return self.sessions.caller(run.execution["RoleArn"], SAGEMAKER, run.execution["PipelineExecutionArn"])

    def _client(self, run: Run, service: str) -> Any:
        role, source = run.execution["RoleArn"], run.execution["PipelineExecutionArn"]
        return self.clients(service, RoleAssumption(role, SAGEMAKER, source, SESSION))


def _told(ask: Callable[[], Any]) -> Any:
    """What a client is answered; its errors in the service's own words."""
    try:
        return ask()
    except ClientError as error:
        told, status = error.response["Error"], error.response["ResponseMetadata"].get("HTTPStatusCode", 400)
        raise ServiceError(told["Code"], told.get("Message", str(error)), status) from error
