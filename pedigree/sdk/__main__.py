"""The process that a script runs in: `python -m pedigree.sdk CALL RESULT`, started by loading.py."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session

from pedigree.sdk import choosing, offline, running
from pedigree.sdk.account import ACCOUNT, OfflineAccount, identity_answer
from pedigree.sdk.errors import ScriptError
from pedigree.sdk.failures import explained
from pedigree.sdk.local_forwarding import LocalForwarding
from pedigree.sdk.pipelines import PipelineCalls
from pedigree.sdk.recording import PipelineRecorder
from pedigree.sdk.script_pipeline import ScriptPipeline
from pedigree.sdk.wire_request import WireRequest


def main(call: dict[str, Any], result: Path) -> None:
    """Loads the pipeline of a call, and writes it, or why there is none, into the result's file."""
    output = io.StringIO()
    try:
        with redirect_stdout(output), redirect_stderr(output):
            pipeline = load(Path(call["path"]), call["choice"], call["arguments"], call["local_url"], output)
        document = asdict(pipeline)
    except ScriptError as error:
        document = {"cause": error.cause, "remedy": error.remedy}
    result.write_text(json.dumps(document), encoding="utf-8")


def load(path: Path, choice: str, arguments: list[str], local_url: str, output: io.StringIO) -> ScriptPipeline:
    """Runs a script and chooses its pipeline; ScriptError says why there is none."""
    offline_variables = offline.environment(os.environ)
    region = offline_variables["AWS_REGION"]
    account = _forwarding(local_url) if local_url else OfflineAccount(region)
    calls = PipelineCalls(lambda name: f"arn:aws:sagemaker:{region}:{ACCOUNT}:{name}", account.read_object)

    def answer(sent: AWSPreparedRequest) -> AWSResponse:
        request = WireRequest(sent)
        return identity_answer(request) or calls.answer(request) or account.answer(request)

    offline.install(answer, os.environ, local_url)
    recorder = PipelineRecorder(calls.start)
    try:
        recorder.install()
        module = running.run(path, arguments, is_main=not choosing.names_a_function(path, choice))
        chooser = choosing.PipelineChooser(path, module, calls, recorder, region)
        return chooser.choose(choice)
    except (Exception, SystemExit) as error:
        raise error if isinstance(error, ScriptError) else explained(error, path, output.getvalue()) from error


def _forwarding(local_url: str) -> LocalForwarding:
    """The local AWS as an account, with the keys that this process has of it."""
    send, session = URLLib3Session.send, URLLib3Session()
    credentials = Credentials(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
    return LocalForwarding(local_url, lambda request: send(session, request), credentials)


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    main(json.loads(sys.argv[1]), Path(sys.argv[2]))
    sys.stdout.flush()
    os._exit(0)  # threads that the script has left would keep the process alive
