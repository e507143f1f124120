"""Parses pipeline definitions: JSON in, frozen dataclasses out, with the shapes of requests from botocore's model."""
