"""What is wrong with an image, or with what the user wrote about one."""

from __future__ import annotations

from pedigree.localaws.kernel.errors import LocalAwsError


class ImageError(LocalAwsError):
    """An image for which nothing can stand here, or whose environment cannot be built."""


class RecipeError(LocalAwsError):
    """A file of recipes that cannot be read."""
