"""Finding resources by their tags: SageMaker's beside those that moto keeps, all of them on the first page."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

from werkzeug import Request, Response

from pedigree.localaws.http.chain import Application, Environ, StartResponse
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.resources import tags

_OPERATION = ".GetResources"
_LISTED = "ResourceTagMappingList"


class Labelled:
    """Adds to one operation's answer, and leaves all others as they are."""

    def __init__(self, world: World, others: Application) -> None:
        self._world = world
        self._others = others

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """The answer."""
        if not environ.get("HTTP_X_AMZ_TARGET", "").endswith(_OPERATION):
            return self._others(environ, start_response)
        body = Request(environ).get_data()
        environ["wsgi.input"] = io.BytesIO(body)
        answer = Response.from_app(self._others, environ)
        if answer.status_code == HTTPStatus.OK:
            answer.set_data(json.dumps(self._more(json.loads(body or b"{}"), json.loads(answer.get_data()))))
        return answer(environ, start_response)

    def _more(self, asked: Mapping[str, Any], told: Mapping[str, Any]) -> Mapping[str, Any]:
        if asked.get("PaginationToken"):
            return told
        return {**told, _LISTED: [*self._fitting(asked), *told.get(_LISTED, ())]}

    def _fitting(self, asked: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        for entry in self._world.store.entries(tags.KIND):
            if entry.body and _fits(entry.name, entry.body, asked):
                yield {"ResourceARN": entry.name, "Tags": tags.listed(entry.body)}


def _fits(arn: str, labels: Mapping[str, str], asked: Mapping[str, Any]) -> bool:
    """Whether each filter lets it through: by tags, by type, by name."""
    _, _, service, _, _, resource = arn.split(":", 5)
    types, names = asked.get("ResourceTypeFilters"), asked.get("ResourceARNList")
    by_tags = all(
        one["Key"] in labels and labels[one["Key"]] in (one.get("Values") or [labels[one["Key"]]])
        for one in asked.get("TagFilters") or ()
    )
    is_of_type = not types or service in types or f"{service}:{resource.partition('/')[0]}" in types
    return by_tags and is_of_type and (not names or arn in names)
