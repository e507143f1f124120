"""Values that are valid one by one and do not go together."""

from __future__ import annotations

from tests.mistakes.mistake import WrongSettings

KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd"

COMBINATIONS = (
    WrongSettings("[data.splits]\ntrain = 0.9", 2, "data.splits", "adds up to 1.1", "change train, validation or test"),
    WrongSettings(
        "[autoscaling]\nmin_capacity = 5", 2, "autoscaling", "scales from 5 to 3", "min_capacity must not be above"
    ),
    WrongSettings(
        "[endpoint.update]\npolicy = 'canary'\nstep_percent = 60",
        3,
        "endpoint.update",
        "canary takes 1 to 50",
        "change step_percent",
    ),
    WrongSettings(
        "[site.network]\nsubnets = ['subnet-0123abcd']", 2, "site.network", "without the other", "give both, or neither"
    ),
    WrongSettings(
        "[retries.training]\nmax_attempts = 3", 2, "retries.training", "and the service takes one", "set the other to 0"
    ),
    WrongSettings(
        "[distributed]\ninstance_type = 'ml.g4dn.xlarge'", 2, "distributed.instance_type", "has no smddp", "torchrun"
    ),
    WrongSettings(
        "[images.distributed]\nversion = '2.6.0'", 2, "images.distributed.version", "no smddp library", "use 2.5.1"
    ),
    WrongSettings(
        "[images.training]\nversion = '2.99'", 2, "images.training", "knows no PyTorch training image 2.99", "2.14"
    ),
    WrongSettings(
        "images.training = {version = '1.13.1', python = ''}",
        1,
        "images.training.version",
        "has Python 3.9, and the scripts need 3.10",
        "use a later version",
    ),
    WrongSettings("[images.inference]\npython = 'py310'", 2, "images.inference", "has py312, not py310", "use that"),
    WrongSettings("[debugger]\nenabled = true\n", 2, "images.training.version", "no smdebug library", "use 2.0.1"),
    WrongSettings(
        "[endpoint]\ninstance_type = 'ml.t2.medium'", 2, "endpoint.instance_type", "is burstable", "use ml.m5.large"
    ),
    WrongSettings(
        "[endpoint]\ninstance_type = 'ml.c5.large'", 2, "endpoint.instance_type", "not among registry", "add it there"
    ),
    WrongSettings(
        "[endpoint]\ninstance_count = 4",
        2,
        "endpoint.instance_count",
        "is outside of autoscaling's 1 to 3",
        "bring it within",
    ),
    WrongSettings(
        "[training.hyperparameters]\nbatch_size = 'x'",
        2,
        "hyperparameters.batch_size",
        "takes a whole number from 1",
        "write one",
    ),
    WrongSettings(
        "[training]\nspot = true\nwarm_pool_seconds = 60",
        3,
        "training.warm_pool_seconds",
        "does not go with spot",
        "set it to 0",
    ),
    WrongSettings(
        "[training]\nspot = true\nmax_wait_seconds = 60", 3, "training.max_wait_seconds", "is shorter than", "raise it"
    ),
    WrongSettings(
        "[site.encryption]\noutput_key = 'arn:aws:kms:eu-west-1:123456789012:key/1234abcd'",
        2,
        "site.encryption.output_key",
        "is in another region",
        "begins with arn:aws:kms:us-east-1:",
    ),
    WrongSettings(
        "[functions.predict]\nreserved_concurrency = 1", 2, "functions.predict.provisioned", "is above", "lower it"
    ),
    WrongSettings(
        "[functions.await]\npoll_seconds = 10", 2, "functions.await.poll_seconds", "is shorter than", "raise it"
    ),
    WrongSettings(
        "[functions.await]\npoll_seconds = 30\ngive_up_minutes = 1440",
        3,
        "functions.await.poll_seconds",
        "polls more than 990 times in 1440 minutes",
        "write 88 or more",
    ),
    WrongSettings(
        "[schedule.parameters]\nEpoch = 3", 2, "schedule.parameters.Epoch", "is no parameter", "did you mean Epochs?"
    ),
    WrongSettings(
        "[schedule.parameters]\nEpochs = 'x'", 2, "schedule.parameters.Epochs", "has the wrong type", "a whole number"
    ),
    WrongSettings(
        "[schedule.parameters]\nModelApprovalStatus = 'Yes'",
        2,
        "ModelApprovalStatus",
        "is not one of its choices",
        "write Approved",
    ),
    WrongSettings(
        "[registry]\ninference_instance_types = ['ml.m5.large', 'ml.g5.xlarge']",
        2,
        "registry",
        "has ml.g5.xlarge (gpu) beside",
        "of one kind",
    ),
    WrongSettings(
        "[debugger]\nenabled = true\n[images.training]\nversion = '2.0.1'\npython = ''\n[site]\nregion='us-gov-east-1'",
        7,
        "debugger.rules",
        "no image that evaluates them in us-gov-east-1",
        "use rules = []",
    ),
    WrongSettings(
        "[site]\nregion = 'eusc-de-east-1'\n[distributed]\nenabled = false",
        2,
        "site.region",
        "does not go with images.inference",
        "choose another region",
    ),
    WrongSettings(
        "[registry]\ninference_instance_types = ['ml.c6g.large']\n[endpoint]\ninstance_type = 'ml.c6g.large'",
        2,
        "images.inference",
        "for arm64 instances",
        "choose another type",
    ),
    WrongSettings(
        "[site.network]\nisolation = true\n[training]\nweights = 's3://weights/a.pth'",
        2,
        "site.network.isolation",
        "the network that data.source would be fetched by",
        "s3://",
    ),
    WrongSettings(
        "[site.network]\nisolation = true\n[data]\nsource = 's3://images/dogs/'",
        2,
        "site.network.isolation",
        "the network that training.weights would be fetched by",
        "write s3://",
    ),
    WrongSettings(
        "site.encryption.volume_key = 'arn:aws:kms:eu-west-1:123456789012:key/1234abcd'",
        1,
        "site.encryption.volume_key",
        "is in another region",
        "begins with arn:aws:kms:us-east-1:",
    ),
    WrongSettings(
        "images.distributed.image_uri = '123456789012.dkr.ecr.eu-west-1.amazonaws.com/mine:1'",
        1,
        "images.distributed.image_uri",
        "is in eu-west-1",
        "copy it there",
    ),
    WrongSettings(
        "[data]\nsource = 's3://images/dogs/'\nsha256 = '" + 64 * "0" + "'",
        3,
        "data",
        "has a sha256 for a prefix",
        "leave it empty",
    ),
    WrongSettings(
        "training.alternatives = ['ml.m5.xlarge']",
        1,
        "training.alternatives",
        "has ml.m5.xlarge (cpu) beside ml.g4dn.xlarge (gpu)",
        "of one kind",
    ),
    WrongSettings(
        "distributed.alternatives = ['ml.g5.xlarge']", 1, "distributed.alternatives", "has no smddp", "torchrun"
    ),
    WrongSettings(
        f"[site.encryption]\nvolume_key = '{KEY}'\n[processing]\nalternatives = ['ml.r5d.xlarge']",
        4,
        "processing.alternatives",
        "only one of them takes site.encryption.volume_key",
        "name machines that do",
    ),
    WrongSettings(
        "[registry]\ninference_instance_types = ['ml.m5.large', 'ml.t2.medium']",
        2,
        "registry.inference_instance_types",
        "is burstable",
        "use ml.m5.large",
    ),
    WrongSettings(
        "[training]\nspot = true\nmax_runtime_seconds = 400\nmax_wait_seconds = 500",
        4,
        "training.max_wait_seconds",
        "shorter than the 28800 s",
        "raise it",
    ),
    WrongSettings(
        "endpoint.update.policy = 'canary'",
        1,
        "endpoint.update.policy",
        "the endpoint may have 1 instance",
        "use all-at-once",
    ),
    WrongSettings(
        "[endpoint.update]\ntimeout_seconds = 600\nwait_seconds = 3600",
        3,
        "endpoint.update.timeout_seconds",
        "is over before the waits are, 3720 s",
        "raise it",
    ),
    WrongSettings(
        "functions.await.give_up_minutes = 60",
        1,
        "functions.await.give_up_minutes",
        "ends before endpoint.update.timeout_seconds",
        "write 120 or more",
    ),
    WrongSettings(
        "functions.predict.provisioned_concurrency = 11",
        1,
        "functions.predict.provisioned_concurrency",
        "is above reserved_concurrency = 10",
        "lower it",
    ),
    WrongSettings(
        "schedule.parameters = {AccuracyThreshold = 2.0}", 1, "quality.accuracy", "2.0 is too large", "write 1 or less"
    ),
    WrongSettings(
        "schedule.parameters = {TuningMaxParallelJobs = 5}",
        1,
        "tuning.parallel_jobs",
        "is above max_jobs = 2",
        "lower it",
    ),
    WrongSettings(
        "schedule.parameters = {EndpointInstanceType = 'ml.t2.medium'}",
        1,
        "schedule.parameters.EndpointInstanceType",
        "is not one of its choices",
        "write ml.m5.large",
    ),
    WrongSettings(
        "schedule.parameters = {Epochs = 1.5}",
        1,
        "schedule.parameters.Epochs",
        "has the wrong type",
        "write a whole number",
    ),
    WrongSettings(
        "[data]\nsource = 's3://images/dogs'\nsha256 = '" + 64 * "0" + "'",
        3,
        "data",
        "has a sha256 for a prefix",
        "leave it empty",
    ),
    WrongSettings(
        "images.training = {version = '2.13', python = 'py39'}", 1, "images.training", "has py312, not py39", "use that"
    ),
    WrongSettings(
        "training.instance_type = 'ml.p3.2xlarge'",
        1,
        "training.instance_type",
        "a GPU that CUDA 13 of the image does not support",
        "use ml.g4dn",
    ),
    WrongSettings(
        "processing.instance_type = 'ml.p2.xlarge'",
        1,
        "processing.instance_type",
        "a GPU that CUDA 13 of the image does not support",
        "use ml.g4dn",
    ),
    WrongSettings(
        "schedule.parameters = {InputDataUrl = 's3://images/b.zip#sha256=zz'}",
        1,
        "data.source",
        "has the wrong form",
        "s3://bucket/images/",
    ),
)
