"""Settings that are right one by one and cannot go together: what AWS would say twenty minutes later, or never.

One rule, one function: it yields a problem for the key that is to be changed, with the cause and what to do instead.
"""

from __future__ import annotations

from collections.abc import Iterator

from entrypoints import contract
from pedigree.aws import images, pytorch, regions
from pedigree.aws.errors import ImageNotFoundError, NoImageInRegionError
from pedigree.aws.machines import SMDDP_TYPES, has_local_storage, is_burstable, last_cuda, processor
from pedigree.language.near import suggest
from pedigree.language.text import brief
from pipeline.settings import parameters
from pipeline.settings.rules import Problem
from pipeline.settings.tree import Settings
from steps.build import FAMILIES, Family, image_for
from steps.deploy_endpoint import shortest_update
from steps.functions import MOST_LOOKS
from steps.ranges import Categorical, grid_points
from steps.training_job import Machine
from steps.tune import MOST_JOBS


def smddp_machines(s: Settings) -> Iterator[Problem]:
    """smddp runs on a few machines only."""
    if s.distributed.enabled and s.distributed.launcher == "smddp":
        wrong = [one for one in (s.distributed.instance_type, *s.distributed.alternatives) if one not in SMDDP_TYPES]
        key = "instance_type" if s.distributed.instance_type in wrong else "alternatives"
        for one in wrong[:1]:
            yield Problem(
                f"distributed.{key}",
                f'= "{one}" has no smddp, which runs on {" and ".join(SMDDP_TYPES)} only; '
                'use one of them, or launcher = "torchrun"',
                ("distributed.launcher",),
            )


def smddp_image(s: Settings) -> Iterator[Problem]:
    """smddp is in old images only."""
    if s.distributed.enabled and s.distributed.launcher == "smddp" and not s.images.pytorch("distributed").has_smddp:
        yield Problem(
            "images.distributed.version",
            f'= "{s.images.distributed.version}" has no smddp library, '
            f"which AWS's images had up to {pytorch.LAST_WITH_SMDDP}; "
            f'use {pytorch.LAST_WITH_SMDDP}, or distributed.launcher = "torchrun"',
            ("images.distributed", "distributed.launcher"),
        )


def debugger_image(s: Settings) -> Iterator[Problem]:
    """smdebug is in older images only."""
    if s.debugger.enabled and not s.images.pytorch("training").has_smdebug:
        yield Problem(
            "images.training.version",
            f'= "{s.images.training.version}" has no smdebug library, '
            f"which AWS's images had up to {pytorch.LAST_WITH_SMDEBUG}; "
            f'use {pytorch.LAST_WITH_SMDEBUG} with python = "", or debugger.enabled = false',
            ("debugger.enabled",),
        )


def debugger_region(s: Settings) -> Iterator[Problem]:
    """The image that evaluates rules is not everywhere."""
    if s.debugger.enabled and s.debugger.rules:
        try:
            images.debugger_rules(s.site.region)
        except ImageNotFoundError:
            text = f"have no image that evaluates them in {s.site.region}; use rules = []"
            yield Problem("debugger.rules", text, ("site.region", "debugger.enabled"))


def images_exist(s: Settings) -> Iterator[Problem]:
    """Every image is there, for the machines that it shall run on."""
    uses: dict[str, tuple[Family, str]] = {
        "processing.instance_type": ("training", s.processing.instance_type),
        "training.instance_type": ("training", s.training.instance_type),
        "registry.inference_instance_types": ("inference", s.registry.inference_instance_types[0]),
    }
    if s.distributed.enabled:
        uses["distributed.instance_type"] = ("distributed", s.distributed.instance_type)
    for key, (family, instance_type) in uses.items():
        try:
            image_for(s.images, family, instance_type, s.site.region)
        except NoImageInRegionError as error:
            yield Problem("site.region", f'= "{s.site.region}" does not go with images.{family}: {error}')
        except ImageNotFoundError as error:
            yield Problem(f"images.{family}", f"cannot run on {instance_type}: {error}", (key,))


