"""All settings: one typed, frozen tree, composed of the Config of every part.

This is the tree with its defaults; loading.py fills it from files and the environment.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipeline.settings.ignoring import Checks
from pipeline.settings.schedule import Schedule
from steps.build import Images
from steps.config import Config, HyphenatedName
from steps.configure_autoscaling import Autoscaling
from steps.debugger import Debugger
from steps.deploy_endpoint import Endpoint
from steps.functions import Functions
from steps.policies import Cache, Retries
from steps.prepare_data import Data
from steps.processing_job import Processing
from steps.quality_gate import Quality
from steps.register_model import Registry
from steps.site import Site
from steps.train_distributed import Distributed
from steps.training_job import Training
from steps.tune import Tuning


class Naming(Config):
    """The name and the members of the pipeline itself."""

    name: Annotated[HyphenatedName, Field(max_length=32)] = "dog-breeds"
    """Functions and queues are named after it."""
    description: Annotated[str, Field(max_length=3072)] = (
        "From a folder of images to a deployed, autoscaled classifier."
    )
    """Shown in Studio."""
    parallel_steps: Annotated[int, Field(ge=1, le=100)] = 5
    """How many steps an execution runs at once."""


class Settings(Config):
    """Everything that is decided when a definition is built."""

    pipeline: Naming = Naming()
    site: Site = Site()
    images: Images = Images()
    data: Data = Data()
    processing: Processing = Processing()
    training: Training = Training()
    tuning: Tuning = Tuning()
    distributed: Distributed = Distributed()
    debugger: Debugger = Debugger()
    quality: Quality = Quality()
    registry: Registry = Registry()
    endpoint: Endpoint = Endpoint()
    autoscaling: Autoscaling = Autoscaling()
    functions: Functions = Functions()
    schedule: Schedule = Schedule()
    retries: Retries = Retries()
    cache: Cache = Cache()
    checks: Checks = Checks()
