"""The nodes of the graph, one file each: what a build fixes about it (its Config), and the step it becomes.

A step takes its Config, the Site it lives in and the outputs of the steps before it; it imports neither parameters
nor settings.
"""
