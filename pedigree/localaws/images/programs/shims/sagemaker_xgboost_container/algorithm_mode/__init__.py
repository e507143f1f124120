"""The built-in algorithm: training and serving without a script."""
