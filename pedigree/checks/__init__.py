"""Finds what is wrong with a pipeline definition before AWS refuses it, or fails halfway through an execution."""
