"""Which recipe an image gets: the user's own recipes come first, then those of pedigree."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from pedigree.localaws.images.dockerfile_recipes import with_dockerfile
from pedigree.localaws.images.errors import ImageError, RecipeError
from pedigree.localaws.images.recipe import Recipe, parse, spellings

_OWN_FILE = Path(__file__).with_name("recipes.toml")
USER_FILE = "images.toml"
PYTORCH = "pytorch"
_OF_THE_TAG = "tag"
_ENGINE = "pedigree local up --engine auto"
_VERSION = re.compile(r":(3\.\d+)")

NOT_HERE: Mapping[str, str] = {
    "autopilot": "Autopilot",
    "blazingtext": "BlazingText",
    "factorization-machines": "Factorization Machines",
    "forecasting-deepar": "DeepAR",
    "image-classification": "Image Classification",
    "ipinsights": "IP Insights",
    "lda": "Latent Dirichlet Allocation",
    "ntm": "Neural Topic Model",
    "object-detection": "Object Detection",
    "object2vec": "Object2Vec",
    "sagemaker-clarify-processing": "Clarify",
    "sagemaker-data-wrangler-container": "Data Wrangler",
    "sagemaker-debugger-rules": "Debugger's rules",
    "sagemaker-model-monitor-analyzer": "Model Monitor",
    "semantic-segmentation": "Semantic Segmentation",
    "seq2seq": "Sequence-to-Sequence",
}
"""AWS's own programs that cannot run here, by the repository of their image."""


@dataclass(frozen=True)
class Found:
    """The recipe of an image, the pattern that the image matches, and the file with both."""

    recipe: Recipe
    pattern: str
    file: str


class ImageCatalog:
    """All recipes: those in the user's file, which is read anew whenever it has changed, and pedigree's own.

    pytorch is an environment that is there already, and stands for the images of PyTorch.
    """

    def __init__(self, user_file: Path | None = None, pytorch: Path | None = None) -> None:
        self._user_file = user_file
        self._read: tuple[str, tuple[Recipe, ...]] = "", ()
        self._pytorch = pytorch

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        """All of them, in the order in which they are tried."""
        followed = map(self._followed, (*self._user_recipes(), *own_recipes()))
        return tuple(_with_environment(recipe, self._pytorch) for recipe in followed)

    def find(self, image: str) -> Found:
        """The recipe of an image; ImageError if it has none, RecipeError if its Dockerfile cannot be followed."""
        found = self._find(image)
        return replace(found, recipe=_with_environment(found.recipe, self._pytorch))

    def _find(self, image: str, *above: Recipe) -> Found:
        """The recipe of an image, but none of those above, whose Dockerfiles begin with it."""
        users = self._user_recipes()
        for recipe in (*users, *own_recipes()):
            if recipe not in above and (pattern := recipe.pattern_of(image)):
                file = str(self._user_file) if recipe in users else "pedigree"
                return Found(_with_python(self._followed(recipe, *above), image), pattern, file)
        raise _no_recipe(image, self._user_file)

    def _followed(self, recipe: Recipe, *above: Recipe) -> Recipe:
        """The recipe, with what its Dockerfile says."""
        return with_dockerfile(recipe, lambda base: self._find(base, recipe, *above).recipe)

    def named(self, name: str) -> Recipe:
        """The recipe of a name, or else of an image."""
        return next((recipe for recipe in self.recipes if recipe.name == name), None) or self.find(name).recipe

    def _user_recipes(self) -> tuple[Recipe, ...]:
        path = self._user_file
        if path is None:
            return ()
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return ()
        except (OSError, UnicodeDecodeError) as error:
            raise RecipeError(f"{path} cannot be read: {error}", "make it a text file, or remove it") from None
        if text != self._read[0]:
            self._read = text, parse(text, path.name, own_recipes(), path.resolve().parent)
        return self._read[1]


@lru_cache(maxsize=1)
def own_recipes() -> tuple[Recipe, ...]:
    """The recipes that come with pedigree."""
    return parse(_OWN_FILE.read_text(encoding="utf-8"), _OWN_FILE.name)


def _pytorch_packages() -> tuple[str, ...]:
    return next(recipe.packages for recipe in own_recipes() if recipe.name == PYTORCH)


def _with_environment(recipe: Recipe, pytorch: Path | None) -> Recipe:
    """The recipe in the environment for PyTorch, if it has the packages of PyTorch's own recipe and no others."""
    is_pytorch = recipe.packages == _pytorch_packages() and not (recipe.requirements or recipe.python)
    if not is_pytorch or pytorch is None:
        return recipe
    toolkit = "bin/train" if (pytorch / "bin" / "train").exists() else recipe.script
    return replace(recipe, environment=pytorch, packages=(), script=toolkit)


def _with_python(recipe: Recipe, image: str) -> Recipe:
    """The recipe with the version of Python in the image's tag, if it asks for that."""
    if recipe.python != _OF_THE_TAG:
        return recipe
    version = _VERSION.search(spellings(image)[1])
    return replace(recipe, python=version[1] if version else "")


def _no_recipe(image: str, user_file: Path | None) -> ImageError:
    repository = spellings(image)[1].partition(":")[0].partition("@")[0]
    name = NOT_HERE.get(repository.rpartition("/")[2])
    file = user_file or Path(USER_FILE)
    if name:
        cause = f"the local AWS has nothing that stands for {name}, whose program is inside of the image {image}"
        return ImageError(cause, "leave the step out for this machine, or use a script of your own")
    lines = f'[[recipe]] name = "{repository.rpartition("/")[2]}" images = ["{spellings(image)[0]}"] packages = ["…"]'
    cause = f"nothing says what stands for the image {image}, and the local AWS pulls no images"
    return ImageError(cause, f"describe it in {file}: {lines} or dockerfile, or have an engine run it: {_ENGINE}")
