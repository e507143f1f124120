"""The tables of all roles."""

from __future__ import annotations

from tests.policies import (
    autoscale,
    await_,
    deploy,
    ec2,
    job,
    model,
    operator,
    pipeline,
    predict,
    scheduler,
)

MODULES = (pipeline, job, model, deploy, await_, autoscale, predict, scheduler, ec2, operator)
