"""EventBridge as one service: its own operations, family by family, in front of moto."""

from __future__ import annotations

from pedigree.localaws.http.service import Provider, Service
from pedigree.localaws.iam.callers import UseBackend
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.events.archive_operations import ArchiveOperations
from pedigree.localaws.services.events.bus_operations import BusOperations
from pedigree.localaws.services.events.operations import EventBridgeOperations
from pedigree.localaws.services.events.rule_operations import RuleOperations
from pedigree.localaws.services.events.rules import RuleDispatcher


def event_bridge(world: World, rules: RuleDispatcher, use_backend: UseBackend, moto: Service) -> Provider:
    """Return the service."""
    return Provider(
        EventBridgeOperations(world, rules),
        RuleOperations(use_backend, moto),
        BusOperations(use_backend, moto),
        ArchiveOperations(world, rules, use_backend, moto),
        fallback=moto,
    )
