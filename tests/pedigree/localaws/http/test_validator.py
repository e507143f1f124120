"""Requests are held against AWS's model and refused in AWS's words; answers are in the form that clients read."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedigree.language.shapes import service
from pedigree.localaws.http.protocol import validator as requests
from pedigree.localaws.http.protocol.errors import ServiceError, UnreadableRequestError
from pedigree.localaws.http.protocol.json_documents import document
from pedigree.localaws.http.protocol.model_patterns import compiled, fits
from pedigree.localaws.http.protocol.serializer import shaped

JOB = {
    "TrainingJobName": "job",
    "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
    "RoleArn": "arn:aws:iam::123456789012:role/job",
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30},
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
}


def check(operation: str, request: Any) -> dict[str, Any]:
    return requests.checked(service().operation_model(operation).input_shape, request)


def test_a_request_that_fits_passes_as_it_is() -> None:
    assert check("CreateTrainingJob", JOB) == JOB


def test_a_member_that_is_null_is_not_there_but_a_null_entry_of_a_list_is_a_fault() -> None:
    stopping = {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": None}
    assert check("CreateTrainingJob", {**JOB, "VpcConfig": None, "StoppingCondition": stopping}) == JOB
    with pytest.raises(ServiceError, match=r"Value null at 'tags\.1\.member' failed to satisfy constraint"):
        check("CreateTrainingJob", {**JOB, "Tags": [None]})


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (
            {"RoleArn": None},
            "ValidationException",
            "1 validation error detected: Value null at 'roleArn' failed to satisfy constraint: "
            "Member must not be null",
        ),
        (
            {"TrainingJobName": "a_b"},
            "ValidationException",
            "Value 'a_b' at 'trainingJobName' failed to satisfy constraint: Member must satisfy regular expression "
            "pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
        ),
        (
            {"AlgorithmSpecification": {"TrainingImage": "i", "TrainingInputMode": "Files"}},
            "ValidationException",
            "Value 'Files' at 'algorithmSpecification.trainingInputMode' failed to satisfy "
            "constraint: Member must satisfy enum value set: [Pipe, File, FastFile]",
        ),
        (
            {"StoppingCondition": {"MaxRuntimeInSeconds": 0}},
            "ValidationException",
            "at 'stoppingCondition.maxRuntimeInSeconds' failed to satisfy constraint: "
            "Member must have value greater than or equal to 1",
        ),
        (
            {"Tags": [{"Key": "a", "Value": "b"}, {"Key": "", "Value": "b"}]},
            "ValidationException",
            "at 'tags.2.member.key' failed to satisfy constraint: Member must have length greater than or equal to 1",
        ),
        ({"Surprise": 1}, "ValidationException", "'surprise' is not known to CreateTrainingJobRequest"),
        ({"TrainingJobName": 5}, "SerializationException", "NUMBER_VALUE can not be converted to string"),
        ({"ResourceConfig": {"InstanceCount": True}}, "SerializationException", "BOOLEAN_VALUE can not be converted"),
        ({"HyperParameters": ["a"]}, "SerializationException", "LIST_VALUE can not be converted to map"),
    ],
)
def test_what_does_not_fit_is_refused_in_the_words_of_aws(change: dict[str, Any], code: str, message: str) -> None:
    with pytest.raises(ServiceError) as raised:
        check("CreateTrainingJob", {**JOB, **change})
    assert raised.value.code == code
    assert message in raised.value.message


def test_all_that_is_wrong_is_counted() -> None:
    with pytest.raises(ServiceError, match=r"^3 validation errors detected: "):
        check("CreateTrainingJob", {})


@pytest.mark.parametrize("request_", [None, [], "text", 5])
def test_what_is_no_object_is_unreadable(request_: Any) -> None:
    with pytest.raises(ServiceError) as raised:
        check("CreateTrainingJob", request_)
    assert raised.value.code == "SerializationException"


def test_every_pattern_of_the_model_can_be_read() -> None:
    shapes = [service().shape_for(name) for name in service().shape_names]
    patterns = {shape.metadata["pattern"] for shape in shapes if "pattern" in shape.metadata}
    assert len(patterns) > 200
    for pattern in patterns:
        compiled(pattern)


@pytest.mark.parametrize(
    ("pattern", "value", "fitting"),
    [
        (r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)", "Käse 12_.:/=+-@", True),
        (r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)", "a,b", False),
        (r"[\p{L}\p{M}\p{Z}\p{S}\p{N}\p{P}]*", "a, “b” € — 5 %!", True),
        (r"arn:[\p{Alnum}\-]+:x", "arn:aws-cn:x", True),
        (r"[a-z]+", "abc\n", False),
    ],
)
def test_patterns_of_java_are_patterns_of_python(pattern: str, value: str, fitting: bool) -> None:
    assert fits(pattern, value) is fitting


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.sampled_from(sorted(JOB)), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(ANYTHING, st.sampled_from(["CreateTrainingJob", "CreatePipeline", "ListTrainingJobs", "CreateEndpointConfig"]))
def test_every_request_is_taken_or_refused(request_: Any, operation: str) -> None:
    assert outcome(operation, request_) in ("taken", "ValidationException", "SerializationException")


def outcome(operation: str, request: Any) -> str:
    try:
        check(operation, request)
    except ServiceError as error:
        return error.code
    return "taken"


def test_an_answer_has_what_the_model_knows_and_times_in_seconds() -> None:
    shape = service().operation_model("DescribePipeline").output_shape
    moment = dt.datetime(2026, 1, 2, 3, 4, 5, 678_900, tzinfo=dt.timezone.utc)
    document = {
        "PipelineName": "p",
        "CreationTime": moment,
        "LastModifiedTime": moment.isoformat(),
        "PipelineDescription": None,
        "OurOwn": "secret",
        "ParallelismConfiguration": {"MaxParallelExecutionSteps": 3},
    }
    assert shaped(shape, document) == {
        "PipelineName": "p",
        "CreationTime": 1767323045.679,
        "LastModifiedTime": 1767323045.679,
        "ParallelismConfiguration": {"MaxParallelExecutionSteps": 3},
    }


@pytest.mark.parametrize("moment", [1e20, -1e20, 1e308, 253402300800, -62135596801, "1e20"])
def test_a_time_that_no_clock_has_is_refused(moment: Any) -> None:
    with pytest.raises(ServiceError) as error:
        check("ListEndpoints", {"CreationTimeAfter": moment})
    assert error.value.code == "SerializationException"


@pytest.mark.parametrize("content", [b'{"a":[' + b"[]," * 200_001 + b"0]}", b'{"a":[' + b'{"":0},' * 200_001 + b"0]}"])
def test_more_values_than_any_operation_takes_are_refused_before_they_are_read(content: bytes) -> None:
    with pytest.raises(UnreadableRequestError, match="more than 200000 values"):
        document(content)


def test_a_long_text_may_have_as_many_commas_as_it_likes() -> None:
    assert len(document(b'{"a":"' + b'\\"[,{' * 300_000 + b'"}')["a"]) == 4 * 300_000