def images_run_the_scripts(s: Settings) -> Iterator[Problem]:
    """Old images have a Python for which the scripts are not written."""
    for family in FAMILIES:
        if s.images.own_uri(family) or (family == "distributed" and not s.distributed.enabled):
            continue
        image = s.images.pytorch(family)
        if image.python_version and image.python_version < contract.OLDEST_PYTHON:
            python, oldest = (".".join(map(str, version)) for version in (image.python_version, contract.OLDEST_PYTHON))
            text = f'= "{image.version}" has Python {python}, and the scripts need {oldest}'
            yield Problem(f"images.{family}.version", f"{text}; use a later version", (f"images.{family}",))


def cuda_supports_gpus(s: Settings) -> Iterator[Problem]:
    """New images have a CUDA that no longer supports the oldest GPUs."""
    uses: dict[str, tuple[Family, Machine]] = {
        "processing": ("training", s.processing),
        "training": ("training", s.training),
        **({"distributed": ("distributed", s.distributed)} if s.distributed.enabled else {}),
    }
    for section, (family, config) in uses.items():
        if s.images.own_uri(family):
            continue
        cuda = s.images.pytorch(family).cuda
        machines = (config.instance_type, *config.alternatives)
        old = next((machine for machine in machines if cuda > (last_cuda(machine) or cuda)), None)
        if old:
            key = "instance_type" if old == config.instance_type else "alternatives"
            text = f"= {old} has a GPU that CUDA {cuda} of the image does not support; use ml.g4dn or newer"
            yield Problem(f"{section}.{key}", text, (f"images.{section}", "images.training"))


def images_of_the_region(s: Settings) -> Iterator[Problem]:
    """SageMaker pulls an image from its own region."""
    families = {"training": s.images.training, "distributed": s.images.distributed, "inference": s.images.inference}
    for family, image in families.items():
        if image.image_uri and image.image_uri.split(".")[3] != s.site.region:
            text = (
                f"lies in {image.image_uri.split('.')[3]}, and images are pulled within {s.site.region}; copy it there"
            )
            yield Problem(f"images.{family}.image_uri", text, ("site.region",))


def machines_of_one_kind(s: Settings) -> Iterator[Problem]:
    """An execution may choose among machines for which one image, and one volume key or none, is right."""
    menus = {
        "processing.alternatives": (s.processing.instance_type, *s.processing.alternatives),
        "training.alternatives": (s.training.instance_type, *s.training.alternatives),
        "distributed.alternatives": (s.distributed.instance_type, *s.distributed.alternatives),
        "registry.inference_instance_types": s.registry.inference_instance_types,
    }
    for key, (first, *others) in menus.items():
        for other in others:
            if processor(other) != processor(first):
                text = f"has {other} ({processor(other)}) beside {first} ({processor(first)}), and one image serves all"
                yield Problem(key, f"{text}; name machines of one kind")
            elif s.site.encryption.volume_key and has_local_storage(other) != has_local_storage(first):
                text = f"has {other} beside {first}, and only one of them takes site.encryption.volume_key"
                yield Problem(key, f"{text}; name machines that do, or machines that do not")


def burstable_endpoint(s: Settings) -> Iterator[Problem]:
    """Application Auto Scaling refuses burstable machines."""
    if s.autoscaling.min_capacity == s.autoscaling.max_capacity:
        return
    served = {
        "endpoint.instance_type": (s.endpoint.instance_type,),
        "registry.inference_instance_types": s.registry.inference_instance_types,
    }
    for key, types in served.items():
        for one in [one for one in types if is_burstable(one)][:1]:
            text = f'= "{one}" is burstable, and Application Auto Scaling refuses those; use ml.m5.large'
            yield Problem(key, f"{text}, or autoscaling.max_capacity equal to min_capacity")


def endpoint_is_registered(s: Settings) -> Iterator[Problem]:
    """A registered model runs on the machines that it was registered for."""
    if s.endpoint.instance_type not in s.registry.inference_instance_types:
        yield Problem(
            "endpoint.instance_type",
            f'= "{s.endpoint.instance_type}" is not among registry.inference_instance_types, '
            "and a registered model runs on no other; add it there",
            ("registry.inference_instance_types",),
        )


