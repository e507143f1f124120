"""The tag that says which pipeline a resource belongs to, and the tags of the settings.

Upsert sets these tags on all that it makes, and destroy finds by them what it may remove. A thing that carries
another pipeline's name is left alone: roles and buckets have names that pipelines could share. Tags that others have
added stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pedigree.account.errors import NameTakenError
from pipeline.settings.tree import Settings
from steps.site import OWNER

Tags = Mapping[str, str]


def wanted(settings: Settings) -> dict[str, str]:
    """The tags of everything that is made for this pipeline."""
    return settings.site.tags_of(settings.pipeline.name)


def is_of(existing: Tags, ours: Tags) -> bool:
    """Whether a resource with these tags is this pipeline's."""
    return existing.get(OWNER) == ours[OWNER]


def check_made(kind: str, name: str, existing: Tags, ours: Tags, setting: str) -> None:
    """Raises NameTakenError for a resource of a common name without a pipeline's tag."""
    if OWNER not in existing:
        raise NameTakenError(
            f"{kind} {name} exists already and was not made for this pipeline",
            f"choose another {setting} in settings, or tag it {OWNER} = {ours[OWNER]} to take it over",
        )


def lacking(kind: str, name: str, existing: Tags, ours: Tags) -> dict[str, str]:
    """The tags that our resource still lacks; raises NameTakenError if it is another pipeline's."""
    if OWNER in existing and not is_of(existing, ours):
        raise NameTakenError(
            f"{kind} {name} belongs to {existing[OWNER]} and not to {ours[OWNER]}",
            "give one of the two another name in settings",
        )
    return {key: value for key, value in ours.items() if existing.get(key) != value}


def differences(existing: Tags, lacking: Tags) -> tuple[str, ...]:
    """The differences in tags, a line each."""
    return tuple(
        f"tag {key} is {existing[key]}, not {value}" if key in existing else f"tag {key} is missing"
        for key, value in lacking.items()
    )


def pairs(tags: Tags) -> list[dict[str, str]]:
    """Tags as most services want them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def mapping(pairs: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Tags as most services answer them, by key."""
    return {pair["Key"]: pair["Value"] for pair in pairs}
