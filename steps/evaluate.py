"""Evaluate: scores every candidate on the test images and picks the champion."""

from __future__ import annotations

from collections.abc import Mapping

from entrypoints import contract
from steps import dag
from steps.build import Build
from steps.processing_job import OUTPUT_FOLDER, ProcessingConfig, input_folder, output_uri, processing_request
from steps.training_job import model_archive

NAME = "Evaluate"
EVALUATION_PROPERTIES = "Evaluation"


def evaluate(
    processing: ProcessingConfig,
    build: Build,
    *,
    data: dag.Step,
    candidates: Mapping[str, dag.Step],
) -> dag.Step:
    """The step; it compares all candidates, by name."""
    inputs = {contract.TEST: output_uri(data, contract.TEST), contract.DATASET: output_uri(data, contract.DATASET)}
    arguments = [contract.FLAG_TEST, input_folder(contract.TEST), contract.FLAG_DATASET, input_folder(contract.DATASET)]
    for name, step in candidates.items():
        channel = f"{contract.CANDIDATE}-{name}"
        inputs[channel] = model_archive(step)
        arguments += [contract.FLAG_CANDIDATE, f"{name}={input_folder(channel)}/{contract.MODEL_ARCHIVE}"]
    outputs = (contract.EVALUATION, contract.CHAMPION)
    request = processing_request(
        processing,
        build,
        step=NAME,
        script=contract.EVALUATE,
        arguments=[*arguments, contract.FLAG_OUTPUT, OUTPUT_FOLDER],
        inputs=inputs,
        outputs=outputs,
        isolation=build.site.network.isolation,
    )
    return build.step(
        NAME,
        "processing",
        request,
        description="Scores every candidate on the test images and picks the champion.",
        property_files=[dag.PropertyFile(EVALUATION_PROPERTIES, contract.EVALUATION, contract.EVALUATION_FILE)],
    )


def evaluation_value(step: dag.Step, path: str) -> dag.Expression:
    """A value of the evaluation file, by its path."""
    return dag.JsonGet(step_name=step.name, property_file=EVALUATION_PROPERTIES, json_path=path)


def evaluation_uri(step: dag.Step) -> dag.Expression:
    """The S3 address of the evaluation file."""
    return dag.Join(on="/", values=[output_uri(step, contract.EVALUATION), contract.EVALUATION_FILE])


def champion_uri(step: dag.Step) -> dag.Expression:
    """The S3 address of the champion's archive."""
    return dag.Join(on="/", values=[output_uri(step, contract.CHAMPION), contract.MODEL_ARCHIVE])
