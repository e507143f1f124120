"""DescribeScalingActivities, which moto lacks: what the scaler did, newest first."""

from __future__ import annotations

import json
from collections.abc import Iterable

from botocore.loaders import Loader
from botocore.model import ServiceModel
from werkzeug import Request, Response

from localaws.protocol.answers import shaped
from localaws.scaling.scaler import ACTIVITY
from localaws.web.router import Application, Environ, StartResponse
from localaws.world import World

OPERATION = "DescribeScalingActivities"


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
        asked = json.loads(request.get_data() or b"{}")
        wanted = {member: asked[member] for member in ("ResourceId", "ScalableDimension") if member in asked}
        kept = [entry.body for entry in reversed(self._world.store.entries(ACTIVITY))]
        fitting = [one for one in kept if all(one[member] == value for member, value in wanted.items())]
        model = ServiceModel(Loader().load_service_model("application-autoscaling", "service-2"))
        shape = model.operation_model(OPERATION).output_shape
        body = shaped(shape, {"ScalingActivities": fitting[: asked.get("MaxResults", 50)]})
        return Response(json.dumps(body), content_type="application/x-amz-json-1.1")
