"""The local SageMaker put together: its parts, the operations that they answer, and when they start and end."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from pedigree.localaws.containers.runtime import ContainerRuntime
from pedigree.localaws.iam.authorizer import Authorizer
from pedigree.localaws.iam.sessions import Sessions
from pedigree.localaws.kernel.clients import Clients
from pedigree.localaws.kernel.interfaces import LogWriter
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.s3.catalog import ObjectCatalog
from pedigree.localaws.services.sagemaker.control import operations as search_operations
from pedigree.localaws.services.sagemaker.control.service import ControlPlane
from pedigree.localaws.services.sagemaker.endpoints.async_queue import AsyncQueue
from pedigree.localaws.services.sagemaker.endpoints.capture import Captures
from pedigree.localaws.services.sagemaker.endpoints.endpoints import Endpoints
from pedigree.localaws.services.sagemaker.endpoints.hosting import HostEnvironment
from pedigree.localaws.services.sagemaker.endpoints.metering import Meter
from pedigree.localaws.services.sagemaker.endpoints.operations import EndpointOperations
from pedigree.localaws.services.sagemaker.executions import operations as execution_operations
from pedigree.localaws.services.sagemaker.executions import pipeline_operations
from pedigree.localaws.services.sagemaker.executions.executor import POLL_SECONDS, Executor
from pedigree.localaws.services.sagemaker.executions.starting import ExecutionStarts
from pedigree.localaws.services.sagemaker.executions.steps.services import Invoke, RoleServices
from pedigree.localaws.services.sagemaker.executions.steps.types import runners
from pedigree.localaws.services.sagemaker.jobs.hosts import HostFactory
from pedigree.localaws.services.sagemaker.jobs.metric_publisher import MetricPublisher
from pedigree.localaws.services.sagemaker.jobs.operations import ProcessingJobOperations, TrainingJobOperations
from pedigree.localaws.services.sagemaker.jobs.runner import JobHost, JobRunner
from pedigree.localaws.services.sagemaker.lineage import operations as lineage_operations
from pedigree.localaws.services.sagemaker.resources import (
    endpoint_config_operations,
    experiment_operations,
    registry_operations,
    tag_operations,
)
from pedigree.localaws.services.sagemaker.resources.images import Images
from pedigree.localaws.services.sagemaker.resources.model_operations import ModelOperations
from pedigree.localaws.services.sagemaker.resources.role_access import AssumedRoles
from pedigree.localaws.services.sagemaker.transforms.operations import TransformJobOperations
from pedigree.localaws.services.sagemaker.transforms.runner import TransformRunner
from pedigree.localaws.services.sagemaker.tuning.operations import TuningJobOperations
from pedigree.localaws.services.sagemaker.tuning.training_jobs import TrainingJobs
from pedigree.localaws.services.sagemaker.tuning.tuner import Tuner


class SageMaker:
    """The local SageMaker; images say which environments its jobs and models have."""

    def __init__(
        self,
        world: World,
        catalog: ObjectCatalog,
        authorizer: Authorizer,
        sessions: Sessions,
        clients: Clients,
        logs: LogWriter,
        invoke_function: Invoke,
        environment: Mapping[str, str],
        *,
        containers: ContainerRuntime,
        images: Images,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._roles = AssumedRoles(world, authorizer, sessions, catalog)
        self._clients = clients
        publisher, factory = MetricPublisher(clients), HostFactory(containers)
        host = JobHost(environment, os.cpu_count() or 1, self._roles, factory, images, publisher)
        self.jobs = JobRunner(world, host, logs)
        self._training = TrainingJobOperations(self.jobs, images)
        self._processing = ProcessingJobOperations(self.jobs, images)
        self._starts = ExecutionStarts(images)
        runtime = containers if containers.has_containers else None
        hosting = HostEnvironment(environment, logs, self._roles, images, runtime)
        self.endpoints = Endpoints(world, hosting, self._firing_alarms)
        self.meter = Meter(world.clock.monotonic)
        any_resource = world.arn("sagemaker", "*")
        self.captures = Captures(world.clock.now, lambda role: self._roles.objects(role, any_resource))
        self.queue = AsyncQueue(world, self.endpoints, lambda role: self._roles.objects(role, any_resource), self.meter)
        self.transforms = TransformRunner(world, hosting)
        self.tuner = Tuner(world, TrainingJobs(world, self._answer, self._training.metric_values))
        self.service = ControlPlane(world, self._families())
        services = RoleServices(world, authorizer, sessions, clients, self.service.answer, invoke_function)
        self.executor = Executor(world, runners(services), self._read, poll_seconds=poll_seconds)

    def resume(self) -> None:
        """Continue the jobs and endpoints that ran when the last daemon ended."""
        for operations in (self._training, self._processing):
            self.jobs.resume(operations.kind)
        self.endpoints.resume()
        self.transforms.resume()

    def begin(self) -> None:
        """Start the threads."""
        self.executor.begin()
        self.captures.begin()
        self.queue.begin()
        self.tuner.begin()

    def _families(self) -> Sequence[object]:
        """Each answers the operations that its functions, or methods, are named after."""
        return (
            *(self._training, self._processing, EndpointOperations(self.endpoints)),
            *(TransformJobOperations(self.transforms), TuningJobOperations(self.tuner)),
            *(pipeline_operations, self._starts, execution_operations, search_operations),
            *(ModelOperations(self._roles), endpoint_config_operations, registry_operations),
            *(tag_operations, experiment_operations, lineage_operations),
        )

    def _answer(self, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        return self.service.answer(operation, dict(request))

    def _read(self, execution: Document, address: str) -> bytes:
        return self._roles.objects(execution["RoleArn"], execution["PipelineExecutionArn"]).read(address)

    def _firing_alarms(self, names: Sequence[str]) -> Sequence[str]:
        """The alarms, of metrics or composite ones, that are in the state ALARM."""
        kinds = ["MetricAlarm", "CompositeAlarm"]
        answer = self._clients("cloudwatch").describe_alarms(AlarmNames=list(names), AlarmTypes=kinds)
        alarms = (*answer["MetricAlarms"], *answer["CompositeAlarms"])
        return [alarm["AlarmName"] for alarm in alarms if alarm["StateValue"] == "ALARM"]
