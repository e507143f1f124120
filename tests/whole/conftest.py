"""Tests of containers are collected where the kernel has namespaces."""

from __future__ import annotations

from tests.support.containers import HAS_CONTAINERS

collect_ignore = [] if HAS_CONTAINERS else ["test_hosts_of_jobs.py"]
