"""SageMaker's data plane: calls of endpoints."""

from __future__ import annotations

from pedigree.localaws.iam.actions.needs import ActionTable, Need

_ASKING = (Need("endpoint/{EndpointName}", keys={"sagemaker:TargetModel": "TargetModel"}),)
_STREAMING = (Need("endpoint/{EndpointName}", action="sagemaker:InvokeEndpoint"),)

TABLE = ActionTable(
    "sagemaker-runtime",
    "sagemaker",
    {
        "InvokeEndpoint": _ASKING,
        "InvokeEndpointAsync": (Need("endpoint/{EndpointName}"),),
        "InvokeEndpointWithResponseStream": _STREAMING,
    },
)
