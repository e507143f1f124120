"""The baseline of benchmarks/predict_lambda.py: the course project's function, which passes its event on.

The endpoint fetches the picture of a "url"; its response is returned as text. Nothing is checked, errors are not
handled, and the response contains the context, with the account's id in it.
"""

from __future__ import annotations

import json
from typing import Any

import boto3

ENDPOINT = "dogs"
runtime = boto3.Session().client("sagemaker-runtime")


def handler(event: object, context: object) -> dict[str, Any]:
    """Lambda's entry point."""
    answer = runtime.invoke_endpoint(
        EndpointName=ENDPOINT, ContentType="application/json", Accept="application/json", Body=json.dumps(event)
    )
    result = answer["Body"].read().decode("utf-8")
    return {
        "statusCode": 200,
        "headers": {"Content-Type": "text/plain", "Access-Control-Allow-Origin": "*"},
        "type-result": str(type(result)),
        "COntent-Type-In": str(context),
        "body": json.dumps(json.loads(result)),
    }
