"""Tests of containers, and of networks without a way out, are collected where the kernel has namespaces."""

from __future__ import annotations

from tests.support.containers import HAS_CONTAINERS

collect_ignore = [] if HAS_CONTAINERS else ["test_clients.py", "test_hosts_of_jobs.py", "test_sdks.py"]
