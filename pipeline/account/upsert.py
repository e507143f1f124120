"""The parts that the pipeline needs in an account, in the order in which they are made.

Each part comes after those that it names: functions after their roles and log groups, the mapping after its queue and
its function, the pipeline after everything that its definition points to. What takes minutes to come, and no other part
names, is last.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pedigree.account.plan import Part
from pipeline.account.approval import approval
from pipeline.account.archive import Archive
from pipeline.account.bucket import Bucket
from pipeline.account.event_source import event_source
from pipeline.account.functions import functions, provisioned_concurrency
from pipeline.account.managed_pipeline import pipeline_part
from pipeline.account.queues import await_queues
from pipeline.account.registry import ModelGroup
from pipeline.account.role import Documents, LinkedRole, profile, roles
from pipeline.account.schedule import schedule_part
from pipeline.settings.tree import Settings
from pipeline.source import SourceArchive


def parts(
    settings: Settings, archive: SourceArchive, documents: Mapping[str, Documents], folder: Path | None = None
) -> list[Part]:
    """All parts, for settings that name their account."""
    return [
        Bucket(settings),
        Archive(settings, archive),
        *roles(settings, documents),
        profile(settings),
        LinkedRole(),
        *await_queues(settings),
        *functions(settings, folder),
        event_source(settings),
        approval(settings, archive),
        ModelGroup(settings),
        pipeline_part(settings, archive),
        *([schedule_part(settings)] if settings.schedule.enabled else []),
        *provisioned_concurrency(settings),
    ]
