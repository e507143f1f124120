"""Pipelines and their executions.

planner.py decides which steps start and when all is over, values.py resolves expressions: both are pure. executor.py
does what the planner says, and steps/ has a runner for each type of step.
"""
