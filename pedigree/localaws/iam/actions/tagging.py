"""Finding resources by their tags: a list that takes no resource."""

from __future__ import annotations

from pedigree.localaws.iam.actions.needs import Table

TABLE = Table("resourcegroupstaggingapi", "tag", {})
