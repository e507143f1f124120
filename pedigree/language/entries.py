"""The entries that a step's request names: outputs, inputs, channels, tuned hyperparameters.

The description of a step has them in lists and maps, so botocore's shapes accept any name. A reference may use only the
names in the request.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pedigree.language.definition import Step
from pedigree.language.errors import Missing, UnresolvedError
from pedigree.language.expressions import Item, Member, Segment
from pedigree.language.near import did_you_mean
from pedigree.language.pointers import at

LISTS: Mapping[tuple[str, ...], str] = {
    ("ProcessingOutputConfig", "Outputs"): "OutputName",
    ("ProcessingInputs",): "InputName",
    ("InputDataConfig",): "ChannelName",
}
_TUNED = "TunedHyperParameters"
_RANGES = (
    ("HyperParameterTuningJobConfig", "ParameterRanges"),
    ("TrainingJobDefinition", "HyperParameterRanges"),
)
_SUMMARIES = "TrainingJobSummaries"
_MOST_SUMMARIES = 50


def check_items(step: Step, path: Sequence[Segment]) -> None:
    """Raise UnresolvedError if a path goes through an entry that the step's request does not name."""
    for index, segment in enumerate(path):
        if not isinstance(segment, Item):
            continue
        before = tuple(member.name for member in path[:index] if isinstance(member, Member))
        if before in LISTS and isinstance(segment.key, str):
            names = names_in(step, before, LISTS[before])
            _check(segment.key, names, f"{step.name} has no {LISTS[before]}", "entry")
        elif before and before[-1] == _TUNED:
            _check(str(segment.key), list(_tuned(step)), f"{step.name} tunes no hyperparameter", "tuned")
        elif before == (_SUMMARIES,) and segment.key not in range(_MOST_SUMMARIES):
            raise UnresolvedError(
                f"{_SUMMARIES} go from [0], the best, to [{_MOST_SUMMARIES - 1}], and not to [{segment.key!r}]",
                missing="entry",
            )


def names_in(step: Step, path: Sequence[str], key: str) -> list[str]:
    """The names of the entries in a list of a step's request."""
    return _names(at(step.arguments, *path), key)


def _names(entries: Any, key: str) -> list[str]:
    names = [entry.get(key) for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    return [name for name in names if isinstance(name, str)]


def _tuned(step: Step) -> Iterator[str]:
    several = step.arguments.get("TrainingJobDefinitions")
    groups = [at(step.arguments, *path) for path in _RANGES]
    groups += [at(job, "HyperParameterRanges") for job in several] if isinstance(several, list) else []
    for group in groups:
        for ranges in group.values() if isinstance(group, dict) else ():
            yield from _names(ranges, "Name")


def _check(name: str, names: Sequence[str], cause: str, missing: Missing) -> None:
    if name not in names:
        raise UnresolvedError(f"{cause} {name}", did_you_mean(name, names), missing=missing)
