"""What AWS does not have.

AwsFactsError               everything below; cause and remedy are for the user
└─ ImageNotFoundError       no such image in the SDK's tables
   └─ NoImageInRegionError  the image exists, but not in this region
"""

from __future__ import annotations


class AwsFactsError(Exception):
    """Something that AWS does not have."""

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(cause, remedy)
        self.cause = cause
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.cause}; {self.remedy}"


class ImageNotFoundError(AwsFactsError):
    """No such image in the SDK's tables; the remedy names images that exist."""


class NoImageInRegionError(ImageNotFoundError):
    """The image exists, but not in this region."""
