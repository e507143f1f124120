"""DescribeScalingActivities, which moto lacks: what the scaler did, newest first."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel
from werkzeug import Request, Response

from pedigree.localaws.http.protocol.serializer import error_body, shaped
from pedigree.localaws.http.protocol.errors import ServiceError, UnreadableRequestError
from pedigree.localaws.http.protocol.validator import checked
from pedigree.localaws.http.chain import Application, Environ, StartResponse
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.autoscaling.scaler import ACTIVITY

OPERATION = "DescribeScalingActivities"
_FILTERS = ("ServiceNamespace", "ResourceId", "ScalableDimension")
_PAGE = 50
_POSITION = r"[0-9]{1,9}"


class Activities:
    """Answers one operation, and leaves all others to whoever keeps the records."""

    def __init__(self, world: World, others: Application) -> None:
        self._world = world
        self._others = others

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """The answer."""
        if not environ.get("HTTP_X_AMZ_TARGET", "").endswith(f".{OPERATION}"):
            return self._others(environ, start_response)
        return self._told(Request(environ))(environ, start_response)

    def _told(self, request: Request) -> Response:
        try:
            body, status = self._page(request), 200
        except ServiceError as error:
            body, status = error_body(error.code, error.message), error.status
        return Response(json.dumps(body), status, content_type="application/x-amz-json-1.1")

    def _page(self, request: Request) -> Any:
        operation = _model().operation_model(OPERATION)
        asked = checked(operation.input_shape, _document(request))
        wanted = {member: asked[member] for member in _FILTERS if member in asked}
        kept = [entry.body for entry in reversed(self._world.store.entries(ACTIVITY))]
        fitting = [one for one in kept if all(one[member] == value for member, value in wanted.items())]
        position = str(asked.get("NextToken", "0"))
        if not re.fullmatch(_POSITION, position):
            raise ServiceError("InvalidNextTokenException", "The next token is invalid.")
        end = int(position) + asked.get("MaxResults", _PAGE)
        more = {"NextToken": str(end)} if end < len(fitting) else {}
        return shaped(operation.output_shape, {"ScalingActivities": fitting[int(position) : end], **more})


def _document(request: Request) -> Any:
    try:
        return json.loads(request.get_data() or b"{}")
    except (ValueError, RecursionError):
        raise UnreadableRequestError("The request is no JSON") from None


@cache
def _model() -> ServiceModel:
    return ServiceModel(Loader().load_service_model("application-autoscaling", "service-2"))
