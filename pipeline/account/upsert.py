"""The resources of the pipeline in an account, in the order in which they are created.

Each resource comes after those that it names: functions after their roles and log groups, the mapping after its queue
and its function, the pipeline after everything that its definition names. What takes minutes, and no other resource
needs, is last.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pedigree.account.plan import ManagedResource
from pipeline.account.approval import approval
from pipeline.account.archive import Archive
from pipeline.account.bucket import Bucket
from pipeline.account.data_set import SampleDataSet
from pipeline.account.event_source import event_source
from pipeline.account.functions import functions, provisioned_concurrency
from pipeline.account.managed_pipeline import managed_pipeline
from pipeline.account.queues import await_queues
from pipeline.account.registry import ModelGroup
from pipeline.account.role import Documents, LinkedRole, profile, roles
from pipeline.account.schedule import managed_schedule
from pipeline.settings.tree import Settings
from pipeline.source import SourceArchive


def resources(
    settings: Settings, archive: SourceArchive, documents: Mapping[str, Documents], folder: Path | None = None
) -> list[ManagedResource]:
    """All resources, for settings that name their account."""
    return [
        Bucket(settings),
        Archive(settings, archive),
        SampleDataSet(settings),
        *roles(settings, documents),
        profile(settings),
        LinkedRole(),
        *await_queues(settings),
        *functions(settings, folder),
        event_source(settings),
        approval(settings, archive),
        ModelGroup(settings),
        managed_pipeline(settings, archive),
        *([managed_schedule(settings)] if settings.schedule.enabled else []),
        *provisioned_concurrency(settings),
    ]
