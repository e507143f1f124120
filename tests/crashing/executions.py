"""Starts, answers and stops executions while the daemon is killed again and again, and checks how they ended."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tests.crashing import ledger, work
from tests.crashing.daemon import KillableDaemon
from tests.crashing.work import BUCKET, EXPECTED_ENDINGS, PIPELINE, SLEEPING_PIPELINE

_OVER = ("Succeeded", "Failed", "Stopped")
_LEAST = {"good": "0.5", "poor": "0.99"}


@dataclass
class TrackedExecution:
    """One execution: its kind, and the token with which its start is requested until the daemon answers."""

    wave: str
    kind: str
    token: str = field(default_factory=lambda: uuid.uuid4().hex)
    arn: str = ""
    status: str = ""
    is_stop_acknowledged: bool = False

    @property
    def is_over(self) -> bool:
        return self.status in _OVER

    @property
    def id(self) -> str:
        return self.arn.rpartition("/")[2]

    def advance(self, daemon: KillableDaemon) -> None:
        """Make the next request; the daemon may not answer."""
        sagemaker = daemon.client("sagemaker")
        if not self.arn:
            self.arn = self._started(sagemaker)
        description = sagemaker.describe_pipeline_execution(PipelineExecutionArn=self.arn)
        self.status = description["PipelineExecutionStatus"]
        if self.kind == "halted" and not self.is_stop_acknowledged and self._is_sleeping(sagemaker):
            self._stop(sagemaker)

    def _started(self, sagemaker: Any) -> str:
        values = {"Wave": self.wave, **({"Least": _LEAST[self.kind]} if self.kind in _LEAST else {})}
        return str(
            sagemaker.start_pipeline_execution(
                PipelineName=SLEEPING_PIPELINE if self.kind == "halted" else PIPELINE,
                ClientRequestToken=self.token,
                PipelineParameters=[{"Name": name, "Value": value} for name, value in values.items()],
            )["PipelineExecutionArn"]
        )

    def _is_sleeping(self, sagemaker: Any) -> bool:
        return steps(sagemaker, self.arn).get("Sleep", {}).get("StepStatus") == "Executing"

    def _stop(self, sagemaker: Any) -> None:
        try:
            sagemaker.stop_pipeline_execution(PipelineExecutionArn=self.arn, ClientRequestToken=self.token)
        except ClientError as error:  # an earlier request has stopped it, and its answer was lost
            if "already terminated" not in str(error):
                raise
        self.is_stop_acknowledged = True


class Approver:
    """Answers the messages of Callback steps; deletes each message after its answer is acknowledged."""

    def __init__(self, daemon: KillableDaemon) -> None:
        self._daemon = daemon
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="approver")
        self.tokens: dict[str, set[str]] = {}
        self.problems: list[str] = []

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._is_over.set()
        self._daemon.is_up.set()
        self._thread.join()

    def steps_with_several_tokens(self) -> Iterator[str]:
        """Executions whose single Callback step had more than one token."""
        yield from (
            f"{arn}: {len(tokens)} tokens for one step" for arn, tokens in self.tokens.items() if len(tokens) > 1
        )

    def _work(self) -> None:
        while not self._is_over.wait(0.05):
            self._daemon.is_up.wait()
            try:
                self._answer_all()
            except BotoCoreError:
                continue  # the daemon was killed: the messages come again
            except (ClientError, KeyError) as error:
                self.problems.append(f"the approver received {error!r}")

    def _answer_all(self) -> None:
        sqs, sagemaker = self._daemon.client("sqs"), self._daemon.client("sagemaker")
        url = sqs.get_queue_url(QueueName=work.QUEUE)["QueueUrl"]
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            request = json.loads(message["Body"])
            self.tokens.setdefault(request["pipelineExecutionArn"], set()).add(request["token"])
            outputs = [{"Name": "answer", "Value": "yes"}]
            try:
                sagemaker.send_pipeline_execution_step_success(CallbackToken=request["token"], OutputParameters=outputs)
            except ClientError as error:
                if "answered already" not in str(error):
                    raise
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def steps(sagemaker: Any, arn: str) -> Mapping[str, Mapping[str, Any]]:
    """The steps of an execution, by name."""
    pages = sagemaker.get_paginator("list_pipeline_execution_steps").paginate(PipelineExecutionArn=arn)
    return {step["StepName"]: step for page in pages for step in page["PipelineExecutionSteps"]}


def wrong_endings(daemon: KillableDaemon, execution: TrackedExecution) -> Iterator[str]:
    """How an execution ended differently from an undisturbed one."""
    sagemaker, expected = daemon.client("sagemaker"), EXPECTED_ENDINGS[execution.kind]
    description = sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution.arn)
    found = steps(sagemaker, execution.arn)
    ended = {name: step["StepStatus"] for name, step in found.items()}
    reason = next((step["FailureReason"] for step in found.values() if "FailureReason" in step), "")
    if (execution.status, ended) != (expected.status, expected.steps):
        yield f"{execution.kind} {execution.id}: {execution.status} ({description.get('FailureReason', '')}), {ended}"
    elif reason != expected.reason:
        yield f"{execution.kind} {execution.id} failed because {reason!r}, not {expected.reason!r}"
    if execution.status == "Succeeded" and expected.report:
        report = (
            daemon.client("s3").get_object(Bucket=BUCKET, Key=f"reports/{execution.id}/report")["Body"].read().decode()
        )
        if report != expected.report:
            yield f"{execution.kind} {execution.id} reports {report!r}, not {expected.report!r}"


def repeated_steps(daemon: KillableDaemon, executions: Sequence[TrackedExecution], path: Path) -> Iterator[str]:
    """Steps that ran again although they did not have to, by their own notes."""
    written = ledger.read(path)
    for entries in written.values():
        yield from ledger.begun_twice(entries, daemon.boundaries)
    for execution in executions:
        for name, step in steps(daemon.client("sagemaker"), execution.arn).items():
            if "CacheHitResult" in step or "EndTime" not in step:
                continue
            owner = execution.wave if name in work.CACHED else execution.id
            yield from ledger.begun_after_the_end(written.get(f"{owner}/{name}", ()), step["EndTime"].timestamp())


def jobs_left_running(daemon: KillableDaemon) -> Iterator[str]:
    """Jobs that still run although all executions have ended."""
    sagemaker = daemon.client("sagemaker")
    for noun in ("Processing", "Training"):
        pages = sagemaker.get_paginator(f"list_{noun.lower()}_jobs").paginate(StatusEquals="InProgress")
        yield from (
            f"{job[f'{noun}JobName']} runs, and no execution does"
            for page in pages
            for job in page[f"{noun}JobSummaries"]
        )
