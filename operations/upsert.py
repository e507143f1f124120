"""What an account must have for the pipeline to run, part by part, in the order in which it is made.

Each part comes after those that it names: functions after their roles and log groups, the mapping after its queue and
its function, the pipeline after everything that its definition points to. What takes minutes to come, and no other part
names, is last.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from operations.approval import approval
from operations.archive import Archive
from operations.bucket import Bucket
from operations.event_source import event_source
from operations.functions import functions, warmth
from operations.packages import LAMBDAS
from operations.pipeline_part import pipeline_part
from operations.plan import Part
from operations.queues import await_queues
from operations.registry import ModelGroup
from operations.role import Documents, LinkedRole, profile, roles
from operations.schedule import schedule_part
from pipeline.settings import Settings
from pipeline.source import SourceArchive


def parts(
    settings: Settings, archive: SourceArchive, documents: Mapping[str, Documents], folder: Path = LAMBDAS
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
        *warmth(settings),
    ]
