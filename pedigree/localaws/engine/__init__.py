"""Container engines of this machine (docker, podman, nerdctl, finch): they run the image of a job itself.

command_lines.py says what an engine is called with, purely; engines.py finds engines and calls them.
"""
