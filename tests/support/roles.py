"""Roles for tests in which IAM decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pedigree.localaws.services.s3.catalog import ObjectCatalog


@dataclass(frozen=True)
class AllowedRoles:
    """Every role may read and write all objects, and has no credentials."""

    catalog: ObjectCatalog

    def environment(self, _role: str, _source: str) -> Mapping[str, str]:
        return {}

    def objects(self, _role: str, _source: str) -> ObjectCatalog:
        return self.catalog
