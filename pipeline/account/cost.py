"""Estimates the cost of an execution, step by step, and of a month of the resources that stay.

Hours are assumed, given, or those of past executions; each line says which. The most that the
jobs' time limits allow is given too. Costs that are small beside machines are left out and named.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pedigree.account import prices as tables
from pedigree.account.prices import Price, Prices
from pedigree.schedules.cron import At, parse
from pedigree.schedules.occurrences import per_month, upcoming
from pipeline.account.usage import JobUsage, jobs, with_values
from pipeline.settings.tree import Settings

HOURS_OF_A_MONTH = 730
_SECONDS_OF_A_MONTH = HOURS_OF_A_MONTH * 3600
_MEGABYTES = 1024
LEFT_OUT = (
    "disks, storage, requests and keys (S3, ECR, KMS, SQS, CloudWatch), calls of functions, and data transfer: small "
    "beside machines; nor attempts after failures, taxes, the free tier, spot and savings plans"
)


@dataclass(frozen=True)
class JobHours:
    """How long one job of a step runs, and the source of that number."""

    each: float
    basis: str = "assumed"


@dataclass(frozen=True)
class StepCost:
    """The cost of a step in one execution; None without a price."""

    job: JobUsage
    hours: JobHours
    price: Price | None
    remark: str = ""

    @property
    def amount(self) -> float | None:
        """The cost of all its jobs."""
        return self._of(self.hours.each)

    @property
    def most(self) -> float | None:
        """The cost if every job runs into its time limit."""
        return self._of(self.job.most_hours)

    def _of(self, hours: float) -> float | None:
        return None if self.price is None else self.price.amount * self.job.machines * self.job.jobs * hours


@dataclass(frozen=True)
class StandingCost:
    """The monthly cost of a resource that stays, from least to most; None without a price."""

    name: str
    what: str
    least: float | None
    most: float | None
    remark: str = ""


@dataclass(frozen=True)
class Estimate:
    """The whole estimate for a region."""

    region: str
    sources: tuple[str, ...]
    steps: tuple[StepCost, ...]
    standing: tuple[StandingCost, ...]

    @property
    def unknown(self) -> tuple[str, ...]:
        """The steps without a price."""
        return tuple(step.job.step for step in self.steps if step.price is None)


def estimate(
    settings: Settings,
    prices: Prices | None = None,
    hours: Mapping[str, JobHours] | None = None,
    now: dt.datetime | None = None,
) -> Estimate:
    """The cost of these settings; hours that are not given are assumed."""
    table = prices or tables.of_the_package()
    steps = _execution(settings, table, hours or {})
    moment = now or dt.datetime.now(dt.timezone.utc)
    standing = (*_endpoint(settings, table), *_warm(settings, table), *_schedule(settings, table, hours or {}, moment))
    return Estimate(settings.site.region, table.sources(settings.site.region), steps, standing)


def _execution(s: Settings, prices: Prices, hours: Mapping[str, JobHours]) -> tuple[StepCost, ...]:
    return tuple(_step(job, s.site.region, prices, hours) for job in jobs(s))


def _step(job: JobUsage, region: str, prices: Prices, hours: Mapping[str, JobHours]) -> StepCost:
    price = prices.find(region, job.use, job.instance_type)
    lasting = hours.get(job.step) or JobHours(job.assumed_hours)
    return StepCost(job, lasting, price, "" if price else _elsewhere(prices, job))


def _elsewhere(prices: Prices, job: JobUsage) -> str:
    others = [
        f"{price.amount:.2f} an hour in {region}" for region, price in prices.elsewhere(job.use, job.instance_type)
    ]
    return ", ".join(others)


def _endpoint(s: Settings, prices: Prices) -> Iterator[StandingCost]:
    """From its least number of instances to its most."""
    low, high = s.autoscaling.min_capacity, s.autoscaling.max_capacity
    price = prices.find(s.site.region, "Hosting", s.endpoint.instance_type)
    month = None if price is None else price.amount * HOURS_OF_A_MONTH
    count = f"{low}" if low == high else f"{low} to {high}"
    yield StandingCost(
        f"endpoint {s.endpoint.name}",
        f"{count} × {s.endpoint.instance_type}, day and night",
        None if month is None else month * low,
        None if month is None else month * high,
    )


def _warm(s: Settings, prices: Prices) -> Iterator[StandingCost]:
    """Provisioned concurrency costs while it waits."""
    chosen = s.functions.predict
    if chosen.provisioned_concurrency:
        price = prices.find(s.site.region, "warm", s.functions.architecture)
        gigabytes = chosen.provisioned_concurrency * chosen.memory_megabytes / _MEGABYTES
        month = None if price is None else price.amount * gigabytes * _SECONDS_OF_A_MONTH
        what = f"{chosen.provisioned_concurrency} × {chosen.memory_megabytes} MB, kept warm"
        yield StandingCost("function predict", what, month, month)


def _schedule(s: Settings, prices: Prices, hours: Mapping[str, JobHours], now: dt.datetime) -> Iterator[StandingCost]:
    """Scheduled executions, with the values that the schedule gives."""
    chosen = s.schedule
    if not chosen.enabled:
        return
    steps = _execution(with_values(s, chosen.parameters), prices, hours)
    once = isinstance(parse(chosen.expression), At)
    often = (
        len(list(upcoming(chosen.expression, chosen.timezone, now)))
        if once
        else per_month(chosen.expression, chosen.timezone, now)
    )
    what = f"{chosen.expression}: {often:.1f} executions{' in all' if once else ''}"
    missing = [step.job.step for step in steps if step.price is None]
    total = None if missing else sum(step.amount or 0 for step in steps) * often
    remark = f"no price of {', '.join(missing)} is known" if missing else ""
    yield StandingCost("schedule", what, total, total, remark)
