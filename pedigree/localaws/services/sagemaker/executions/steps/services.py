"""What steps reach of AWS, each as the role of its execution: SageMaker's operations, queues and functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Protocol, TypeAlias

from botocore.exceptions import ClientError

from pedigree.iam import Request
from pedigree.localaws.http.caller import Caller
from pedigree.localaws.http.protocol.call import Call
from pedigree.localaws.http.protocol.errors import AccessDeniedError, InvalidRequestError, ServiceError
from pedigree.localaws.http.protocol.models import input_shape
from pedigree.localaws.iam import s3_requests
from pedigree.localaws.iam.authorizer import Authorizer
from pedigree.localaws.iam.sessions import Sessions
from pedigree.localaws.kernel.clients import SAGEMAKER, Clients, ServiceRole
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.executions.steps.runner import LONGEST_STEP_NAME, Attempt

Answer: TypeAlias = Callable[[str, Any, Caller], Mapping[str, Any]]
"""Answers an operation of SageMaker for a caller."""
Invoke: TypeAlias = Callable[[str, bytes], tuple[bytes, str]]
"""Invokes the function of an ARN; returns its payload, and the kind of error if it raised one."""
_PARALLEL_INVOCATIONS = 64
_THROTTLED_PAUSES = (0.5, 1.0)
_EXECUTION_TAG = "sagemaker:pipeline-execution-arn"


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

    def delete(self, attempt: Attempt, address: str) -> None:
        """Delete an object, by its address in S3."""
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
    invoke_function: Invoke
    pool: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(_PARALLEL_INVOCATIONS, thread_name_prefix="lambda-step")
    )

    def call(self, attempt: Attempt, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        tagged = _tagged(attempt, operation, request)
        caller = self._authorize(attempt, "sagemaker", operation, tagged)
        if operation == "CreateModelPackage":
            self._check_artifacts(attempt, request)
        # A version in a group has the group's tags, and its request none; the permission to add tags is needed anyway.
        is_version = operation == "CreateModelPackage" and "ModelPackageGroupName" in request
        return self.answer(operation, dict(request if is_version else tagged), caller)

    def delete(self, attempt: Attempt, address: str) -> None:
        bucket, _, key = address.removeprefix("s3://").partition("/")
        _reraised(lambda: self._client(attempt, "s3").delete_object(Bucket=bucket, Key=key))

    def send(self, attempt: Attempt, queue: str, body: str) -> None:
        _reraised(lambda: self._client(attempt, "sqs").send_message(QueueUrl=queue, MessageBody=body))

    def invoke(self, attempt: Attempt, arn: str, payload: str) -> Future[FunctionAnswer]:
        return self.pool.submit(self._invoked, attempt, arn, payload)

    def _invoked(self, attempt: Attempt, arn: str, payload: str) -> FunctionAnswer:
        """Invoke a function; a throttled call is repeated, as a client of an SDK repeats it."""
        self._authorize(attempt, "lambda", "Invoke", {"FunctionName": arn})
        for pause in _THROTTLED_PAUSES:
            try:
                return _answered(*self.invoke_function(arn, payload.encode()))
            except ServiceError as error:
                if error.status != HTTPStatus.TOO_MANY_REQUESTS:
                    raise
                self.world.clock.sleep(pause)
        return _answered(*self.invoke_function(arn, payload.encode()))

    def _authorize(self, attempt: Attempt, service: str, operation: str, members: Mapping[str, Any]) -> Caller:
        """Let IAM decide a call by the execution's role; who that is."""
        role, source = attempt.execution["RoleArn"], attempt.execution["PipelineExecutionArn"]
        caller = self.sessions.caller(role, SAGEMAKER, source, _session(attempt))
        self.authorizer.check_call(caller, Call(service, operation, members, self.world.region))
        return caller

    def _check_artifacts(self, attempt: Attempt, request: Mapping[str, Any]) -> None:
        """Refuse to register what the execution's role may not read."""
        role, source = attempt.execution["RoleArn"], attempt.execution["PipelineExecutionArn"]
        caller = self.sessions.caller(role, SAGEMAKER, source, _session(attempt))
        for container in (request.get("InferenceSpecification") or {}).get("Containers") or ():
            bucket, _, key = str(container.get("ModelDataUrl") or "").removeprefix("s3://").partition("/")
            try:
                read = Request("s3:GetObject", s3_requests.arn(bucket, key))
                self.authorizer.check(caller, (read,) if bucket else (), self.world.region)
            except AccessDeniedError:
                raise InvalidRequestError(f"Access denied for bucket: {bucket}, object key: {key}") from None

    def _client(self, attempt: Attempt, service: str) -> Any:
        role, source = attempt.execution["RoleArn"], attempt.execution["PipelineExecutionArn"]
        return self.clients(service, ServiceRole(role, SAGEMAKER, source, _session(attempt)))


def _session(attempt: Attempt) -> str:
    """The name of the session in which a step acts as the pipeline's role."""
    return f"sagemaker-pipeline-{attempt.execution_id}-{attempt.step.name[:LONGEST_STEP_NAME]}"


def _tagged(attempt: Attempt, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """The request with the tag that the service puts on all that a step creates."""
    shape = input_shape("sagemaker", operation)
    if not operation.startswith("Create") or shape is None or "Tags" not in shape.members:
        return request
    own = {"Key": _EXECUTION_TAG, "Value": attempt.execution["PipelineExecutionArn"]}
    return {**request, "Tags": [*(request.get("Tags") or ()), own]}


def _answered(payload: bytes, error: str) -> FunctionAnswer:
    return FunctionAnswer(payload.decode(), error)


def _reraised(call: Callable[[], Any]) -> Any:
    """Make a call, and raise its error in the service's own words."""
    try:
        return call()
    except ClientError as error:
        details, status = error.response["Error"], error.response["ResponseMetadata"].get("HTTPStatusCode", 400)
        raise ServiceError(details["Code"], details.get("Message", str(error)), status) from error
