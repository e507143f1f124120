"""The experiment and the trial of an execution, as its definition names them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pedigree.language.definition import Definition
from pedigree.localaws.services.sagemaker.executions.core.values import Resolver


def config(read: Definition, parameters: Mapping[str, Any], pipeline: str, execution_id: str) -> Any:
    """The PipelineExperimentConfig of an execution, with its values; None if the definition has none.

    An experiment that has the pipeline's name has it in small letters.
    """
    names = {"PipelineName": pipeline.lower(), "PipelineExecutionId": execution_id}
    resolver = Resolver(parameters, names, {}, lambda _step, _name: None, lambda _address: None)
    return resolver.resolve(read.document.get("PipelineExperimentConfig"))
