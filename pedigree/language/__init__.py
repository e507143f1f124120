"""The definition language, pure: JSON in, frozen dataclasses out, and what botocore knows of the requests inside."""
