"""The pipeline itself, created or updated; the plan says what a difference means.

The existing definition is compared with the new one by meaning, not as text: AWS may return it in another form. A large
definition is uploaded to the bucket first, because a request has a limited size.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pedigree.account import differences
from pedigree.account.account import Account
from pedigree.account.errors import UnfinishedError
from pedigree.account.plan import ApiCall, Change
from pedigree.language.definition import Definition, parse, read
from pedigree.language.errors import LanguageError
from pedigree.language.revision import changes
from pipeline.account import tags
from pipeline.document import document
from pipeline.settings.tree import Settings
from pipeline.source import SourceArchive
from steps.site import SiteConfig

KIND = "pipeline"
INLINE_BYTES = 100 * 1024


@dataclass(frozen=True)
class ManagedPipeline:
    """The pipeline with its name and definition."""

    settings: Settings
    document: Mapping[str, Any]

    @property
    def name(self) -> str:
        return self.settings.pipeline.name

    def changes(self, account: Account) -> Iterator[Change]:
        existing = account.find("sagemaker", "describe_pipeline", PipelineName=self.name)
        if existing is None:
            yield self._creation()
            return
        if existing.get("PipelineStatus") == "Deleting":
            raise UnfinishedError(f"pipeline {self.name} is being deleted", "run it again in a minute")
        there = tags.mapping(account.each("sagemaker", "list_tags", "Tags", ResourceArn=existing["PipelineArn"]))
        wanted = tags.wanted(self.settings)
        tags.check_made(KIND, self.name, there, wanted, "pipeline.name")
        lacking = tags.lacking(KIND, self.name, there, wanted)
        why = (*differences.fields(existing, self._members), *self._revision(existing.get("PipelineDefinition", "")))
        calls = self._written("update_pipeline", {}) if why else ()
        if lacking:
            labelled = {"ResourceArn": existing["PipelineArn"], "Tags": tags.pairs(lacking)}
            calls = (*calls, ApiCall("sagemaker", "add_tags", labelled))
        if calls:
            yield Change("update", KIND, self.name, calls, (*why, *tags.differences(there, lacking)))

    def _creation(self) -> Change:
        steps, parameters = len(self._definition.by_name()), len(self._definition.parameters)
        calls = self._written("create_pipeline", {"Tags": tags.pairs(tags.wanted(self.settings))})
        return Change("create", KIND, self.name, calls, (f"{steps} steps, {parameters} parameters",))

    def _revision(self, text: str) -> list[str]:
        """How the definition in the account differs."""
        try:
            return changes(parse(text), self._definition)
        except LanguageError as error:
            return [f"the definition that is there cannot be read: {error}"]

    def _written(self, operation: str, members: Mapping[str, Any]) -> tuple[ApiCall, ...]:
        """The call that writes it, after an upload if the definition is large."""
        named = {"PipelineName": self.name, **self._members, **members}
        if len(self._text.encode()) <= INLINE_BYTES:
            return (ApiCall("sagemaker", operation, {**named, "PipelineDefinition": self._text}),)
        upload = _upload(self._text.encode(), self.settings.site)
        where = {"Bucket": upload.arguments["Bucket"], "ObjectKey": upload.arguments["Key"]}
        return upload, ApiCall("sagemaker", operation, {**named, "PipelineDefinitionS3Location": where})

    @cached_property
    def _definition(self) -> Definition:
        return read(self.document)

    @cached_property
    def _text(self) -> str:
        return json.dumps(self.document, ensure_ascii=False, separators=(",", ":"))

    @property
    def _members(self) -> dict[str, Any]:
        """The fields of a pipeline other than definition and tags."""
        naming, site = self.settings.pipeline, self.settings.site
        return {
            "PipelineDescription": naming.description,
            "RoleArn": site.role("pipeline"),
            "ParallelismConfiguration": {"MaxParallelExecutionSteps": naming.parallel_steps},
        }


def managed_pipeline(settings: Settings, archive: SourceArchive) -> ManagedPipeline:
    """The pipeline of these settings, which name their account, and of this code."""
    return ManagedPipeline(settings, document(settings, archive))


def _upload(content: bytes, site: SiteConfig) -> ApiCall:
    """Uploads the definition under a key made from its content, so that earlier ones stay as they were."""
    digest, key = hashlib.sha256(content).hexdigest(), site.encryption.output_key
    arguments = {
        "Bucket": site.bucket_name,
        "Key": f"{site.prefix}/definitions/{digest[:16]}.json",
        "ExpectedBucketOwner": site.account_id,
        "Body": content,
        "ContentType": "application/json",
        **({"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key} if key else {}),
    }
    return ApiCall("s3", "put_object", arguments)
