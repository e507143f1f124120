"""What jobs and models run of an image: the command of a job, and what a failure says of what stood for the image."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from pedigree.errors import Mistake
from pedigree.localaws.engine.engines import Engine, Engines
from pedigree.localaws.engine.errors import EngineError
from pedigree.localaws.images import algorithm_metrics, xgboost_metrics
from pedigree.localaws.images.catalog import Found, ImageCatalog, own_recipes
from pedigree.localaws.images.environments import Environments
from pedigree.localaws.images.errors import ImageError
from pedigree.localaws.images.recipe import Recipe

PROGRAMS = "/opt/local-aws/programs"
"""Where a container has the programs of images; PROGRAMS_FOLDER is where they are on this machine."""
PROGRAMS_FOLDER = Path(__file__).resolve().parents[3] / "images" / "programs"
PROGRAM, SUBMITTED = "sagemaker_program", "sagemaker_submit_directory"
_MODULE = re.compile(r"\bModuleNotFoundError: No module named '([\w.]+)'")
_ECR = re.compile(r"\d{12}\.dkr\.ecr(-fips)?\.[a-z0-9-]+\.[a-z0-9.-]+/\S+")
_LONGEST_REASON = 1024
_NOTEBOOK_PROGRAM = "amazon_sagemaker_scheduler"
_SCRIPT_MODE = "script_mode"
_INSTALLING_STARTERS = ("runproc.sh", "sm_train.sh")
"""Of a FrameworkProcessor, and of version 3's ModelTrainer."""
_MOST_DIFFERENCES = 700
_AWS_TOOLKIT = b"sagemaker_training"
_PROGRAM_VARIABLE = "SAGEMAKER_PROGRAM"
"""How an image or a job names a script, where no hyperparameter does."""
_TRAIN = "train"
_PATH = "${PATH}"
_ALGORITHM = "SAGEMAKER_ALGORITHM"
"""The variable of an image that says which built-in algorithm it is."""


@dataclass(frozen=True)
class Images:
    """All images that something stands for: their recipes, and the environments that are made from those."""

    catalog: ImageCatalog
    environments: Environments
    engines: Engines = field(default_factory=Engines)

    def engine(self, image: str) -> Engine | None:
        """The engine that runs an image itself; None if its environment does. EngineError if one does not answer."""
        try:
            setting, is_described = self.find(image).recipe.engine, True
        except ImageError:
            setting, is_described = "", False
        return self.engines.engine(setting, is_described=is_described)

    def find(self, image: str) -> Found:
        """The recipe of an image; ImageError if it has none."""
        return self.catalog.find(image)

    def is_address(self, image: str) -> bool:
        """Whether an image is one of a registry of ECR, or one that a recipe or an engine here knows by this name."""
        if _ECR.fullmatch(image):
            return True
        try:
            return self.engine(image) is not None or bool(self.find(image))
        except EngineError:
            return True  # the plan of its job will say what is wrong with the engine
        except Mistake:
            return False

    def python(self, recipe: Recipe) -> str:
        """The Python of a recipe's environment, whether that is made already or not."""
        return str(self.environments.folder_of(recipe) / "bin" / "python")

    def variables(self, image: str) -> Mapping[str, str]:
        """The image's own environment variables; {tag} in them is the image's tag."""
        tag = re.split(r"[:@]", image.rpartition("/")[2])[1:]
        written = self.find(image).recipe.variables
        return {name: value.replace("{tag}", tag[0] if tag else "latest") for name, value in written.items()}

    def build(self, found: Found, image: str, on_line: Callable[[str], None]) -> Path:
        """The environment of an image's recipe, which is made if it is not there; its differences are logged."""
        folder = self.environments.build(found.recipe, lambda line: on_line(f"[local AWS] {line}"))
        for difference in found.recipe.differences:
            on_line(f"[local AWS] {found.recipe.name} stands for {image}: {difference}"[:_MOST_DIFFERENCES])
        return folder


