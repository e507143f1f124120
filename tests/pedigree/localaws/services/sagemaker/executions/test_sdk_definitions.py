"""Definitions that SDKs write are created as they are; what cannot run is refused at the start, by its steps' names."""

from __future__ import annotations

from pathlib import Path

import pytest

from pedigree.localaws.http.protocol.errors import InvalidRequestError
from tests.support import worlds
from tests.support.local_sagemaker import TOKEN, LocalSageMaker
from tests.support.sdk_definitions import DEFINITIONS, FOLDER, name

CANNOT_RUN = {
    "v2/automl": "AutoMLTrain (AutoML)",
    "v2/emr": "OnGiven (EMR), OnOwn (EMR)",
    "v2/monitored-transform": "Monitored-monitoring (QualityCheck)",
    "v2/quality-and-clarify": (
        "DataQuality (QualityCheck), DataBias (ClarifyCheck), ModelBias (ClarifyCheck), Explanation (ClarifyCheck), "
        "ModelQuality (QualityCheck)"
    ),
    "v3/emr": "OnCluster (EMR), Serverless (EMRServerless)",
    "v3/endpoints": "Place (InferenceComponent)",
    "v3/quality": "DataQuality (QualityCheck)",
}


def created(path: Path, folder: Path) -> LocalSageMaker:
    sagemaker = LocalSageMaker(folder)
    members = {"PipelineName": "p", "PipelineDefinition": path.read_text(), "RoleArn": worlds.ROLE, **TOKEN}
    sagemaker.service.answer("CreatePipeline", members)
    return sagemaker


@pytest.mark.parametrize("path", DEFINITIONS, ids=name)
def test_each_is_created(path: Path, tmp_path: Path) -> None:
    described = created(path, tmp_path).service.answer("DescribePipeline", {"PipelineName": "p"})
    assert described["PipelineDefinition"] == path.read_text()


@pytest.mark.parametrize("path", DEFINITIONS, ids=name)
def test_what_cannot_run_is_refused_at_the_start_by_name(path: Path, tmp_path: Path) -> None:
    sagemaker = created(path, tmp_path)
    try:
        sagemaker.service.answer("StartPipelineExecution", {"PipelineName": "p", **TOKEN})
        words = ""
    except InvalidRequestError as refused:
        words = str(refused)
    foreign = (
        f"The local AWS runs no steps of these types: {CANNOT_RUN.get(name(path))}. Leave them out for this machine."
    )
    assert (words == foreign) == (name(path) in CANNOT_RUN), words


def test_some_of_them_refer_to_what_such_a_step_came_to() -> None:
    for path, reference in (
        ("v2/quality-and-clarify", "Steps.DataQuality.CalculatedBaselineConstraints"),
        ("v2/automl", "Steps.AutoMLTrain.BestCandidateProperties.ModelInsightsJsonReportPath"),
        ("v3/quality", "Steps.DataQuality.CalculatedBaselineStatistics"),
    ):
        assert reference in (FOLDER / f"{path}.json").read_text()
