"""What AWS does not have.

AwsFactsError               everything below; cause and remedy are for the user
└─ ImageNotFoundError       no such image in the SDK's tables
   └─ NoImageInRegionError  the image exists, but not in this region
"""

from __future__ import annotations

from pedigree.errors import Mistake


class AwsFactsError(Mistake):
    """Something that AWS does not have."""


class ImageNotFoundError(AwsFactsError):
    """No such image in the SDK's tables; the remedy names images that exist."""


class NoImageInRegionError(ImageNotFoundError):
    """The image exists, but not in this region."""
