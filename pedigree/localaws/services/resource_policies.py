"""Looks up the policies of resources: of buckets, queues, functions, event buses and groups of model packages."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pedigree.localaws.iam.callers import UseBackend
from pedigree.localaws.kernel.store import Store
from pedigree.localaws.services.s3.bucket_configuration import CONFIGURATION
from pedigree.localaws.services.sagemaker.resources.registry_operations import GROUP_POLICY


@dataclass(frozen=True)
class ResourcePolicies:
    """The policies of an account's resources, each as text; empty where a resource has none."""

    store: Store
    use_backend: UseBackend

    def find(self, resource: str) -> str:
        """The policy that holds for a resource, by its ARN."""
        _, _, service, region, _, name = [*resource.split(":", 5), *[""] * 6][:6]
        find = _BY_SERVICE.get(service)
        try:
            return find(self, region, name) if find else ""
        except KeyError:
            return ""  # there is no such region

    def _of_bucket(self, _region: str, name: str) -> str:
        policy = self.store.find(CONFIGURATION, f"{name.partition('/')[0]}/policy")
        return str(policy["text"]) if policy else ""

    def _of_queue(self, region: str, name: str) -> str:
        with self.use_backend("sqs", region) as backend:
            queue = backend.queues.get(name)
            return str(queue.policy or "") if queue is not None else ""

    def _of_function(self, region: str, name: str) -> str:
        _, _, function = name.partition("function:")
        with self.use_backend("awslambda", region) as backend:
            stored = backend._lambdas._functions.get(function.partition(":")[0])
            functions = [stored["latest"], *stored["versions"]] if stored else []
            # Every version has a policy of its own, or the same one, so a Sid may come twice.
            policies = [each.policy for each in functions if each.policy]
            statements = [{**statement, "Sid": ""} for policy in policies for statement in policy.statements]
            return json.dumps({"Version": "2012-10-17", "Statement": statements}) if statements else ""

    def _of_bus(self, region: str, name: str) -> str:
        with self.use_backend("events", region) as backend:
            bus = backend.event_buses.get(name.removeprefix("event-bus/"))
            return str(bus.policy or "") if bus is not None else ""

    def _of_model_package(self, _region: str, name: str) -> str:
        kind, _, path = name.partition("/")
        is_of_group = kind in ("model-package-group", "model-package")
        policy = self.store.find(GROUP_POLICY, path.partition("/")[0]) if is_of_group else None
        return str(policy["ResourcePolicy"]) if policy else ""


_BY_SERVICE: Mapping[str, Callable[[ResourcePolicies, str, str], Any]] = {
    "s3": ResourcePolicies._of_bucket,
    "sqs": ResourcePolicies._of_queue,
    "lambda": ResourcePolicies._of_function,
    "events": ResourcePolicies._of_bus,
    "sagemaker": ResourcePolicies._of_model_package,
}
