"""What steps reach of AWS, each as the role of its execution: SageMaker's operations, queues and functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from botocore.exceptions import ClientError

from pedigree.localaws.http.protocol.call import Call
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.iam.authorizer import Authorizer
from pedigree.localaws.iam.sessions import SESSION, Sessions
from pedigree.localaws.kernel.clients import SAGEMAKER, Clients, RoleAssumption
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.executions.steps.runner import Attempt

Answer: TypeAlias = Callable[[str, Any], Mapping[str, Any]]
"""Answers an operation of SageMaker."""
_PARALLEL_INVOCATIONS = 64


@dataclass(frozen=True)
class FunctionAnswer:
    """What a function returned: its payload, and the kind of error if it raised one."""

    payload: str
    error: str = ""


class StepServices(Protocol):
    """The services that steps use; ServiceError says why a call is refused."""

    def call(self, attempt: Attempt, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Call an operation of SageMaker."""
        ...

    def send(self, attempt: Attempt, queue: str, body: str) -> None:
        """Send a message to the queue of a URL."""
        ...

    def invoke(self, attempt: Attempt, arn: str, payload: str) -> Future[FunctionAnswer]:
        """Begin to invoke a function."""
        ...


@dataclass(frozen=True)
class RoleServices:
    """The services of this local AWS, called as the role of the execution; IAM decides each call."""

    world: World
    authorizer: Authorizer
    sessions: Sessions
    clients: Clients
    answer: Answer
    pool: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(_PARALLEL_INVOCATIONS, thread_name_prefix="lambda-step")
    )

    def call(self, attempt: Attempt, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        execution = attempt.execution
        caller = self.sessions.caller(execution["RoleArn"], SAGEMAKER, execution["PipelineExecutionArn"])
        self.authorizer.check_call(caller, Call("sagemaker", operation, request, self.world.region))
        return self.answer(operation, dict(request))

    def send(self, attempt: Attempt, queue: str, body: str) -> None:
        _reraised(lambda: self._client(attempt, "sqs").send_message(QueueUrl=queue, MessageBody=body))

    def invoke(self, attempt: Attempt, arn: str, payload: str) -> Future[FunctionAnswer]:
        return self.pool.submit(self._invoked, attempt, arn, payload)

    def _invoked(self, attempt: Attempt, arn: str, payload: str) -> FunctionAnswer:
        answer = _reraised(lambda: self._client(attempt, "lambda").invoke(FunctionName=arn, Payload=payload))
        return FunctionAnswer(answer["Payload"].read().decode(), answer.get("FunctionError", ""))

    def _client(self, attempt: Attempt, service: str) -> Any:
        role, source = attempt.execution["RoleArn"], attempt.execution["PipelineExecutionArn"]
        return self.clients(service, RoleAssumption(role, SAGEMAKER, source, SESSION))


def _reraised(call: Callable[[], Any]) -> Any:
    """Make a call, and raise its error in the service's own words."""
    try:
        return call()
    except ClientError as error:
        details, status = error.response["Error"], error.response["ResponseMetadata"].get("HTTPStatusCode", 400)
        raise ServiceError(details["Code"], details.get("Message", str(error)), status) from error
