"""Measurements, each in one run beside what it is compared to, and told as ratios: machines are noisy."""