def instances_within_scaling(s: Settings) -> Iterator[Problem]:
    """The endpoint starts within the bounds of its scaling."""
    low, high, count = s.autoscaling.min_capacity, s.autoscaling.max_capacity, s.endpoint.instance_count
    if not low <= count <= high:
        text = f"= {count} lies outside of autoscaling's {low} to {high}; bring it within"
        yield Problem("endpoint.instance_count", text, ("autoscaling.min_capacity", "autoscaling.max_capacity"))


def shifting_needs_two(s: Settings) -> Iterator[Problem]:
    """A canary or a linear step is half of the fleet at most, and half an instance is none."""
    fewest = min(s.endpoint.instance_count, s.autoscaling.min_capacity)
    if s.endpoint.update.policy != "all-at-once" and fewest < 2:
        text = f'= "{s.endpoint.update.policy}" moves part of the traffic, and the endpoint may have {fewest} instance'
        remedy = "use all-at-once, or let endpoint.instance_count and autoscaling.min_capacity be 2 or more"
        yield Problem(
            "endpoint.update.policy", f"{text}; {remedy}", ("endpoint.instance_count", "autoscaling.min_capacity")
        )


def update_has_time(s: Settings) -> Iterator[Problem]:
    """An update may last as long as its waits, and is awaited for as long as it may last."""
    update, patience = s.endpoint.update, s.functions.await_.give_up_minutes * 60
    if update.timeout_seconds <= shortest_update(update):
        text = f"= {update.timeout_seconds} is over before the waits are, {shortest_update(update)} s"
        yield Problem("endpoint.update.timeout_seconds", f"{text}; raise it, or wait less", ("endpoint.update",))
    if patience < update.timeout_seconds:
        text = f"= {s.functions.await_.give_up_minutes} ends before endpoint.update.timeout_seconds does"
        also = ("endpoint.update.timeout_seconds",)
        yield Problem(
            "functions.await.give_up_minutes", f"{text}; write {-(-update.timeout_seconds // 60)} or more", also
        )


def parallel_jobs(s: Settings) -> Iterator[Problem]:
    """No more jobs at once than there are."""
    grid = s.tuning.strategy == "Grid"
    jobs = grid_points(s.tuning.ranges) if grid else s.tuning.max_jobs
    if s.tuning.parallel_jobs > jobs:
        what, remedy = (f"the grid's {jobs} points", "") if grid else (f"max_jobs = {jobs}", " or raise max_jobs")
        text = f"= {s.tuning.parallel_jobs} is above {what}; lower it{remedy}"
        yield Problem(
            "tuning.parallel_jobs", text, ("tuning.ranges", "tuning.strategy") if grid else ("tuning.max_jobs",)
        )


def grid(s: Settings) -> Iterator[Problem]:
    """A grid has points, and not too many."""
    if s.tuning.strategy != "Grid":
        return
    if not all(isinstance(one, Categorical) for one in s.tuning.ranges.values()):
        text = '= "Grid" takes categorical ranges only; make every range categorical, or use Bayesian'
        yield Problem("tuning.strategy", text, ("tuning.ranges",))
    elif grid_points(s.tuning.ranges) > MOST_JOBS:
        text = f"make {grid_points(s.tuning.ranges)} grid points, and a search has {MOST_JOBS} jobs at most; name fewer"
        yield Problem("tuning.ranges", text, ("tuning.strategy",))


def hyperband(s: Settings) -> Iterator[Problem]:
    """Hyperband stops jobs itself, between two numbers of epochs."""
    least, most = s.tuning.hyperband_min_epochs, s.training.epochs
    if s.tuning.strategy == "Hyperband" and s.tuning.early_stopping != "Off":
        text = '= "Auto" cannot be with Hyperband, which stops jobs itself; use Off'
        yield Problem("tuning.early_stopping", text, ("tuning.strategy",))
    if s.tuning.strategy == "Hyperband" and least >= most:
        text = f"= {least} is not below training.epochs = {most}; lower it"
        yield Problem("tuning.hyperband_min_epochs", text, ("training.epochs", "tuning.strategy"))


