"""Writes an estimate as text for people and as a document for programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from pedigree.account.pricing import SOURCE
from pipeline.account.cost import LEFT_OUT, Estimate, StandingCost, StepCost


def lines(estimate: Estimate) -> Iterator[str]:
    """The estimate for people: columns, totals, and its assumptions."""
    yield f"Cost in USD, an estimate for {estimate.region} ({'; '.join(estimate.sources) or 'no prices known'})"
    yield from _table("one execution", [_step_cells(step) for step in estimate.steps])
    but = f", and what {', '.join(estimate.unknown)} costs" if estimate.unknown else ""
    yield f"    together {_sum(step.amount for step in estimate.steps)}{but}"
    yield f"    at most {_sum(step.most for step in estimate.steps)}{but}, if every job runs into its time limit"
    yield from _table("a month", [_standing_cells(standing) for standing in estimate.standing])
    if estimate.unknown or any(standing.most is None for standing in estimate.standing):
        yield "  unknown prices: `pedigree cost --refresh` asks AWS for them"
    elif any(SOURCE not in source for source in estimate.sources):
        yield "  prices change: `pedigree cost --refresh` asks AWS for today's"
    yield f"  not counted: {LEFT_OUT}"


def _step_cells(step: StepCost) -> tuple[str, ...]:
    job = step.job
    count = f"{job.jobs} jobs, each " if job.jobs > 1 else ""
    what = f"{count}{job.machines} × {job.instance_type}, {step.hours.each:.2f} h each ({step.hours.basis})"
    return job.step, what, _money(step.amount), f"at most {_money(step.most)}" if step.price else step.remark


def _standing_cells(entry: StandingCost) -> tuple[str, ...]:
    if entry.least is None or entry.least == entry.most:
        return entry.name, entry.what, _money(entry.least), entry.remark
    return entry.name, entry.what, f"{_money(entry.least)} to {_money(entry.most)}", entry.remark


def _table(title: str, rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    yield f"  {title}"
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        yield f"    {row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]}".rstrip()


def _sum(amounts: Iterable[float | None]) -> str:
    return _money(sum(amount for amount in amounts if amount is not None))


def _money(amount: float | None) -> str:
    return "unknown" if amount is None else f"{amount:,.2f}"


def document(estimate: Estimate) -> dict[str, Any]:
    """The estimate for programs; null means unknown."""
    steps = [{**asdict(step), "amount": step.amount, "most": step.most} for step in estimate.steps]
    return {**asdict(estimate), "steps": steps, "not_counted": LEFT_OUT}
