"""What can be wrong with a document that should be a policy."""


class PolicyError(Exception):
    """A document that IAM would not take for a policy; says which statement, and what is wrong with it."""
