"""The verbs of this pipeline, which join the command `pedigree` by entry points.

They import what they need inside their functions, as pedigree's own verbs do: help must answer at once.
"""
