"""What SageMaker says when a model refuses a request, fails, or does not answer in time."""

from __future__ import annotations

import json
import uuid
from http import HTTPStatus

from werkzeug import Response

from pedigree.localaws.services.sagemaker.endpoints.server_reply import Reply


def model_error(name: str, region: str, account: str, reply: Reply) -> Response:
    """The error for a reply of a container of an endpoint."""
    body = {
        "ErrorCode": f"{_side(reply).upper()}_ERROR_FROM_MODEL",
        "LogStreamArn": f"arn:aws:logs:{region}:{account}:log-group:{_group(name)}",
        "Message": error_words(name, region, account, reply),
        "OriginalMessage": _text(reply),
        "OriginalStatusCode": reply.status,
    }
    headers = {"x-amzn-errortype": "ModelError", "x-amzn-RequestId": str(uuid.uuid4())}
    return Response(json.dumps(body), HTTPStatus.FAILED_DEPENDENCY, headers, content_type="application/json")


def error_words(name: str, region: str, account: str, reply: Reply) -> str:
    """What SageMaker says about a reply that is an error."""
    message = f'Received {_side(reply)} error ({reply.status}) from {reply.container} with message "{_text(reply)}".'
    page = (
        f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#logEventViewer:group={_group(name)}"
    )
    return f"{message} See {page} in account {account} for more information."


def _side(reply: Reply) -> str:
    is_client = HTTPStatus.BAD_REQUEST <= reply.status < HTTPStatus.INTERNAL_SERVER_ERROR
    return "client" if is_client else "server"


def _text(reply: Reply) -> str:
    return reply.content.decode(errors="replace")


def _group(name: str) -> str:
    return f"/aws/sagemaker/Endpoints/{name}"
