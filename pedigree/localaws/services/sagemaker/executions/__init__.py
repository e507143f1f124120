"""Pipelines and their executions.

core/ has what an execution is: its planner decides which steps start and when all is over. steps/ has a runner for each
type of step. executor.py carries out the planner's actions.
"""
