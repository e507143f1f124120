"""`pedigree …`: the commands, and the composition root: files, environment and standard output come in here."""
