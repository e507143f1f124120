"""The commands: the composition root, where files, clock, processes and AWS are handed in."""
