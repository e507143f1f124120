"""The recipe of an image that a Dockerfile describes: that of its first image, with what the Dockerfile adds."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from dataclasses import replace

from pedigree.localaws.engine.command_lines import NONE
from pedigree.localaws.images.build_context import BuildContext
from pedigree.localaws.images.dockerfile import DockerImage, followed
from pedigree.localaws.images.errors import ImageError, RecipeError
from pedigree.localaws.images.package_lists import merged, name_of
from pedigree.localaws.images.recipe import NO_PACKAGES, Recipe

_SCRIPT_MODE = "script_mode"
# Of AWS: what they do, our own script mode does; some need a compiler.
_TOOLKITS = (
    "sagemaker-training",
    "sagemaker-containers",
    "sagemaker-pytorch-training",
    "sagemaker-experiments-training",
)
_TRAIN, _SERVE = "train", "serve"


def with_dockerfile(recipe: Recipe, base_of: Callable[[str], Recipe]) -> Recipe:
    """The recipe with all that its Dockerfile says; base_of finds the recipe of the image that this begins with."""
    file = recipe.dockerfile
    if file is None or recipe.engine not in ("", NONE):
        return recipe
    context = BuildContext(recipe.folder or file.parent)
    text = context.text(file)
    try:
        image = followed(text, context, recipe.arguments, recipe.skip)
        base = base_of(image.base)
    except (RecipeError, ImageError) as error:
        raise type(error)(f"{file}: {error.cause}", error.remedy) from None
    return _combined(recipe, base, image)


def _combined(recipe: Recipe, base: Recipe, image: DockerImage) -> Recipe:
    wanted = [line for line in image.packages if name_of(line) not in _TOOLKITS]
    has_toolkit = len(wanted) < len(image.packages)
    packages = merged(merged(base.packages, wanted), recipe.packages)
    if base.environment and packages:
        raise RecipeError(f"{recipe.dockerfile}: {NO_PACKAGES}", f"install {packages[0]} … into {base.environment}")
    return replace(
        base,
        name=recipe.name,
        images=recipe.images,
        packages=packages,
        python=recipe.python or base.python,
        script=recipe.script or base.script or (_SCRIPT_MODE if has_toolkit else ""),
        algorithm=recipe.algorithm or base.algorithm,
        serve=recipe.serve or base.serve,
        train=recipe.train or ((_TRAIN,) if _has(image, _TRAIN) else base.train),
        variables={**base.variables, **image.variables, **recipe.variables},
        differences=tuple(_differences(recipe, base, image, has_toolkit=has_toolkit)),
        dockerfile=recipe.dockerfile,
        folder=recipe.folder,
        arguments=recipe.arguments,
        skip=recipe.skip,
        engine=recipe.engine,
        files=tuple(image.files.values()),
        folders=tuple(dict.fromkeys(image.folders)),
        working_folder=image.working_folder,
        entrypoint=image.entrypoint,
        command=image.command,
    )


def _has(image: DockerImage, program: str) -> bool:
    """Whether a program of a name was copied."""
    return any(posixpath.basename(target) == program for target in image.files)


def _differences(recipe: Recipe, base: Recipe, image: DockerImage, *, has_toolkit: bool) -> Iterator[str]:
    yield f"{recipe.dockerfile} is followed from {image.base}, for which {base.name} stands"
    yield from base.differences
    yield from image.notes
    if has_toolkit:
        yield "pedigree's own script mode stands for AWS's toolkit, which the Dockerfile installs"
    yield from recipe.differences
