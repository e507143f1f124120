"""`pedigree local images list|explain|build|remove`: what stands for images, environments and layers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pedigree.cli import extras, printing
from pedigree.cli.errors import UsageError
from pedigree.cli.local_environment import CONTAINER, IMAGES, ContainerOption, ImagesOption, images_file

if TYPE_CHECKING:
    from pedigree.localaws.images.catalog import ImageCatalog
    from pedigree.localaws.images.environments import Environments
    from pedigree.localaws.images.layers import BuiltLayer, Layers

ImageArgument = Annotated[str, typer.Argument(metavar="IMAGE", help="An image's address, or a recipe's name.")]
_TITLE = 19

app = typer.Typer(help="What stands for images: recipes, and environments.", no_args_is_help=True)


@app.command(name="list")
def listing(container: ContainerOption = CONTAINER, images: ImagesOption = IMAGES) -> None:
    """Print all recipes, and the environments and layers on the disk."""
    catalog, environments = _images(container, images)
    for recipe in catalog.recipes:
        state = "ready" if environments.is_built(recipe) else "not made yet"
        printing.line(f"{recipe.name:20}{state:14}{', '.join(recipe.images)}")
    unused = _unused(catalog, environments)
    for built in environments.built():
        note = " (of a recipe that has changed)" if built.folder in unused else ""
        printing.line(f"{built.recipe:20}{built.megabytes:>5} MB      {built.folder}{note}")
    for layer in _layers(environments).built():
        note = " (unused)" if layer.is_old else ""
        title = f"layer: {layer.first}"[:_TITLE]
        printing.line(f"{title:20}{layer.megabytes:>5} MB      {layer.folder} on {layer.environment}{note}")


@app.command()
def explain(image: ImageArgument, container: ContainerOption = CONTAINER, images: ImagesOption = IMAGES) -> None:
    """Say which recipe an image gets, why, and what is in it."""
    catalog, environments = _images(container, images)
    found = catalog.find(image)
    recipe, folder = found.recipe, environments.folder_of(found.recipe)
    state = "ready" if environments.is_built(recipe) else "made when a job first needs it"
    printing.line(f"recipe       {recipe.name}, in {found.file}: {found.pattern} matches")
    printing.line(f"environment  {folder} ({state})")
    if recipe.dockerfile:
        runs = " ".join((*recipe.entrypoint, *recipe.command) or recipe.train) or "nothing by itself"
        printing.line(f"Dockerfile   {recipe.dockerfile}: {len(recipe.files)} files, runs {runs}")
    if recipe.packages:
        printing.line(f"packages     {', '.join(recipe.packages)}")
    for word, program in (("a script", recipe.script), ("no script", recipe.algorithm), ("a model", recipe.serve)):
        if program:
            printing.line(f"{word:13}{program}")
    for difference in recipe.differences:
        printing.line(f"differs      {difference}")


@app.command()
def build(
    image: Annotated[list[str], typer.Argument(metavar="IMAGE…", help="Addresses of images, or names of recipes.")],
    container: ContainerOption = CONTAINER,
    images: ImagesOption = IMAGES,
) -> None:
    """Make the environments of images before a job needs them."""
    catalog, environments = _images(container, images)
    for name in image:
        folder = environments.build(catalog.named(name), printing.remark)
        printing.line(str(folder))


@app.command()
def remove(
    image: Annotated[list[str] | None, typer.Argument(metavar="IMAGE…", help="Images, or names of recipes.")] = None,
    container: ContainerOption = CONTAINER,
    images: ImagesOption = IMAGES,
    everything: Annotated[bool, typer.Option("--all", help="Remove all that pedigree has made.")] = False,
    unused: Annotated[bool, typer.Option("--unused", help="Remove what no recipe and no recent job uses.")] = False,
) -> None:
    """Remove environments and layers; a job that needs one makes it anew."""
    catalog, environments = _images(container, images)
    if not image and not everything and not unused:
        raise UsageError("no image is named", "name images, or use --unused or --all")
    folders = [built.folder for built in environments.built()] if everything else []
    folders += _unused(catalog, environments) if unused and not everything else []
    recipes = [catalog.named(name) for name in image or ()]
    for recipe in recipes:
        if recipe.environment:
            raise UsageError(f"{recipe.environment} was not made by pedigree", "remove it yourself")
    for folder in (*folders, *(environments.folder_of(recipe) for recipe in recipes)):
        environments.remove(folder)
        printing.line(f"removed {folder}")
    _remove_layers(environments, is_chosen=lambda layer: everything or (unused and layer.is_old))


def _remove_layers(environments: Environments, is_chosen: Callable[[BuiltLayer], bool]) -> None:
    layers = _layers(environments)
    for layer in (layer for layer in layers.built() if is_chosen(layer)):
        done = "removed" if layers.remove(layer.folder) else "a job uses, so it stays:"
        printing.line(f"{done} {layer.folder}")


def _unused(catalog: ImageCatalog, environments: Environments) -> list[Path]:
    """The environments of recipes that are no more, or have changed; another project may still have one."""
    used = {environments.folder_of(recipe) for recipe in catalog.recipes}
    return [built.folder for built in environments.built() if built.folder not in used]


def _layers(environments: Environments) -> Layers:
    from pedigree.localaws.images.layers import Layers

    return Layers(environments.folder)


def _images(container: Path, images: Path) -> tuple[ImageCatalog, Environments]:
    extras.demand("local")
    from pedigree.localaws.images.catalog import ImageCatalog
    from pedigree.localaws.images.environments import Environments

    return ImageCatalog(images_file(images), container.resolve() if container.exists() else None), Environments()
