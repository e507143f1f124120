"""Settings: read from files, environment and options, merged, and validated into one typed tree."""
