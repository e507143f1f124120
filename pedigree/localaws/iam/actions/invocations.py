"""SageMaker's data plane: calls of endpoints."""

from __future__ import annotations

from pedigree.localaws.iam.actions.needs import Need, Table

_ASKING = (Need("endpoint/{EndpointName}", keys={"sagemaker:TargetModel": "TargetModel"}),)
_STREAMING = (Need("endpoint/{EndpointName}", action="sagemaker:InvokeEndpoint"),)

TABLE = Table(
    "sagemaker-runtime",
    "sagemaker",
    {
        "InvokeEndpoint": _ASKING,
        "InvokeEndpointAsync": (Need("endpoint/{EndpointName}"),),
        "InvokeEndpointWithResponseStream": _STREAMING,
    },
)
