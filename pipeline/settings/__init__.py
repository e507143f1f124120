"""Settings: read from files, environment and options, laid upon each other, and validated into one typed tree."""
