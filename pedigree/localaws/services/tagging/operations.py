"""Resource Groups Tagging: adds SageMaker's resources, which moto does not have, to GetResources."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from werkzeug import Response

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.service import Service
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.resources import tags

_LISTED = "ResourceTagMappingList"


@dataclass(frozen=True)
class TaggingOperations:
    """Adds SageMaker's resources to moto's answers."""

    _world: World
    _moto: Service

    def get_resources(self, exchange: Exchange) -> Response:
        """Find resources by their tags: SageMaker's before moto's, all of them on the first page."""
        answer = self._moto(exchange)
        if answer.status_code == HTTPStatus.OK and not exchange.members.get("PaginationToken"):
            body = json.loads(answer.get_data())
            resources = [*self._matching(exchange.members), *body.get(_LISTED, ())]
            answer.set_data(json.dumps({**body, _LISTED: resources}))
        return answer

    def _matching(self, filters: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        for entry in self._world.store.entries(tags.KIND):
            if entry.body and _matches(entry.name, entry.body, filters):
                yield {"ResourceARN": entry.name, "Tags": tags.listed(entry.body)}


def _matches(arn: str, labels: Mapping[str, str], filters: Mapping[str, Any]) -> bool:
    """Return whether a resource passes all filters: by tags, by type and by name."""
    _, _, service, _, _, resource = arn.split(":", 5)
    types, names = filters.get("ResourceTypeFilters"), filters.get("ResourceARNList")
    has_tags = all(
        tag["Key"] in labels and labels[tag["Key"]] in (tag.get("Values") or [labels[tag["Key"]]])
        for tag in filters.get("TagFilters") or ()
    )
    is_of_type = not types or service in types or f"{service}:{resource.partition('/')[0]}" in types
    return has_tags and is_of_type and (not names or arn in names)
