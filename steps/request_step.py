"""A step that is a plain Create* request.

The SDK's own steps are made from its trainers, tuners and models, which upload code, drop fields and put the time into
keys. Here the request is a dictionary, exactly as in the definition; it can contain outputs of earlier steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from steps import dag
from steps.policies import Kind

_KINDS: Mapping[Kind, tuple[str, list[str]]] = {
    "processing": ("PROCESSING", ["DescribeProcessingJobResponse"]),
    "training": ("TRAINING", ["DescribeTrainingJobResponse"]),
    "tuning": (
        "TUNING",
        ["DescribeHyperParameterTuningJobResponse", "ListTrainingJobsForHyperParameterTuningJobResponse"],
    ),
    "registry": ("REGISTER_MODEL", ["DescribeModelPackageOutput"]),
}


class RequestStep(dag.ConfigurableRetryStep):  # type: ignore[misc]  # the SDK has no types
    """A step whose arguments are a literal request."""

    def __init__(
        self,
        name: str,
        kind: Kind,
        request: Mapping[str, Any],
        *,
        description: str,
        retry_policies: Sequence[Any],
        cache_config: Any = None,
        property_files: Sequence[Any] = (),
    ) -> None:
        step_type, responses = _KINDS[kind]
        super().__init__(
            name, dag.StepTypeEnum[step_type], description=description, retry_policies=list(retry_policies)
        )
        self._request = dict(request)
        self._cache_config = cache_config
        self.property_files = list(property_files)
        self._properties = dag.Properties(step_name=name, step=self, shape_names=responses)

    @property
    def arguments(self) -> dict[str, Any]:
        """The request; expressions stand in place of values that are known at run time only."""
        return self._request

    @property
    def properties(self) -> Any:
        """The members of the finished step's description."""
        return self._properties

    def to_request(self) -> dict[str, Any]:
        """The step in the form of the definition."""
        request: dict[str, Any] = super().to_request()
        if self._cache_config is not None:
            request.update(self._cache_config.config)
        if self.property_files:
            request["PropertyFiles"] = [file.expr for file in self.property_files]
        return request
