"""All settings: one typed, frozen tree, composed of the Config of every part.

This is the tree with its defaults; loading.py fills it from files and the environment.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipeline.settings.ignoring import ChecksConfig
from pipeline.settings.schedule import ScheduleConfig
from steps.build import ImagesConfig
from steps.config import Config, HyphenatedName
from steps.configure_autoscaling import AutoscalingConfig
from steps.debugger import DebuggerConfig
from steps.deploy_endpoint import EndpointConfig
from steps.functions import FunctionsConfig
from steps.policies import CacheConfig, RetriesConfig
from steps.prepare_data import DataConfig
from steps.processing_job import ProcessingConfig
from steps.quality_gate import QualityConfig
from steps.register_model import RegistryConfig
from steps.site import SiteConfig
from steps.train_distributed import DistributedConfig
from steps.training_job import TrainingConfig
from steps.tune import TuningConfig


class NamingConfig(Config):
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

    pipeline: NamingConfig = NamingConfig()
    site: SiteConfig = SiteConfig()
    images: ImagesConfig = ImagesConfig()
    data: DataConfig = DataConfig()
    processing: ProcessingConfig = ProcessingConfig()
    training: TrainingConfig = TrainingConfig()
    tuning: TuningConfig = TuningConfig()
    distributed: DistributedConfig = DistributedConfig()
    debugger: DebuggerConfig = DebuggerConfig()
    quality: QualityConfig = QualityConfig()
    registry: RegistryConfig = RegistryConfig()
    endpoint: EndpointConfig = EndpointConfig()
    autoscaling: AutoscalingConfig = AutoscalingConfig()
    functions: FunctionsConfig = FunctionsConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    retries: RetriesConfig = RetriesConfig()
    cache: CacheConfig = CacheConfig()
    checks: ChecksConfig = ChecksConfig()
