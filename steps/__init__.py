"""The nodes of the graph, one file each: its Config, and the function that makes the step.

A step gets its Config, what all steps share (Build), and the steps that it depends on; it imports nothing of pipeline.
"""
