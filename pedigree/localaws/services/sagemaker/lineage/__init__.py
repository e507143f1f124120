"""Where a model comes from and where it serves: what SageMaker notes by itself, and what clients add."""
