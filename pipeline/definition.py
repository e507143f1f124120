"""The graph, on one screen: which step takes what from which.

PrepareData → Tune → TrainBest and TrainDistributed → Evaluate → QualityGate → RegisterModel → DeployEndpoint →
AwaitEndpoint → ConfigureAutoscaling. Everything about a single step is in its file in steps/; nothing but the wiring
is here.
"""

from __future__ import annotations

from collections.abc import Mapping

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

Given = Mapping[str, dag.Expression]


def graph(s: Settings, build: Build, given: Given) -> list[dag.Step]:
    """The steps, wired."""
    data = prepare_data(
        s.data, s.processing, build, source=given["InputDataUrl"], instance_type=given["ProcessingInstanceType"]
    )
    search = tune(
        s.tuning,
        s.training,
        build,
        data=data,
        epochs=given["Epochs"],
        instance_type=given["TrainingInstanceType"],
        max_jobs=given.get("TuningMaxJobs"),  # a grid counts its jobs itself
        parallel_jobs=given["TuningMaxParallelJobs"],
    )
    candidates = training(s, build, given, data, search)
    evaluation = evaluate(
        s.processing, build, data=data, candidates=candidates, instance_type=given["ProcessingInstanceType"]
    )
    then = behind_the_gate(s, build, given, data, evaluation)
    gate = quality_gate(evaluation=evaluation, threshold=given["AccuracyThreshold"], then=then)
    return [data, search, *candidates.values(), evaluation, gate]


def training(s: Settings, build: Build, given: Given, data: dag.Step, search: dag.Step) -> dict[str, dag.Step]:
    """The steps that each train a candidate, by the candidate's name."""
    epochs = given["Epochs"]
    candidates = {
        train_best.CANDIDATE: train_best.train_best(
            s.training,
            s.tuning,
            s.debugger,
            build,
            data=data,
            search=search,
            epochs=epochs,
            instance_type=given["TrainingInstanceType"],
        )
    }
    if s.distributed.enabled:
        candidates[train_distributed.CANDIDATE] = train_distributed.train_distributed(
            s.distributed,
            s.training,
            s.tuning,
            build,
            data=data,
            search=search,
            epochs=epochs,
            instance_type=given["DistributedInstanceType"],
            instance_count=given["DistributedInstanceCount"],
        )
    return candidates


def behind_the_gate(s: Settings, build: Build, given: Given, data: dag.Step, evaluation: dag.Step) -> list[dag.Step]:
    """The steps from the registry to a scaling endpoint."""
    registered = register_model(
        s.registry, build, data=data, evaluation=evaluation, approval=given["ModelApprovalStatus"]
    )
    deployed = deploy_endpoint(
        s.endpoint,
        build,
        package_arn=package_arn(registered),
        name=given["EndpointName"],
        instance_type=given["EndpointInstanceType"],
        instance_count=given["EndpointInstanceCount"],
    )
    awaited = await_endpoint(build, deployed=deployed)
    scaled = configure_autoscaling(
        s.autoscaling,
        build,
        variant=s.endpoint.variant,
        awaited=awaited,
        min_capacity=given["AutoscalingMinCapacity"],
        max_capacity=given["AutoscalingMaxCapacity"],
        target=given["AutoscalingTargetInvocations"],
    )
    return [registered, deployed, awaited, scaled]


def build_of(settings: Settings, archive: SourceArchive) -> Build:
    """What is the same for all steps, with these settings and this code."""
    code = archive.placed(settings.site)
    return Build(settings.pipeline.name, settings.site, settings.images, code, settings.retries, settings.cache)


def pipeline(settings: Settings, archive: SourceArchive) -> dag.Pipeline:
    """The SDK's pipeline for these settings and this code."""
    build = build_of(settings, archive)
    given = parameters.expressions(settings)
    return dag.Pipeline(
        name=settings.pipeline.name,
        parameters=list(given.values()),
        steps=graph(settings, build, given),
        pipeline_experiment_config=None,
        sagemaker_session=dag.NO_SESSION,
    )
