"""Requests with a client token are carried out once; a repeated one gets the first answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.executions.core import state
from pedigree.localaws.services.sagemaker.resources.handlers import Request


def answered_once(world: World, what: str, request: Request, act: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    """Act once for all requests with the same token; the others get the first answer."""
    token = request.get("ClientRequestToken")
    with world.store.transaction():
        earlier = world.store.find(state.REQUEST, f"{what}/{token}") if token else None
        answer = earlier or {"PipelineExecutionArn": act()["PipelineExecutionArn"]}
        if token and not earlier:
            world.store.put(state.REQUEST, f"{what}/{token}", answer)
    return answer
