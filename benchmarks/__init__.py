"""Benchmarks. Each measures in the same run what it is compared to, and prints ratios, because machines are noisy."""
