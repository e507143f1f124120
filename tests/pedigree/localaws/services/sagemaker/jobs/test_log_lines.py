"""Control characters of a training job's log are written out, as CloudWatch Logs has them, and metrics read there."""

from __future__ import annotations

import pytest

from pedigree.localaws.services.sagemaker.jobs.log_lines import as_logged
from tests.support.job_runner import LocalJobs


@pytest.mark.parametrize(
    ("line", "logged"),
    [
        ("[0]\ttrain-rmse:0.5", "[0]#011train-rmse:0.5"),
        ("\r  0%|", "#015  0%|"),
        ("\x1b[31mred\x7f", "#033[31mred#177"),
        ("naïve — 1 #2", "naïve — 1 #2"),
    ],
)
def test_control_characters_are_octal_numbers(line: str, logged: str) -> None:
    assert as_logged(line) == logged


def test_a_metric_is_found_where_its_expression_looks_for_a_tab_in_that_form(local: LocalJobs) -> None:
    metric = {"Name": "validation:rmse", "Regex": r".*\[[0-9]+\].*#011validation-rmse:(\S+)"}
    local.train(r"printf '[7]\ttrain-rmse:1\tvalidation-rmse:0.25\n'", algorithm={"MetricDefinitions": [metric]})
    assert [one["Value"] for one in local.ended()["FinalMetricDataList"]] == [0.25]
    assert local.logs.lines[-1][1] == "[7]#011train-rmse:1#011validation-rmse:0.25"
