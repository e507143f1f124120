"""Loads the pipelines that a Python script defines with the SageMaker SDK: no network, no account, no credentials."""
