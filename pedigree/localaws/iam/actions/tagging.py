"""Resource Groups Tagging: it finds resources by their tags, and takes none."""

from __future__ import annotations

from pedigree.localaws.iam.actions.needs import ActionTable

TABLE = ActionTable("resourcegroupstaggingapi", "tag", {})
