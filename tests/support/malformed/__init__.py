"""Generates requests of any AWS service from botocore's models: valid ones, and ones with a single fault."""
