"""IAM in front of every call: who makes it, what it needs, and whether the policies in IAM's state allow that."""
