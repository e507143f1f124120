"""The cost of a step that does nothing: shapes of pipelines, the local AWS, and other orchestrators."""
