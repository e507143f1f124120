"""Settings that are valid, drawn by hypothesis: every one of them must make a sound definition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from pedigree.aws.machines import SMDDP_TYPES, has_bfloat16, has_local_storage, instance_types, last_cuda, processor
from pedigree.aws.regions import dns_suffix, partition

Values = dict[str, Any]
Draw = Callable[[st.SearchStrategy[Any]], Any]

_REGIONS = ("us-east-1", "us-west-2", "eu-central-1", "ap-northeast-1", "cn-north-1", "us-gov-west-1")
ROLES = ("pipeline", "job", "model", "deploy", "await", "autoscale", "predict", "scheduler", "ec2")
_NAMES = st.from_regex(r"[a-zA-Z0-9](-?[a-zA-Z0-9]){0,15}", fullmatch=True)
_WORDS = st.text(st.characters(codec="utf-8", categories=["L", "N", "Zs"]), min_size=1, max_size=40)
_TYPES = {
    (use, kind): sorted(
        machine for machine in instance_types(use) if processor(machine) == kind and not last_cuda(machine)
    )
    for use in ("Training", "Processing", "ProductionVariant")
    for kind in ("cpu", "gpu")
}


def machine(use: str, *kinds: str) -> st.SearchStrategy[str]:
    """An instance type of a use, for an image of one of these kinds."""
    return st.sampled_from([machine for kind in kinds or ("cpu", "gpu") for machine in _TYPES[use, kind]])


def menu(use: str, instance_type: str) -> st.SearchStrategy[list[str]]:
    """Some alternatives for a machine: of its kind, and with disks like its own."""
    alike = [
        machine
        for machine in _TYPES[use, processor(instance_type)]
        if has_local_storage(machine) == has_local_storage(instance_type)
    ]
    return st.lists(st.sampled_from(alike), max_size=5, unique=True)


def own_image(region: str) -> str:
    """An address of an image in a region."""
    return f"123456789012.dkr.ecr.{region}.{dns_suffix(region)}/mine:1"


# IAM takes Team and team for the same key.
_TAGS = st.tuples(st.from_regex(r"[a-zA-Z0-9_.-]{1,20}", fullmatch=True), _NAMES)


@st.composite
def valid_settings(draw: Draw) -> Values:
    """A few settings by dotted key that go together; the others keep their defaults."""
    parts = draw(st.sets(st.sampled_from(_PARTS), min_size=1))
    values: Values = {}
    for part in sorted(parts, key=_PARTS.index):
        values |= part(draw, values)
    return values


def _naming(draw: Draw, _: Values) -> Values:
    return {"pipeline.name": draw(_NAMES), "pipeline.description": draw(_WORDS)}


def _site(draw: Draw, _: Values) -> Values:
    region = draw(st.sampled_from(_REGIONS))
    prefix = draw(st.from_regex(r"[a-zA-Z0-9+=,.@_-]{0,50}", fullmatch=True))
    key = draw(st.sampled_from(["", f"arn:{partition(region)}:kms:{region}:123456789012:key/1234abcd"]))
    return {
        "site.region": region,
        "site.account": draw(st.sampled_from(["", "123456789012"])),
        "site.bucket": draw(st.sampled_from(["", "a-bucket.of.mine"])),
        "site.prefix": draw(st.sampled_from(["pedigree", "teams/vision_2"])),
        "site.tags": dict(draw(st.lists(_TAGS, max_size=5, unique_by=lambda tag: tag[0].lower()))),
        "site.encryption.output_key": key,
        "site.encryption.volume_key": key,
        **{f"site.roles.{name}": f"{prefix}{name}" for name in ROLES},
        **{
            f"images.{family}.image_uri": draw(st.sampled_from(["", own_image(region)]))
            for family in ("training", "distributed", "inference")
        },
    }


def _network(draw: Draw, _: Values) -> Values:
    inside = draw(st.booleans())
    shut = draw(st.booleans())
    return {
        "site.network.subnets": ["subnet-0123456789abcdef0"] if inside else [],
        "site.network.security_groups": ["sg-0123456789abcdef0"] if inside else [],
        "site.network.encrypt_traffic": draw(st.booleans()),
        "site.network.isolation": shut,
        **({"data.source": "s3://images/dogs/", "training.weights": "s3://images/weights.pth"} if shut else {}),
    }


def _data(draw: Draw, values: Values) -> Values:
    test, validation = (draw(st.integers(1, 40)) / 100 for _ in range(2))
    sources = (
        ["s3://images/dogs/", "s3://images/a.zip"]
        if values.get("site.network.isolation")
        else ["https://host/a.zip", "s3://images/a.zip"]
    )
    source = draw(st.sampled_from(sources))
    return {
        "data.source": source,
        "data.sha256": "" if source.endswith("/") else draw(st.sampled_from(["", "0" * 64])),
        "data.image_size": draw(st.integers(32, 1024)),
        "data.splits.test": test,
        "data.splits.validation": validation,
        "data.splits.train": 1 - test - validation,
        "processing.instance_type": draw(machine("Processing")),
        "processing.max_runtime_seconds": draw(st.integers(60, 432_000)),
    }


def _bounds(draw: Draw, kind: str) -> Values:
    low, high = (1, 1024) if kind == "integer" else (0.000_1, 0.8)
    some: Any = st.integers(low, high) if kind == "integer" else st.floats(low, high)  # type: ignore[arg-type]
    first, second = sorted((draw(some), draw(some)))
    scalings = ["Auto", "Linear", "Logarithmic"] + (["ReverseLogarithmic"] if kind == "continuous" else [])
    scaling = draw(st.sampled_from(scalings))
    return {
        "type": kind,
        "min": first,
        "max": second if second > first else first + (1 if kind == "integer" else 0.1),
        "scaling": scaling,
    }


def _categorical(draw: Draw, values: st.SearchStrategy[Any]) -> Values:
    return {"type": "categorical", "values": draw(st.lists(values, min_size=1, max_size=8, unique=True))}


def _ranges(draw: Draw, categorical_only: bool) -> Values:
    kinds: dict[str, Callable[[], Values]] = {
        "learning_rate": lambda: _bounds(draw, "continuous"),
        "batch_size": lambda: _bounds(draw, "integer"),
    }
    categories: dict[str, Callable[[], Values]] = {
        "batch_size": lambda: _categorical(draw, st.integers(1, 1024)),
        "architecture": lambda: _categorical(draw, st.sampled_from(["resnet18", "resnet50", "densenet121"])),
        "label_smoothing": lambda: _categorical(draw, st.floats(0, 1)),
    }
    choices = categories if categorical_only else {**categories, **kinds}
    names = draw(st.sets(st.sampled_from(sorted(choices)), min_size=1))
    return {name: choices[name]() for name in sorted(names)}


def _tuning(draw: Draw, values: Values) -> Values:
    strategy = draw(st.sampled_from(["Bayesian", "Random", "Grid", "Hyperband"]))
    jobs = draw(st.integers(1, 100))
    ranges = _ranges(draw, strategy == "Grid")
    # The default weights are not there for every network that may be drawn.
    weights = values.get("training.weights", "DEFAULT")
    return {
        **({"training.weights": weights} if "architecture" in ranges else {}),
        "tuning.strategy": strategy,
        "tuning.objective": draw(st.sampled_from(["validation:loss", "validation:accuracy"])),
        "tuning.max_jobs": jobs,
        "tuning.parallel_jobs": 1 if strategy == "Grid" else draw(st.integers(1, jobs)),
        "tuning.early_stopping": "Off" if strategy == "Hyperband" else draw(st.sampled_from(["Off", "Auto"])),
        "tuning.ranges": ranges,
    }


def _training(draw: Draw, values: Values) -> Values:
    spot = draw(st.booleans())
    shut = values.get("site.network.isolation")
    layers = draw(st.sampled_from(["head", "all"]))
    weights = ["s3://images/w.pth"] + ([] if shut else ["DEFAULT"]) + (["none"] if layers == "all" else [])
    instance_type = draw(machine("Training"))
    able = ["fp16"] if processor(instance_type) == "gpu" else []
    able += ["bf16"] if has_bfloat16(instance_type) else []
    precision = draw(st.sampled_from(["auto", "fp32", *able]))
    alternatives = draw(menu("Training", instance_type))
    return {
        "training.architecture": draw(st.sampled_from(["resnet18", "efficientnet_v2_s"])),
        "training.weights": draw(st.sampled_from(weights)),
        "training.layers": layers,
        "training.epochs": draw(st.integers(2, 500)),
        "training.precision": precision,
        "training.instance_type": instance_type,
        "training.alternatives": [machine for machine in alternatives if precision != "bf16" or has_bfloat16(machine)],
        "training.spot": spot,
        "training.warm_pool_seconds": 0 if spot else draw(st.integers(0, 21_600)),
        "training.input_mode": draw(st.sampled_from(["File", "FastFile"])),
        "training.hyperparameters": draw(
            st.fixed_dictionaries({}, optional={"weight_decay": st.floats(0, 1), "batch_size": st.integers(1, 512)})
        ),
    }


def _distributed(draw: Draw, values: Values) -> Values:
    launcher = draw(st.sampled_from(["smddp", "torchrun"]))
    precision = values.get("training.precision")
    kinds = ["gpu"] if precision == "fp16" else ["cpu", "gpu"]
    able = machine("Training", *kinds).filter(lambda machine: precision != "bf16" or has_bfloat16(machine))
    return {
        "distributed.enabled": draw(st.booleans()),
        "distributed.launcher": launcher,
        "distributed.alternatives": list(SMDDP_TYPES) if launcher == "smddp" else [],
        "distributed.instance_count": draw(st.integers(2, 64)),
        "distributed.instance_type": draw(st.sampled_from(SMDDP_TYPES) if launcher == "smddp" else able),
    }


def _debugger(draw: Draw, values: Values) -> Values:
    if values.get("site.region") == "us-gov-west-1":
        return {}
    return {
        "debugger.enabled": True,
        "images.training.version": "2.0.1",
        "images.training.python": "",
        "debugger.rules": draw(st.lists(st.sampled_from(["Overfit", "VanishingGradient"]), unique=True)),
        "debugger.profiler": draw(st.booleans()),
    }


def _endpoint(draw: Draw, _: Values) -> Values:
    kind = draw(st.sampled_from(["cpu", "gpu"]))
    disks = draw(st.booleans())
    candidates = [machine for machine in _TYPES["ProductionVariant", kind] if not machine.startswith("ml.t")]
    steady = [machine for machine in candidates if has_local_storage(machine) == disks] or candidates
    types = draw(st.lists(st.sampled_from(steady), min_size=1, max_size=5, unique=True))
    policy, most = draw(st.sampled_from([("all-at-once", 100), ("canary", 50), ("linear", 50)]))
    low, count, high = sorted(draw(st.integers(1 if policy == "all-at-once" else 2, 100)) for _ in range(3))
    return {
        "registry.inference_instance_types": types,
        "registry.approval": draw(st.sampled_from(["Approved", "PendingManualApproval"])),
        "endpoint.name": draw(_NAMES),
        "endpoint.instance_type": draw(st.sampled_from(types)),
        "endpoint.instance_count": count,
        "endpoint.update.policy": policy,
        "endpoint.update.step_percent": draw(st.integers(10, most)),
        "endpoint.update.wait_seconds": draw(st.integers(0, 300)),
        "endpoint.variant": draw(_NAMES),
        "endpoint.capture_percent": draw(st.integers(0, 100)),
        "endpoint.alarms.server_errors_percent": draw(st.integers(0, 100)),
        "endpoint.alarms.latency_milliseconds": draw(st.integers(0, 60_000)),
        "endpoint.alarms.extra": draw(st.lists(_NAMES, max_size=8, unique=True)),
        "autoscaling.min_capacity": low,
        "autoscaling.max_capacity": high,
        "autoscaling.target_invocations_per_minute": draw(st.one_of(st.integers(1, 10**6), st.floats(0.1, 1e6))),
        "autoscaling.scale_in_cooldown_seconds": draw(st.integers(0, 3600)),
        "autoscaling.scale_out_cooldown_seconds": draw(st.integers(0, 3600)),
        "quality.accuracy": draw(st.one_of(st.integers(0, 1), st.floats(0, 1))),
    }


def _functions(draw: Draw, values: Values) -> Values:
    reserved = draw(st.integers(0, 10))
    patience = draw(st.integers(30, 120))
    return {
        "functions.runtime": draw(st.sampled_from(["python3.11", "python3.14"])),
        "functions.architecture": draw(st.sampled_from(["arm64", "x86_64"])),
        "functions.await.poll_seconds": draw(st.integers(30, 3600)),
        "functions.await.give_up_minutes": patience,
        "endpoint.update.termination_wait_seconds": draw(st.integers(0, 60)),
        "endpoint.update.wait_seconds": draw(st.integers(0, 60)),
        "endpoint.update.timeout_seconds": patience * 60,
        "functions.predict.reserved_concurrency": reserved,
        "functions.predict.provisioned_concurrency": draw(st.integers(0, reserved)),
    }


def _schedule(draw: Draw, _: Values) -> Values:
    given: st.SearchStrategy[Any] = st.fixed_dictionaries(
        {}, optional={"Epochs": st.integers(2, 100), "AccuracyThreshold": st.floats(0, 1), "EndpointName": _NAMES}
    )
    return {
        "schedule.enabled": draw(st.booleans()),
        "schedule.expression": draw(st.sampled_from(["rate(2 days)", "cron(0/15 6-8 ? JAN MON,FRI 2027)"])),
        "schedule.timezone": draw(st.sampled_from(["UTC", "Asia/Tokyo"])),
        "schedule.parameters": draw(given),
    }


def _policies(draw: Draw, _: Values) -> Values:
    values: Values = {}
    for kind in ("processing", "tuning", "training", "registry"):
        attempts = draw(st.integers(0, 20))
        values[f"retries.{kind}.max_attempts"] = attempts
        values[f"retries.{kind}.expire_after_minutes"] = 0 if attempts else draw(st.integers(0, 14_400))
        values[f"retries.{kind}.backoff_rate"] = draw(st.floats(1, 10))
        values[f"retries.{kind}.interval_seconds"] = draw(st.integers(1, 43_200))
        if kind != "registry":
            values[f"cache.{kind}"] = draw(st.sampled_from(["", "P30D", "PT12H", "P1Y2M3W4DT5H6M"]))
    return values


_PARTS = (
    _naming,
    _site,
    _network,
    _data,
    _tuning,
    _training,
    _distributed,
    _debugger,
    _endpoint,
    _functions,
    _schedule,
    _policies,
)
