"""AwaitEndpoint: wait, as long as it takes, until the endpoint serves the configuration that was asked for.

A function may last fifteen minutes and a canary update lasts longer, so the step leaves a message in a queue, and
whoever reads the queue answers once the endpoint is there, has failed, or has rolled back.
"""

from __future__ import annotations

from entrypoints import contract
from steps import dag
from steps.build import Build
from steps.functions import queue_name, result

NAME = "AwaitEndpoint"
RESULTS = (contract.OUTCOME, contract.ENDPOINT_NAME)


def await_endpoint(build: Build, *, deployed: dag.Step) -> dag.Step:
    """The step; it passes on what DeployEndpoint asked for."""
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
