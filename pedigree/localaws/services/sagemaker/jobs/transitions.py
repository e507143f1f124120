"""The members of a job's description that say how far it is, and how long it has run."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from typing import Any

from pedigree.localaws.kernel.store import Document

_OVER = ("Completed", "Failed", "Stopped", "MaxRuntimeExceeded")
_MESSAGES: Mapping[str, str] = {
    "Starting": "Preparing the instances for training",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Stopping": "Stopping the training job",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
}


def started(moment: str) -> Mapping[str, Any]:
    """The members of a job that has just been created."""
    return moved({}, "Starting", moment)


def moved(before: Document, secondary: str, moment: str) -> Mapping[str, Any]:
    """The members of a job with a new secondary status; a final status ends at once."""
    earlier = list(before.get("SecondaryStatusTransitions", []))
    if not earlier or earlier[-1]["Status"] != secondary:
        if earlier:
            earlier[-1] = {"EndTime": moment, **earlier[-1]}
        end = {"EndTime": moment} if secondary in _OVER else {}
        message = _MESSAGES.get(secondary, "")
        earlier.append({"Status": secondary, "StartTime": moment, **end, "StatusMessage": message})
    return {"SecondaryStatus": secondary, "SecondaryStatusTransitions": earlier}


def ended(before: Document, moment: str) -> Mapping[str, Any]:
    """The members of a job that has ended. All of its training time is billable, on spot instances or not."""
    end = {"TrainingEndTime": moment, "ProcessingEndTime": moment}
    if "TrainingStartTime" not in before:
        return end
    took = dt.datetime.fromisoformat(moment) - dt.datetime.fromisoformat(before["TrainingStartTime"])
    seconds = math.ceil(took.total_seconds())
    return {**end, "TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": seconds}
