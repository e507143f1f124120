"""The resources of this pipeline in an account: planned first, then created."""
