"""Requests of any AWS service made from botocore's models: right ones, and ones with one thing wrong in them."""
