"""AwaitEndpoint: waits until the endpoint serves the new configuration.

A function can run for fifteen minutes, and a canary update takes longer. So the step puts a message into a queue, and
the function that reads the queue answers when the endpoint is in service, has failed, or has rolled back.
"""

from __future__ import annotations

from entrypoints import contract
from steps import dag
from steps.build import Build
from steps.functions import queue_name, result

NAME = "AwaitEndpoint"
RESULTS = (contract.OUTCOME, contract.ENDPOINT_NAME)


def await_endpoint(build: Build, *, deployed: dag.Step) -> dag.Step:
    """The step; it passes on the results of DeployEndpoint."""
    return dag.CallbackStep(
        NAME,
        sqs_queue_url=build.site.queue_url(queue_name(build.pipeline)),
        description="Waits until the endpoint serves the new configuration, or says why it does not.",
        inputs={
            name: result(deployed, name)
            for name in (contract.OUTCOME, contract.ENDPOINT_NAME, contract.ENDPOINT_CONFIG_NAME)
        },
        outputs=[dag.CallbackOutput(name, dag.CallbackOutputTypeEnum.String) for name in RESULTS],
    )
