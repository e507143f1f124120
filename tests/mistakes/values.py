"""A value that is wrong in its type, its size, its name or its form."""

from __future__ import annotations

from tests.mistakes.mistake import WrongSettings

VALUES = (
    WrongSettings(
        "[tuning]\nmax_jobs = 'four'", 2, "tuning.max_jobs", '"four" has the wrong type', "write a whole number"
    ),
    WrongSettings("[tuning]\nmax_jobs = 2.5", 2, "tuning.max_jobs", "2.5 has the wrong type", "write a whole number"),
    WrongSettings(
        "[distributed]\nenabled = 1", 2, "distributed.enabled", "1 has the wrong type", "write true or false"
    ),
    WrongSettings("[site]\naccount = 123456789012", 2, "site.account", "has the wrong type", "write text in quotes"),
    WrongSettings(
        "[site.network]\nsubnets = 'x'", 2, "site.network.subnets", "has the wrong type", "write a list in brackets"
    ),
    WrongSettings("tuning = 3", 1, "tuning", "3 has the wrong type", "write a table"),
    WrongSettings("[quality]\naccuracy = nan", 2, "quality.accuracy", "is not finite", "write a number"),
    WrongSettings("[tuning]\nmax_jobs = 0", 2, "tuning.max_jobs", "0 is too small", "write 1 or more"),
    WrongSettings("[quality]\naccuracy = 1.5", 2, "quality.accuracy", "1.5 is too large", "write 1 or less"),
    WrongSettings(
        "[training]\nwarm_pool_seconds = 30000", 2, "training.warm_pool_seconds", "is too large", "write 21600 or less"
    ),
    WrongSettings(
        "[pipeline]\nname = 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'", 2, "pipeline.name", "is too long", "keep 32 or fewer"
    ),
    WrongSettings(
        "[autoscaling]\ntarget_invocations_per_minute = 0", 2, "autoscaling.target", "too small", "more than 0"
    ),
    WrongSettings("[tuning]\nranges = {}", 2, "tuning.ranges", "is too short", "name 1 or more"),
    WrongSettings("[tunning]\nmax_jobs = 1", 1, "tunning", "is no setting", "did you mean tuning?"),
    WrongSettings("[tuning]\nmaxjobs = 1", 2, "tuning.maxjobs", "is no setting", "did you mean max_jobs?"),
    WrongSettings(
        "[endpoint.update]\npolcy = 'canary'", 2, "endpoint.update.polcy", "is no setting", "did you mean policy?"
    ),
    WrongSettings(
        "[tuning]\nstrategy = 'bayesian'", 2, "tuning.strategy", "is not one of the choices", "write 'Bayesian'"
    ),
    WrongSettings(
        "[functions]\nruntime = 'python3.8'", 2, "functions.runtime", "is not one of the choices", "python3.13"
    ),
    WrongSettings(
        "[training]\ninstance_type = 'ml.g4dn.xlrge'",
        2,
        "training.instance_type",
        "is not an",
        "did you mean ml.g4dn.xlarge?",
    ),
    WrongSettings("[site]\nregion = 'us-est-1'", 2, "site.region", "is no region of AWS", "did you mean us-west-1?"),
    WrongSettings("[site]\naccount = '1234'", 2, "site.account", "has the wrong form", "write it like 123456789012"),
    WrongSettings(
        "[endpoint]\nname = 'dog_breeds'", 2, "endpoint.name", "has the wrong form", "write it like dog-breeds"
    ),
    WrongSettings("[data]\nsource = 'dogs.zip'", 2, "data.source", "has the wrong form", "https://host/images.zip"),
    WrongSettings("[cache]\ntraining = '30d'", 2, "cache.training", "has the wrong form", "write it like P30D"),
    WrongSettings(
        "[schedule]\nexpression = '0 6 * * *'", 2, "schedule.expression", "is not a schedule", "cron(0 6 ? * MON *)"
    ),
    WrongSettings("[schedule]\ntimezone = 'Mars'", 2, "schedule.timezone", "is no time zone", "Europe/Berlin"),
    WrongSettings("[tuning]\nmax_jobs = = 1", 2, "", "is not TOML", "write it as https://toml.io says"),
    WrongSettings(
        "tuning.max_jobs = 99999999999999999999999999", 1, "tuning.max_jobs", "is too large", "write 750 or less"
    ),
    WrongSettings("training.seed = 4294967296", 1, "training.seed", "is too large", "write 4294967295 or less"),
    WrongSettings("training.epochs = true", 1, "training.epochs", "true has the wrong type", "write a whole number"),
    WrongSettings("site.tags = {'aws:mine' = 'x'}", 1, "site.tags", 'has "aws:mine"', "begin no key with aws:"),
    WrongSettings("site.tags = {project = 3}", 1, "site.tags.project", "has the wrong type", "write text in quotes"),
    WrongSettings("site.bucket = '192.168.5.4'", 1, "site.bucket", "has the wrong form", "write it like my-bucket"),
    WrongSettings("site.prefix = '/pedigree/'", 1, "site.prefix", "has the wrong form", "write it like teams/vision"),
    WrongSettings(
        "site.roles.job = 'pedigree job'", 1, "site.roles.job", "has the wrong form", "write it like pedigree-job"
    ),
    WrongSettings(
        "site.network.subnets = ['sg-0123abcd']",
        1,
        "site.network.subnets.0",
        "has the wrong form",
        "write it like subnet-",
    ),
    WrongSettings(
        "site.encryption.volume_key = 'arn:aws:kms:us-east-1:123456789012:alias/mine'",
        1,
        "site.encryption.volume_key",
        "has the wrong form",
        "write it like arn:aws:kms:us-east-1:123456789012:key/",
    ),
    WrongSettings(
        "images.training.image_uri = 'mine:latest'",
        1,
        "images.training.image_uri",
        "has the wrong form",
        "write it like 123456789012.dkr.ecr.us-east-1",
    ),
    WrongSettings(
        "images.training.version = 'latest'", 1, "images.training.version", "has the wrong form", "write it like 2.13"
    ),
    WrongSettings(
        "data.source = 'https://user:secret@host/a.zip'",
        1,
        "data.source",
        '"https://…@host/a.zip" has the wrong form',
        "https://host/images.zip",
    ),
    WrongSettings(
        "data.source = 's3://My_Bucket/a.zip'", 1, "data.source", "has the wrong form", "s3://bucket/images/"
    ),
    WrongSettings("data.sha256 = 'sha256:abc'", 1, "data.sha256", "has the wrong form", "64 hexadecimal digits"),
    WrongSettings(
        "training.architecture = 'resnet51'",
        1,
        "training.architecture",
        "train.py does not know it",
        "did you mean resnet50?",
    ),
    WrongSettings(
        "training.weights = 'IMAGENET1K_V3'",
        1,
        "training.weights",
        "does not exist for resnet50",
        "write IMAGENET1K_V1, IMAGENET1K_V2",
    ),
    WrongSettings(
        "training.precision = 'fp64'", 1, "training.precision", "is not one of the choices", "did you mean fp16?"
    ),
    WrongSettings(
        "training.alternatives = ['ml.g5.xlarge', 'ml.g5.xlarge']",
        1,
        "training.alternatives",
        "names ml.g5.xlarge more than once",
        "name it once",
    ),
    WrongSettings("distributed.instance_count = 1", 1, "distributed.instance_count", "is too small", "write 2 or more"),
    WrongSettings("debugger.rules = ['Overfitting']", 1, "debugger.rules.0", "is not one of the choices", "Overfit"),
    WrongSettings(
        "endpoint.alarms.extra = ['']", 1, "endpoint.alarms.extra.0", "has the wrong form", "write it like my-alarm"
    ),
    WrongSettings(
        "retries.registry.on = ['SageMaker.CAPACITY_ERROR']",
        1,
        "retries.registry.on.0",
        "is not one of the choices",
        "Step.THROTTLING",
    ),
    WrongSettings("cache.training = 'P0D'", 1, "cache.training", "has the wrong form", "P30D or PT12H"),
    WrongSettings("schedule.timezone = 'Europe'", 1, "schedule.timezone", "is no time zone", "Europe/Berlin"),
    WrongSettings(
        "schedule.expression = 'cron(0 6 * * MON *)'",
        1,
        "schedule.expression",
        "needs ? in exactly one",
        "write ? in one of them",
    ),
    WrongSettings(
        "schedule.expression = 'cron(0 6 ? * MON)'",
        1,
        "schedule.expression",
        "has 5 fields of cron",
        "write minutes, hours",
    ),
    WrongSettings(
        "schedule.expression = 'cron(0 25 ? * MON *)'", 1, "schedule.expression", 'has hours "25"', "write 0 to 23"
    ),
    WrongSettings(
        "schedule.expression = 'rate(1 days)'", 1, "schedule.expression", "is not a rate", "write it like rate(1 day)"
    ),
    WrongSettings(
        "schedule.expression = 'at(2027-02-31T06:00:00)'",
        1,
        "schedule.expression",
        "is not a point in time",
        "at(2027-01-31T06:00:00)",
    ),
    WrongSettings(
        "autoscaling.target_invocations_per_minute = inf", 1, "autoscaling.target", "is not finite", "write a number"
    ),
    WrongSettings(
        "[tuning.ranges.dropout]\ntype = 'continous'\nmin = 0.1\nmax = 0.5",
        4,
        "tuning.ranges.dropout",
        "has an unknown type",
        "write 'continuous'",
    ),
    WrongSettings(
        "[tuning.ranges.dropout]\ntype = 'continuous'\nmin = 0.1",
        1,
        "tuning.ranges.dropout.max",
        "is missing",
        "add it",
    ),
    WrongSettings(
        "[training.hyperparameters]\nlearning_rate = 1000",
        2,
        "training.hyperparameters.learning_rate",
        "takes a number from 1e-09 to 100",
        "write one",
    ),
    WrongSettings(
        "[training.hyperparameters]\nbatch_size = 0.5",
        2,
        "training.hyperparameters.batch_size",
        "takes a whole number",
        "write one",
    ),
    WrongSettings(
        "[tuning.ranges.dropout]\ntype = 'continuous'\nmin = 0.5\nmax = 1.5",
        4,
        "tuning.ranges.dropout.max",
        "takes a number from 0 to 1",
        "write one",
    ),
    WrongSettings(
        "[tuning.ranges.layers]\ntype = 'categorical'\nvalues = ['all', 'heads']",
        3,
        "tuning.ranges.layers.values",
        "does not know it",
        "did you mean head?",
    ),
    WrongSettings(
        "[tuning.ranges.precision]\ntype = 'integer'\nmin = 0\nmax = 8",
        4,
        "tuning.ranges.precision",
        "does not accept such a range",
        "make it categorical",
    ),
    WrongSettings("[[tuning]]\nmax_jobs = 1", 2, "tuning", "has the wrong type", "write a table"),
    WrongSettings("'tuning.max_jobs' = 3", 1, "tuning.max_jobs", "is no setting", "write it without quotes"),
    WrongSettings(
        "site.roles = {job = 'one', model = 'one'}", 1, "site.roles", "names one for several parties", "name another"
    ),
    WrongSettings("site.tags = {'AWS:x' = 'y'}", 1, "site.tags", 'has "AWS:x"', "begin no key with aws:"),
    WrongSettings("site.tags = {Team = 'a', team = 'b'}", 1, "site.tags", "has Team and team", "keep one of them"),
    WrongSettings(
        "training.weights = 's3://bucket'", 1, "training.weights", "has the wrong form", "s3://bucket/weights.pth"
    ),
    WrongSettings("data.source = 's3://a..b/x.zip'", 1, "data.source", "has the wrong form", "s3://bucket/images/"),
    WrongSettings("data.source = 'http://host/a.zip'", 1, "data", "anyone on the way could change", "use https"),
    WrongSettings(
        "schedule.expression = 'rate(9999999 days)'", 1, "schedule.expression", "is not a rate", "rate(7 days)"
    ),
)
