"""The graph, on one screen: which step takes what from which.

PrepareData → Tune → TrainBest and TrainDistributed → Evaluate → QualityGate → RegisterModel → DeployEndpoint →
AwaitEndpoint → ConfigureAutoscaling. Each step has its own file in steps/; only the wiring is here. The settings that
reach the steps have execution parameters in place of the values that an execution can change.
"""

from __future__ import annotations

from pipeline.settings import parameters
from pipeline.settings.tree import Settings
from pipeline.source import SourceArchive
from steps import dag, train_best, train_distributed
from steps.await_endpoint import await_endpoint
from steps.build import Build
from steps.configure_autoscaling import configure_autoscaling
from steps.deploy_endpoint import deploy_endpoint
from steps.evaluate import evaluate
from steps.prepare_data import prepare_data
from steps.quality_gate import quality_gate
from steps.register_model import package_arn, register_model
from steps.tune import tune


def graph(s: Settings, build: Build) -> list[dag.Step]:
    """The steps, wired."""
    data = prepare_data(s.data, s.processing, build)
    search = tune(s.tuning, s.training, build, data=data)
    candidates = training(s, build, data, search)
    evaluation = evaluate(s.processing, build, data=data, candidates=candidates)
    gate = quality_gate(s.quality, evaluation=evaluation, then=deployment(s, build, data, evaluation))
    return [data, search, *candidates.values(), evaluation, gate]


def training(s: Settings, build: Build, data: dag.Step, search: dag.Step) -> dict[str, dag.Step]:
    """The steps that each train a candidate, by the candidate's name."""
    best = train_best.train_best(s.training, s.tuning, s.debugger, build, data=data, search=search)
    if not s.distributed.enabled:
        return {train_best.CANDIDATE: best}
    distributed = train_distributed.train_distributed(
        s.distributed, s.training, s.tuning, build, data=data, search=search
    )
    return {train_best.CANDIDATE: best, train_distributed.CANDIDATE: distributed}


def deployment(s: Settings, build: Build, data: dag.Step, evaluation: dag.Step) -> list[dag.Step]:
    """The steps behind the gate, from the registry to a scaling endpoint."""
    registered = register_model(s.registry, build, data=data, evaluation=evaluation)
    deployed = deploy_endpoint(s.endpoint, build, package_arn=package_arn(registered))
    awaited = await_endpoint(build, deployed=deployed)
    scaled = configure_autoscaling(s.autoscaling, build, variant=s.endpoint.variant, awaited=awaited)
    return [registered, deployed, awaited, scaled]


def build_of(settings: Settings, archive: SourceArchive) -> Build:
    """What all steps share, with these settings and this code."""
    code = archive.placed(settings.site)
    return Build(settings.pipeline.name, settings.site, settings.images, code, settings.retries, settings.cache)


def pipeline(settings: Settings, archive: SourceArchive) -> dag.Pipeline:
    """The SDK's pipeline for these settings and this code."""
    expressions = parameters.expressions(settings)
    return dag.Pipeline(
        name=settings.pipeline.name,
        parameters=list(expressions.values()),
        steps=graph(parameters.bind(settings, expressions), build_of(settings, archive)),
        pipeline_experiment_config=None,
        sagemaker_session=dag.NO_SESSION,
    )