def spot(s: Settings) -> Iterator[Problem]:
    """Spot machines are waited for, and not kept."""
    longest = max(s.training.max_runtime_seconds, s.distributed.max_runtime_seconds if s.distributed.enabled else 0)
    if s.training.spot and s.training.warm_pool_seconds:
        text = "cannot be with spot; set it to 0, or spot = false"
        yield Problem("training.warm_pool_seconds", text, ("training.spot",))
    if s.training.spot and s.training.max_wait_seconds < longest:
        text = f"= {s.training.max_wait_seconds} is shorter than the {longest} s that training may run; raise it"
        yield Problem("training.max_wait_seconds", text, ("training.max_runtime_seconds",))


def isolation(s: Settings) -> Iterator[Problem]:
    """Behind a shut network everything comes from S3."""
    fetched = {
        "data.source": not s.data.source.startswith("s3://"),
        "training.weights": s.training.weights != contract.WEIGHTS_NONE and not s.training.weights.startswith("s3://"),
    }
    keys = [key for key, is_fetched in fetched.items() if is_fetched]
    if s.site.network.isolation and keys:
        text = f"= true shuts the network by which {' and '.join(keys)} would be fetched; write s3://… there"
        yield Problem("site.network.isolation", text, tuple(keys))


def keys_of_the_region(s: Settings) -> Iterator[Problem]:
    """A KMS key works in its own partition and region only."""
    for name in ("output_key", "volume_key"):
        key = getattr(s.site.encryption, name)
        home = f"arn:{regions.partition(s.site.region)}:kms:{s.site.region}:"
        if key and not key.startswith(home):
            text = f"lies elsewhere, and a key works in its own region only; use one that begins with {home}"
            yield Problem(f"site.encryption.{name}", text, ("site.region",))


def concurrency(s: Settings) -> Iterator[Problem]:
    """What is kept warm is part of what is set aside."""
    reserved, warm = s.functions.predict.reserved_concurrency, s.functions.predict.provisioned_concurrency
    if warm > reserved > 0:
        text = f"= {warm} is above reserved_concurrency = {reserved}; lower it"
        yield Problem("functions.predict.provisioned_concurrency", text, ("functions.predict.reserved_concurrency",))


def polling(s: Settings) -> Iterator[Problem]:
    """A message comes back when the function that took it is over, and not more often than a queue counts."""
    waiting = s.functions.await_
    if waiting.poll_seconds < waiting.timeout_seconds:
        text = f"= {waiting.poll_seconds} is shorter than the function's timeout_seconds = {waiting.timeout_seconds}"
        yield Problem("functions.await.poll_seconds", f"{text}; raise it", ("functions.await.timeout_seconds",))
    elif waiting.poll_seconds * MOST_LOOKS < waiting.give_up_minutes * 60:
        text = f"= {waiting.poll_seconds} looks more than {MOST_LOOKS} times in {waiting.give_up_minutes} minutes"
        least = -(-waiting.give_up_minutes * 60 // MOST_LOOKS)
        yield Problem(
            "functions.await.poll_seconds", f"{text}; write {least} or more", ("functions.await.give_up_minutes",)
        )


def scheduled_values(s: Settings) -> Iterator[Problem]:
    """A schedule gives values to parameters that there are, of their kind and among their choices."""
    declared = {parameter.name: parameter for parameter in parameters.declare(s)}
    for name, value in s.schedule.parameters.items():
        key = f"schedule.parameters.{name}"
        if name not in declared:
            yield Problem(key, f"is no parameter of this pipeline; {suggest(name, declared)}")
        elif not declared[name].accepts(value):
            yield Problem(key, f"= {brief(value)} is of the wrong kind; write {declared[name].type_name}")
        elif declared[name].choices and value not in declared[name].choices:
            yield Problem(key, f"= {brief(value)} is none of its choices; write {' or '.join(declared[name].choices)}")


RULES = (
    smddp_machines,
    smddp_image,
    debugger_image,
    debugger_region,
    images_exist,
    images_run_the_scripts,
    cuda_supports_gpus,
    images_of_the_region,
    machines_of_one_kind,
    burstable_endpoint,
    endpoint_is_registered,
    instances_within_scaling,
    shifting_needs_two,
    update_has_time,
    parallel_jobs,
    grid,
    hyperband,
    spot,
    isolation,
    keys_of_the_region,
    concurrency,
    polling,
    scheduled_values,
)
