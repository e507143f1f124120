"""The operations of experiments: they are stored, and nothing runs for them."""

from __future__ import annotations

from pedigree.localaws.services.sagemaker.resources.listing import Listing
from pedigree.localaws.services.sagemaker.resources.resource import Resource

EXPERIMENT = Resource(
    "experiment", "experiment", "ExperimentName", "ExperimentArn", Listing("ExperimentSummaries", "ExperimentName")
)

create_experiment = EXPERIMENT.create
describe_experiment = EXPERIMENT.describe
list_experiments = EXPERIMENT.list
delete_experiment = EXPERIMENT.delete
