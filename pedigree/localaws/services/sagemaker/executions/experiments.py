"""The experiment and the trial of an execution, as its definition names them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pedigree.language.definition import Definition
from pedigree.language.errors import LanguageError
from pedigree.language.expressions import as_text
from pedigree.localaws.http.protocol.errors import InvalidRequestError
from pedigree.localaws.kernel.errors import LocalAwsError
from pedigree.localaws.services.sagemaker.executions.core.values import Resolver


def config(
    read: Definition, parameters: Mapping[str, Any], pipeline: str, execution_id: str
) -> Mapping[str, str] | None:
    """The PipelineExperimentConfig of an execution; None if there is none, InvalidRequestError if it has no values.

    An experiment that has the pipeline's name has it in small letters.
    """
    names = {"PipelineName": pipeline.lower(), "PipelineExecutionId": execution_id}
    resolver = Resolver(parameters, names, {}, lambda _step, _name: None, lambda _address: None)
    written = read.document.get("PipelineExperimentConfig") or {}
    try:
        return {name: as_text(resolver.resolve(value)) for name, value in written.items()} or None
    except (LanguageError, LocalAwsError) as error:
        raise InvalidRequestError(f"PipelineExperimentConfig: {error}") from None
