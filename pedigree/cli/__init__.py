"""The command line of pedigree: the composition root, where files, the environment and standard output come in.

A verb imports what it needs inside its functions, so that help and usage errors answer at once.
"""
