"""What all of SageMaker's resources have in common, and those that nothing runs for: models, versions, tags."""
