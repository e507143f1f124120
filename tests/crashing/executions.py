"""Executions that go on while the daemon is killed: started, answered where they ask, stopped; and how they ended."""

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
from tests.crashing.daemon import Victim
from tests.crashing.work import BUCKET, ENDINGS, LONG, PIPELINE

_OVER = ("Succeeded", "Failed", "Stopped")
_LEAST = {"good": "0.5", "poor": "0.99"}


@dataclass
class Flow:
    """One execution: what it is to be, and the token under which it is asked for as often as nobody answers."""

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

    def go_on(self, victim: Victim) -> None:
        """Ask for what is next; nobody may answer."""
        sagemaker = victim.client("sagemaker")
        if not self.arn:
            self.arn = self._started(sagemaker)
        told = sagemaker.describe_pipeline_execution(PipelineExecutionArn=self.arn)
        self.status = told["PipelineExecutionStatus"]
        if self.kind == "halted" and not self.is_stop_acknowledged and self._is_sleeping(sagemaker):
            self._stop(sagemaker)

    def _started(self, sagemaker: Any) -> str:
        values = {"Wave": self.wave, **({"Least": _LEAST[self.kind]} if self.kind in _LEAST else {})}
        return str(
            sagemaker.start_pipeline_execution(
                PipelineName=LONG if self.kind == "halted" else PIPELINE,
                ClientRequestToken=self.token,
                PipelineParameters=[{"Name": name, "Value": value} for name, value in values.items()],
            )["PipelineExecutionArn"]
        )

    def _is_sleeping(self, sagemaker: Any) -> bool:
        return steps(sagemaker, self.arn).get("Sleep", {}).get("StepStatus") == "Executing"

    def _stop(self, sagemaker: Any) -> None:
        try:
            sagemaker.stop_pipeline_execution(PipelineExecutionArn=self.arn, ClientRequestToken=self.token)
        except ClientError as error:  # an answer that got lost had stopped it
            if "already terminated" not in str(error):
                raise
        self.is_stop_acknowledged = True


class Approver:
    """Reads the messages of Callback steps and answers each, once it knows that it has been heard."""

    def __init__(self, victim: Victim) -> None:
        self._victim = victim
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="approver")
        self.tokens: dict[str, set[str]] = {}
        self.problems: list[str] = []

    def begin(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._is_over.set()
        self._victim.is_up.set()
        self._thread.join()

    def several(self) -> Iterator[str]:
        """The executions whose one Callback step had more than one token."""
        yield from (f"{arn}: {len(ones)} tokens for one step" for arn, ones in self.tokens.items() if len(ones) > 1)

    def _work(self) -> None:
        while not self._is_over.wait(0.05):
            self._victim.is_up.wait()
            try:
                self._answer_all()
            except BotoCoreError:
                continue  # nobody was there: the messages come again
            except (ClientError, KeyError) as error:
                self.problems.append(f"the approver was told {error!r}")

    def _answer_all(self) -> None:
        sqs, sagemaker = self._victim.client("sqs"), self._victim.client("sagemaker")
        url = sqs.get_queue_url(QueueName=work.QUEUE)["QueueUrl"]
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            told = json.loads(message["Body"])
            self.tokens.setdefault(told["pipelineExecutionArn"], set()).add(told["token"])
            outputs = [{"Name": "answer", "Value": "yes"}]
            try:
                sagemaker.send_pipeline_execution_step_success(CallbackToken=told["token"], OutputParameters=outputs)
            except ClientError as error:
                if "answered already" not in str(error):
                    raise
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def steps(sagemaker: Any, arn: str) -> Mapping[str, Mapping[str, Any]]:
    """The steps of an execution, by name."""
    pages = sagemaker.get_paginator("list_pipeline_execution_steps").paginate(PipelineExecutionArn=arn)
    return {one["StepName"]: one for page in pages for one in page["PipelineExecutionSteps"]}


def otherwise(victim: Victim, flow: Flow) -> Iterator[str]:
    """In what an execution did not end as it would have if nobody had been killed."""
    sagemaker, expected = victim.client("sagemaker"), ENDINGS[flow.kind]
    told = sagemaker.describe_pipeline_execution(PipelineExecutionArn=flow.arn)
    ended = {name: one["StepStatus"] for name, one in steps(sagemaker, flow.arn).items()}
    if (flow.status, ended) != (expected.status, expected.steps):
        yield f"{flow.kind} {flow.id}: {flow.status} ({told.get('FailureReason', '')}), {ended}"
    elif told.get("FailureReason", "") != expected.reason:
        yield f"{flow.kind} {flow.id} failed because {told.get('FailureReason')!r}, not {expected.reason!r}"
    if flow.status == "Succeeded" and expected.report:
        found = victim.client("s3").get_object(Bucket=BUCKET, Key=f"reports/{flow.id}/report")["Body"].read().decode()
        if found != expected.report:
            yield f"{flow.kind} {flow.id} reports {found!r}, not {expected.report!r}"


def repeated(victim: Victim, flows: Sequence[Flow], path: Path) -> Iterator[str]:
    """The steps that ran again without need, by what they wrote down themselves."""
    written = ledger.read(path)
    for entries in written.values():
        yield from ledger.repeated(entries, victim.borders)
    for flow in flows:
        for name, step in steps(victim.client("sagemaker"), flow.arn).items():
            if "CacheHitResult" in step or "EndTime" not in step:
                continue
            owner = flow.wave if name in work.CACHED else flow.id
            yield from ledger.after_the_end(written.get(f"{owner}/{name}", ()), step["EndTime"].timestamp())


def leftover(victim: Victim) -> Iterator[str]:
    """Jobs that nobody will end: all executions are over."""
    sagemaker = victim.client("sagemaker")
    for noun in ("Processing", "Training"):
        pages = sagemaker.get_paginator(f"list_{noun.lower()}_jobs").paginate(StatusEquals="InProgress")
        yield from (
            f"{one[f'{noun}JobName']} runs, and no execution does"
            for page in pages
            for one in page[f"{noun}JobSummaries"]
        )