def training_command(job: Mapping[str, Any], images: Images) -> tuple[str, ...]:
    """What a training job runs: its own command, its script, or the program of its image; ImageError if none is here.

    Of the hyperparameters one says whether there is a script. An image that only starts scripts starts without one,
    too, and fails as on AWS.
    """
    algorithm = job.get("AlgorithmSpecification") or {}
    own = (*algorithm.get("ContainerEntrypoint", ()), *algorithm.get("ContainerArguments", ()))
    if images.engine(image_of(job)):
        return own or (_TRAIN,)
    found = images.find(image_of(job))
    if algorithm.get("ContainerEntrypoint"):
        return own
    recipe = found.recipe
    if recipe.entrypoint:
        return (*recipe.entrypoint, *(own or (_TRAIN,)))
    has_script = _has_script(job, recipe)
    program = recipe.script if has_script or not recipe.algorithm else recipe.algorithm
    if recipe.train and not (has_script and recipe.script):
        return (*recipe.train, *own)
    if not program:
        raise _no_program(image_of(job), found)
    if not program.startswith("bin/"):
        return (images.python(recipe), f"{PROGRAMS}/{program}.py", *own)
    path = images.environments.folder_of(recipe) / program
    if not path.is_file() or _AWS_TOOLKIT not in path.read_bytes():
        return (str(path), *own)
    return (images.python(recipe), f"{PROGRAMS}/toolkit_start.py", str(path), *own)


def _has_script(job: Mapping[str, Any], recipe: Recipe) -> bool:
    """Whether a hyperparameter names a script, or a variable of the job or of its image does."""
    hyperparameters = job.get("HyperParameters") or job.get("StaticHyperParameters") or {}
    variables = {**recipe.variables, **(job.get("Environment") or {})}
    return PROGRAM in hyperparameters or _PROGRAM_VARIABLE in variables


def unpacks_source(job: Mapping[str, Any], images: Images) -> bool:
    """Whether the program that starts a job's script expects its source in the container: only AWS's own fetches it."""
    if images.engine(image_of(job)):
        return False
    script = images.find(image_of(job)).recipe.script
    command = (job.get("AlgorithmSpecification") or {}).get("ContainerEntrypoint")
    return not command and bool(script) and not script.startswith("bin/")


def has_own_modules(job: Mapping[str, Any], images: Images) -> bool:
    """Whether an image is one of AWS's frameworks, whose modules for scripts are on no index."""
    recipe = images.find(image_of(job)).recipe
    return recipe.script == _SCRIPT_MODE and bool(recipe.serve)


def processing_command(job: Mapping[str, Any], images: Images) -> tuple[str, ...]:
    """What a processing job runs; ImageError if its program is inside of an image that is not here."""
    application = job["AppSpecification"]
    if images.engine(image_of(job)):
        return (*(application.get("ContainerEntrypoint") or ()), *(application.get("ContainerArguments") or ()))
    if not application.get("ContainerEntrypoint"):  # arguments alone are for the program of the image
        if own := _own_program(application, images):
            return own
        cause = "AppSpecification has no ContainerEntrypoint: the program is inside of the image"
        raise ImageError(f"{cause} {image_of(job)}, and the local AWS pulls no images", "give the job a command")
    recipe = images.find(image_of(job)).recipe
    _check_needs(image_of(job), recipe)
    command = (*application["ContainerEntrypoint"], *application.get("ContainerArguments", ()))
    if program := recipe.commands.get(str(command[0])):
        return (images.python(recipe), f"{PROGRAMS}/{program}.py", *command[1:])
    return command


def _check_needs(image: str, recipe: Recipe) -> None:
    """ImageError if a program that an image needs is not on this machine."""
    for program in recipe.needs:
        if not shutil.which(program):
            cause = f"the image {image} needs {program}, and this machine has none"
            raise ImageError(cause, f"install {program} with the machine's own packages, or leave the step out")


def _own_program(application: Mapping[str, Any], images: Images) -> tuple[str, ...]:
    """What an image that a Dockerfile describes runs by itself; a job's arguments come in place of its own."""
    try:
        recipe = images.find(str(application.get("ImageUri", ""))).recipe
    except ImageError:
        return ()
    arguments = application.get("ContainerArguments") or recipe.command
    return (*recipe.entrypoint, *arguments) if recipe.dockerfile else ()


