"""Every name that two sides of a process boundary must agree on, defined once.

The pipeline's definition writes these names into requests; the scripts in this folder read them inside a container,
where only this folder exists. So this module imports nothing and holds only constants.
"""

# Paths in a SageMaker container.
INPUT_DATA = "/opt/ml/input/data"
PROCESSING = "/opt/ml/processing"
CHECKPOINTS = "/opt/ml/checkpoints"  # shared by the trials of a tuning job, so each script uses its own folder in it
MODEL = "/opt/ml/model"
DEBUGGER_OUTPUT = "/opt/ml/output/tensors"

# The scripts, and the archive that contains them.
PREPARE = "prepare.py"
TRAIN = "train.py"
EVALUATE = "evaluate.py"
INFERENCE = "inference.py"
CODE_OF_A_MODEL = "code"  # the folder beside the weights with the code that serves them
SOURCE_ARCHIVE = "source.tar.gz"
OLDEST_PYTHON = (3, 10)

# The flags of the processing scripts.
FLAG_SOURCE = "--source"
FLAG_SHA256 = "--sha256"
FLAG_IMAGE_SIZE = "--image-size"
FLAG_SPLITS = "--splits"
FLAG_WORKERS = "--workers"
FLAG_LEAST_PER_CLASS = "--least-per-class"
FLAG_MOST_PER_CLASS = "--most-per-class"
FLAG_MOST_GIGABYTES = "--most-gigabytes"
FLAG_TEST = "--test"
FLAG_DATASET = "--dataset"
FLAG_CANDIDATE = "--candidate"
FLAG_OUTPUT = "--output-dir"

# Separates the address of a data set from the checksum of its file.
CHECKSUM = "#sha256="

# Channels: folders that one step writes and a later one reads, by name.
CODE = "code"
SOURCE = "source"
TRAINING = "train"
VALIDATION = "validation"
TEST = "test"
DATASET = "dataset"
WEIGHTS = "weights"
ALL_IN_ONE = "training"  # the course project's single channel, with a folder for every split
CANDIDATE = "candidate"
EVALUATION = "evaluation"
CHAMPION = "champion"

# Files, and the JSON paths in them that other steps read.
DATASET_FILE = "dataset.json"
DATASET_HASH = "sha256"
EVALUATION_FILE = "evaluation.json"
MODEL_ARCHIVE = "model.tar.gz"
CHAMPION_ACCURACY = "multiclass_classification_metrics.accuracy.value"
CHAMPION_NAME = "champion.name"

# Candidates: which step trained the model.
BEST = "best"
DISTRIBUTED = "distributed"

# Metrics: the script logs METRIC_LINE, the definition reads it by METRIC_REGEX. Exponents, nan and inf are numbers too.
METRIC_LINE = "[metric] {name}={value};"
METRIC_REGEX = r"\[metric\] {name}=([-+]?(?:[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?|nan|inf));"
MINIMIZE = "Minimize"
MAXIMIZE = "Maximize"
METRICS = {
    "train:loss": MINIMIZE,
    "train:accuracy": MAXIMIZE,
    "validation:loss": MINIMIZE,
    "validation:accuracy": MAXIMIZE,
    "throughput:images_per_second": MAXIMIZE,
}
OBJECTIVES = ("validation:loss", "validation:accuracy")

# Values of the hyperparameter "weights" other than a file or one of torchvision's names.
WEIGHTS_NONE = "none"
WEIGHTS_CHANNEL = "channel"

# The event fields and outputs of the deploying functions: flat, one name per value.
MODEL_PACKAGE_ARN = "model_package_arn"
EXECUTION_ID = "execution_id"
ENDPOINT_NAME = "endpoint_name"
ENDPOINT_CONFIG_NAME = "endpoint_config_name"
INSTANCE_TYPE = "instance_type"
INSTANCE_COUNT = "instance_count"
VARIANT_NAME = "variant_name"
OUTCOME = "outcome"
MODEL_ROLE_ARN = "model_role_arn"
SUBNETS = "subnets"
SECURITY_GROUPS = "security_groups"
NETWORK_ISOLATION = "network_isolation"
VOLUME_KEY = "volume_key"
OUTPUT_KEY = "output_key"
TAGS = "tags"
CAPTURE_PERCENT = "capture_percent"
CAPTURE_URI = "capture_uri"
TRAFFIC_POLICY = "traffic_policy"
TRAFFIC_STEP_PERCENT = "traffic_step_percent"
TRAFFIC_WAIT_SECONDS = "traffic_wait_seconds"
TERMINATION_WAIT_SECONDS = "termination_wait_seconds"
UPDATE_TIMEOUT_SECONDS = "update_timeout_seconds"
ALARM_5XX_PERCENT = "alarm_5xx_percent"
ALARM_LATENCY_MILLISECONDS = "alarm_latency_milliseconds"
EXTRA_ALARMS = "extra_alarms"
MIN_CAPACITY = "min_capacity"
MAX_CAPACITY = "max_capacity"
TARGET_INVOCATIONS = "target_invocations"
SCALE_IN_COOLDOWN = "scale_in_cooldown"
SCALE_OUT_COOLDOWN = "scale_out_cooldown"

# The content types of a served model.
PICTURE_TYPES = ("image/jpeg", "image/png", "image/webp")
JSON_TYPE = "application/json"

# Metadata of a registered model: its origin.
METADATA_DATASET = "dataset_sha256"
METADATA_CODE = "code_sha256"
METADATA_EXECUTION = "execution_id"
METADATA_CHAMPION = "champion"

# The outcomes of the deploying functions.
OUTCOME_DEPLOYING = "deploying"
OUTCOME_UNCHANGED = "unchanged"
OUTCOME_NOT_APPROVED = "not-approved"
OUTCOME_IN_SERVICE = "in-service"
OUTCOME_SCALING = "scaling"
OUTCOME_FIXED = "fixed"
OUTCOME_BUSY = "busy"  # only after an approval: the deployment is postponed

# Fields that the approval rule adds to the event: no step waits then, so the function leaves a message in the queue.
AWAIT_QUEUE_URL = "await_queue_url"
AUTOSCALING = "autoscaling"  # the event of the scaling function as JSON, without the outcome
AUTOSCALING_FUNCTION = "autoscaling_function"

# In that message: the function to call, and its event, once the endpoint is stable.
NEXT_FUNCTION = "next_function"
NEXT_EVENT = "next_event"

# Environment variables of the functions.
ENV_GIVE_UP_MINUTES = "GIVE_UP_MINUTES"

# A tag on an endpoint configuration: the configuration that the endpoint had before.
TAG_PREVIOUS = "pedigree:previous"

# The predicting function: its request, the model's response, and its environment variables.
URL = "url"
IMAGE = "image"
LOGITS = "logits"
PREDICTIONS = "predictions"
ENV_ENDPOINT_NAME = "ENDPOINT_NAME"
ENV_LOG_LEVEL = "LOG_LEVEL"
