"""Delivers the events of services to their subscribers, in this process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Event: TypeAlias = Mapping[str, Any]
Subscriber: TypeAlias = Callable[[Event], None]


class EventBus:
    """Passes each event to every subscriber, in the order in which events are published."""

    def __init__(self) -> None:
        self._subscribers: list[Subscriber] = []

    def subscribe(self, subscriber: Subscriber) -> None:
        """Call a function with every later event."""
        self._subscribers.append(subscriber)

    def publish(self, event: Event) -> None:
        """Call every subscriber before returning, so that a subscriber can join the publisher's transaction."""
        for subscriber in tuple(self._subscribers):
            subscriber(event)
