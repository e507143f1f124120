"""SageMaker's control plane as a whole: what needs all kinds of resources at once."""
