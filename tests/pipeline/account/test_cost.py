"""The estimated cost: sums that a reader can check, dated prices, and unknown amounts marked as unknown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings

from pedigree.account import prices
from pedigree.account.errors import PricesError
from pedigree.account.prices import Price, Prices, parse
from pedigree.account.pricing import SOURCE
from pedigree.aws.machines import instance_types
from pipeline.account import usage
from pipeline.account.cost import Estimate, JobHours, estimate
from pipeline.account.cost_lines import document, lines
from tests.support.definitions import configure
from tests.support.fakes.aws import REGION
from tests.support.fixed_clock import NOW
from tests.support.strategies import Values, valid_settings

PUBLIC = (
    "public figures at second hand, 2026-08",
    "public figures of us-west-2, which asked the same until 2025, 2026-08",
    "public figures, 2026-08",
)
UNPRICED = {"distributed.instance_type": "ml.p4de.24xlarge"}
SMALL = {"distributed.enabled": False}
MONTH = 730


def of(values: Mapping[str, Any] | None = None, **given: Any) -> Estimate:
    return estimate(configure(values or {}), now=NOW, **given)


def amounts(found: Estimate) -> dict[str, float | None]:
    return {step.job.step: step.amount for step in found.steps}


def standing(found: Estimate) -> dict[str, tuple[float | None, float | None]]:
    return {item.name: (item.least, item.most) for item in found.standing}


def test_each_step_costs_its_machines_by_its_hours() -> None:
    found = of({**SMALL, "tuning.max_jobs": 4})
    assert amounts(found) == pytest.approx(
        {"PrepareData": 0.23 * 0.25, "Tune": 4 * 0.7364 * 0.5, "TrainBest": 0.7364 * 0.5, "Evaluate": 0.23 * 0.25}
    )
    assert {step.job.step: step.most for step in found.steps}["Tune"] == pytest.approx(4 * 0.7364 * 8)


def test_a_grid_runs_each_of_its_points() -> None:
    points = {"batch_size": {"type": "categorical", "values": [32, 64, 128]}}
    found = of({**SMALL, "tuning.strategy": "Grid", "tuning.ranges": points})
    assert amounts(found)["Tune"] == pytest.approx(3 * 0.7364 * 0.5)


def test_several_machines_cost_several_times() -> None:
    values = {
        "distributed.launcher": "torchrun",
        "distributed.instance_type": "ml.g5.xlarge",
        "distributed.instance_count": 3,
    }
    assert amounts(of(values))["TrainDistributed"] == pytest.approx(3 * 1.408 * 0.25)


def test_a_machine_that_is_kept_warm_costs_while_it_waits() -> None:
    found = of({**SMALL, "training.warm_pool_seconds": 1800})
    assert amounts(found)["TrainBest kept warm"] == pytest.approx(0.7364 * 0.5)


def test_an_unknown_price_is_reported_and_never_guessed() -> None:
    found = of(UNPRICED)
    assert amounts(found)["TrainDistributed"] is None
    text = list(lines(found))
    assert any("TrainDistributed" in line and "unknown" in line for line in text)
    assert "    together 1.22, and what TrainDistributed costs" in text
    assert any("`pedigree cost --refresh`" in line for line in text)


def test_a_price_that_only_another_region_has_is_told_with_that_region() -> None:
    text = list(lines(of({"site.region": "eu-central-1"})))
    assert any("TrainDistributed" in line and "unknown" in line and "25.25 an hour in us-" in line for line in text)


def test_a_region_that_no_table_has_is_unknown_throughout() -> None:
    found = of({**SMALL, "site.region": "eu-central-1"})
    assert set(amounts(found).values()) == {None}
    assert standing(found)["endpoint dog-breeds"] == (None, None)
    assert next(lines(found)) == "Cost in USD, an estimate for eu-central-1 (no prices known)"
    assert list(lines(of(SMALL)))[-1].startswith("  not counted: disks, storage")


def test_an_endpoint_costs_from_its_least_to_its_most() -> None:
    assert standing(of())["endpoint dog-breeds"] == pytest.approx((0.115 * MONTH, 3 * 0.115 * MONTH))
    same = list(lines(of({"autoscaling.max_capacity": 1})))
    assert any("1 × ml.m5.large, day and night" in line and line.endswith(" 83.95") for line in same)


def test_functions_that_are_kept_warm_cost_by_memory() -> None:
    gigabyte_seconds = 2 * 256 / 1024 * MONTH * 3600
    assert standing(of())["function predict"] == pytest.approx((0.0000033334 * gigabyte_seconds,) * 2)
    on_intel = of({"functions.architecture": "x86_64"})
    assert standing(on_intel)["function predict"] == pytest.approx((0.0000041667 * gigabyte_seconds,) * 2)
    assert "function predict" not in standing(of({"functions.predict.provisioned_concurrency": 0}))


def test_a_schedule_costs_its_executions_with_its_own_values() -> None:
    values = {**SMALL, "schedule.enabled": True, "schedule.expression": "rate(1 day)"}
    usual = sum(amount or 0 for amount in amounts(of(SMALL)).values())
    assert standing(of(values))["schedule"][0] == pytest.approx(usual * 365 / 12)
    more = of({**values, "schedule.parameters": {"TuningMaxJobs": 3, "TrainingInstanceType": "ml.g4dn.2xlarge"}})
    assert standing(more)["schedule"][0] == pytest.approx((2 * 0.23 * 0.25 + 4 * 0.94 * 0.5) * 365 / 12)


def test_a_schedule_of_one_time_costs_one_execution() -> None:
    found = of({**SMALL, "schedule.enabled": True, "schedule.expression": "at(2029-01-31T06:00:00)"})
    assert standing(found)["schedule"][0] == pytest.approx(sum(amount or 0 for amount in amounts(found).values()))
    assert any("1.0 executions in all" in line for line in lines(found))


def test_a_schedule_of_which_a_step_has_no_price_has_none() -> None:
    found = of({**UNPRICED, "schedule.enabled": True})
    assert standing(found)["schedule"] == (None, None)
    assert any("no price of TrainDistributed is known" in line for line in lines(found))


def test_given_hours_replace_assumed_ones() -> None:
    found = of(SMALL, hours={"Tune": JobHours(2.0, "given")})
    assert amounts(found)["Tune"] == pytest.approx(2 * 0.7364 * 2)
    text = list(lines(found))
    assert any("2.00 h each (given)" in line for line in text)
    assert sum("(assumed)" in line for line in text) == 3


def test_programs_get_what_people_get() -> None:
    found = json.loads(json.dumps(document(of(UNPRICED))))
    assert [step["amount"] for step in found["steps"]] == [step.amount for step in of(UNPRICED).steps]
    assert found["steps"][3]["price"] is None
    assert found["sources"] == list(PUBLIC)


@settings(max_examples=30)
@given(valid_settings())
def test_any_settings_have_an_estimate(values: Values) -> None:
    found = of(values)
    assert all((step.amount is None) is (step.price is None) for step in found.steps)
    assert all(
        step.amount <= (step.most or 0)
        for step in found.steps
        if step.amount is not None and step.hours.each <= step.job.most_hours
    )
    assert all(0 < item.least <= (item.most or 0) for item in found.standing if item.least and item.name != "schedule")
    assert all("\n" not in line for line in lines(found))


def test_values_of_a_schedule_are_the_settings_that_they_stand_for() -> None:
    given_values: dict[str, str | int | float] = {
        "Epochs": 3,
        "TuningMaxJobs": 7,
        "EndpointName": "cats",
        "AccuracyThreshold": 0.5,
    }
    stood_for = {"training.epochs": 3, "tuning.max_jobs": 7, "endpoint.name": "cats", "quality.accuracy": 0.5}
    assert usage.with_values(configure({}), given_values) == configure(stood_for)


def test_the_table_has_machines_that_there_are() -> None:
    types = instance_types("Training") | instance_types("Processing") | instance_types("ProductionVariant")
    named = {name for _, use, name in prices.of_the_package().by_use if use != "warm"}
    assert named <= types
    assert len(named) > 30


def test_the_usual_machines_of_the_default_settings_have_a_price() -> None:
    named = {*usage.machines(configure(SMALL)), configure({}).distributed.instance_type}
    without = {name for name in named if prices.of_the_package().find(REGION, "Training", name) is None}
    assert without == set()


def table(amount: object) -> str:
    return json.dumps({"date": 1, "source": 2, "regions": {REGION: {"machines": {"ml.m5.large": amount}}}})


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"date": 1, "source": 2, "regions": []}', table("1"), table(-1), table(True), table(None)]
)
def test_a_malformed_table_of_prices_is_reported(text: str) -> None:
    with pytest.raises(PricesError, match="this is no table of prices"):
        parse(text)


def test_later_prices_lie_on_top_and_a_use_may_have_its_own() -> None:
    later = {"date": "2026-11-21", "source": "AWS", "regions": {REGION: {"Hosting": {"ml.m5.large": 0.2}}}}
    both = prices.of_the_package().below(parse(json.dumps(later)))
    assert both.find(REGION, "Hosting", "ml.m5.large") == Price(0.2, "2026-11-21", "AWS")
    training = both.find(REGION, "Training", "ml.m5.large")
    assert training is not None
    assert training.amount == 0.115
    assert both.sources(REGION) == ("AWS, 2026-11-21", *PUBLIC)
    assert Prices().find(REGION, "Hosting", "ml.m5.large") is None


def test_prices_that_are_not_of_today_say_so() -> None:
    packaged, hint = of(SMALL), "  prices change: `pedigree cost --refresh` asks AWS for today's"
    assert hint in list(lines(packaged))
    assert hint not in list(lines(replace(packaged, sources=(f"{SOURCE}, 2026-11-21",))))
