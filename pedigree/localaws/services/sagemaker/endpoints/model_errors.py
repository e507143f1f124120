"""What SageMaker says when a model refuses a request, fails, or does not answer in time."""

from __future__ import annotations

import json
import uuid
from http import HTTPStatus

from werkzeug import Response

from pedigree.localaws.services.sagemaker.endpoints.server_process import Reply


def model_error(name: str, region: str, account: str, reply: Reply) -> Response:
    """The error for a reply of a container of an endpoint."""
    status = reply.status
    is_client = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    kind = "client" if is_client else "server"
    answer = reply.content.decode(errors="replace")
    message = f'Received {kind} error ({status}) from {reply.container} with message "{answer}".'
    group = f"/aws/sagemaker/Endpoints/{name}"
    console = f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#logEventViewer:group={group}"
    body = {
        "ErrorCode": f"{kind.upper()}_ERROR_FROM_MODEL",
        "LogStreamArn": f"arn:aws:logs:{region}:{account}:log-group:{group}",
        "Message": f"{message} See {console} in account {account} for more information.",
        "OriginalMessage": answer,
        "OriginalStatusCode": status,
    }
    headers = {"x-amzn-errortype": "ModelError", "x-amzn-RequestId": str(uuid.uuid4())}
    return Response(json.dumps(body), HTTPStatus.FAILED_DEPENDENCY, headers, content_type="application/json")
