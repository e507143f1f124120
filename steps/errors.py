"""What a part of the definition cannot be made of.

StepsError                  everything below; its message is for the user: cause and remedy
└─ ImageNotFoundError       no such image in the SDK's tables
   └─ NoImageInRegionError  there is such an image, and not in this region
"""

from __future__ import annotations


class StepsError(Exception):
    """A step that cannot be made."""


class ImageNotFoundError(StepsError):
    """No such image in the SDK's tables; says what there is instead."""


class NoImageInRegionError(ImageNotFoundError):
    """There is such an image, and not in this region."""