def metric_definitions(job: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The name and the expression of each metric of a training job: its own, or those of its image.

    XGBoost's image has them for scripts, too, which print their metrics as its algorithm does.
    """
    algorithm = job.get("AlgorithmSpecification") or {}
    if own := algorithm.get("MetricDefinitions"):
        return tuple((metric["Name"], metric["Regex"]) for metric in own)
    if algorithm.get("ContainerEntrypoint"):
        return ()
    matching = (recipe for recipe in own_recipes() if recipe.pattern_of(image_of(job)))
    recipe = next(matching, None)
    return _built_in_metrics(recipe.algorithm, recipe.variables.get(_ALGORITHM, "")) if recipe else ()


@lru_cache(maxsize=8)
def _built_in_metrics(program: str, algorithm: str) -> tuple[tuple[str, str], ...]:
    if program == "xgboost_training":
        return tuple(xgboost_metrics.definitions())
    return tuple(algorithm_metrics.definitions(algorithm)) if program == "algorithm_training" else ()


def image_of(job: Mapping[str, Any]) -> str:
    """The image of a job; empty if that is not known yet, or not named."""
    named = (job.get("AlgorithmSpecification") or {}).get("TrainingImage")
    named = named or (job.get("AppSpecification") or {}).get("ImageUri", "")
    return named if isinstance(named, str) else ""


def in_environment(
    variables: Mapping[str, str], environment: Path, more: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The variables of a process whose first programs are those of an environment.

    An image may have more folders with programs: its PATH has ${PATH} in place of the one that is here.
    """
    path = f"{environment / 'bin'}{os.pathsep}{variables.get('PATH', os.defpath)}"
    own = (more or {}).get("PATH", _PATH)
    return {
        **variables,
        **(more or {}),
        "PATH": own.replace(_PATH, path) if _PATH in own else f"{own}{os.pathsep}{path}",
    }


def processing_refusal(application: Mapping[str, Any]) -> str:
    """Why the program of a processing job cannot run here, by its AppSpecification; empty if it can.

    The arguments alone are no command: they are for the program of the image.
    """
    if application.get("ContainerEntrypoint"):
        return ""
    return (
        f"AppSpecification has no ContainerEntrypoint: the program is inside of the image "
        f"{application.get('ImageUri', '')}, and the local AWS pulls no images. Give the job a command."
    )


def notebook_refusal(command: Sequence[str], environment: Path, why_no_containers: str) -> str:
    """Why the job of a NotebookJob step cannot run; empty for any other job, and if it can.

    AWS's own program, which runs notebooks with papermill, is on PyPI. It knows /opt/ml alone: it needs a container.
    """
    if not command or command[0] != _NOTEBOOK_PROGRAM:
        return ""
    if why_no_containers:
        return f"a notebook job needs a container, and there is none: {why_no_containers}"
    if (environment / "bin" / _NOTEBOOK_PROGRAM).exists():
        return ""
    return (
        f"{environment} stands for the image of the notebook job, and has no {_NOTEBOOK_PROGRAM}; "
        'describe the image in images.toml with like = "notebooks"'
    )


def missing_module(line: str) -> str:
    """The module that a line of a job's log misses; empty if it says nothing of that."""
    match = _MODULE.search(line)
    return match[1] if match else ""


def with_missing_module(reason: str, module: str, job: Mapping[str, Any], recipe: str, environment: Path) -> str:
    """The reason of a failure, and the environment that stood for the job's image and lacks a module."""
    remedy = (
        "a requirements.txt beside the script installs it"
        if _reads_requirements(job)
        else "let the script install it with pip"
    )
    stood = f"the recipe {recipe} ({environment}) stood for the image {image_of(job)}, and has no {module}"
    hint = f" [local AWS] {stood}; {remedy}, or describe the image in images.toml"
    return f"{reason[: _LONGEST_REASON - len(hint)]}{hint}"


def _reads_requirements(job: Mapping[str, Any]) -> bool:
    """Whether something installs a requirements.txt before the script: AWS's toolkit, or the SDK's own starter."""
    algorithm = job.get("AlgorithmSpecification") or job.get("AppSpecification") or {}
    command = [*(algorithm.get("ContainerEntrypoint") or ()), *(algorithm.get("ContainerArguments") or ())]
    by_toolkit = "TrainingImage" in algorithm and not command
    return by_toolkit or any(starter in str(word) for word in command for starter in _INSTALLING_STARTERS)


def _no_program(image: str, found: Found) -> ImageError:
    cause = f"the program of the image {image} is not here: {found.recipe.name} stands for it and has none"
    return ImageError(cause, "give the job a script or a ContainerEntrypoint, or leave the step out for this machine")
