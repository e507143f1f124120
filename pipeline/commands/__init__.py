"""The verbs of this pipeline. They join the command `pedigree` by an entry point."""
