"""Searches and trainings that could not work: ranges, hyperparameters, networks, precision."""

from __future__ import annotations

from tests.mistakes.mistake import WrongSettings

MANY = "{type = 'categorical', values = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}"

TRAINING = (
    WrongSettings(
        "[tuning.ranges.dropout]\ntype = 'continuous'\nmin = 0.5\nmax = 0.1",
        4,
        "tuning.ranges.dropout",
        "runs from",
        "min must",
    ),
    WrongSettings(
        "[tuning.ranges.dropout]\nmin = 0.1\nmax = 0.5", 3, "tuning.ranges.dropout", "has no type", "add type ="
    ),
    WrongSettings("[tuning]\nparallel_jobs = 3", 2, "tuning.parallel_jobs", "is above max_jobs = 2", "raise max_jobs"),
    WrongSettings("[tuning]\nstrategy = 'Grid'", 2, "tuning.strategy", "categorical ranges only", "use Bayesian"),
    WrongSettings(
        "[tuning]\nstrategy = 'Hyperband'\nearly_stopping = 'Auto'",
        3,
        "tuning.early_stopping",
        "does not go with Hyperband",
        "use Off",
    ),
    WrongSettings(
        "[tuning.ranges.learnin_rate]\ntype = 'integer'\nmin = 1\nmax = 2",
        4,
        "learnin_rate",
        "no hyperparameter",
        "learning_rate?",
    ),
    WrongSettings(
        "[tuning.ranges.epochs]\ntype = 'integer'\nmin = 1\nmax = 2", 4, "epochs", "cannot be tuned", "remove the range"
    ),
    WrongSettings(
        "[tuning.ranges.batch_size]\ntype = 'continuous'\nmin = 1\nmax = 2",
        4,
        "batch_size",
        "does not accept such a range",
        "make it integer",
    ),
    WrongSettings(
        "[tuning.ranges.batch_size]\ntype = 'categorical'\nvalues = ['x']",
        3,
        "batch_size.values",
        'has "x"',
        "write one",
    ),
    WrongSettings(
        "[training.hyperparameters]\nseed = 3",
        2,
        "training.hyperparameters.seed",
        "a key of its own",
        "set training.seed",
    ),
    WrongSettings(
        "[training]\nweights = 'none'", 2, "training.layers", "a network of random weights", 'use layers = "all"'
    ),
    WrongSettings(
        "[training]\nprecision = 'bf16'",
        2,
        "training.precision",
        "is not computed by ml.g4dn.xlarge",
        "use auto or fp32",
    ),
    WrongSettings(
        f"[tuning]\nstrategy = 'Grid'\n[tuning.ranges]\nbatch_size = {MANY}\npatience = {MANY}\nwarmup_epochs = {MANY}",
        6,
        "tuning.ranges",
        "1000 grid points",
        "name fewer",
    ),
    WrongSettings(
        "[tuning]\nstrategy = 'Hyperband'\nhyperband_min_epochs = 50",
        3,
        "tuning.hyperband_min_epochs",
        "is not below training.epochs = 50",
        "lower it",
    ),
    WrongSettings(
        "[training.hyperparameters]\nbatchsize = 3",
        2,
        "training.hyperparameters.batchsize",
        "is no hyperparameter of train.py",
        "did you mean batch_size?",
    ),
    WrongSettings(
        "[tuning.ranges.learning_rate]\ntype = 'continuous'\nmin = 0.1\nmax = 0.2\nscale = 'Auto'",
        5,
        "tuning.ranges.learning_rate.scale",
        "is no setting",
        "did you mean scaling?",
    ),
    WrongSettings(
        "[tuning.ranges.learning_rate]\ntype = 'continuous'\nmin = 0.1\nmax = 2\nscaling = 'ReverseLogarithmic'",
        5,
        "tuning.ranges.learning_rate",
        "within 0 ≤ min < max < 1",
        "choose another scaling",
    ),
    WrongSettings(
        "[tuning.ranges.learning_rate]\ntype = 'continuous'\nmin = 0.0\nmax = 2\nscaling = 'Logarithmic'",
        5,
        "tuning.ranges.learning_rate",
        "Logarithmic scaling from 0",
        "choose Linear",
    ),
    WrongSettings(
        "[tuning.ranges.batch_size]\ntype = 'categorical'\nvalues = [32, 32]",
        3,
        "tuning.ranges.batch_size",
        "names a value twice",
        "remove one",
    ),
    WrongSettings(
        "[training]\nprecision = 'fp16'\ninstance_type = 'ml.m5.xlarge'",
        3,
        "training.precision",
        "is not computed by ml.m5.xlarge",
        "use auto",
    ),
    WrongSettings(
        "[tuning.ranges.precision]\ntype = 'categorical'\nvalues = ['fp32', 'bf16']",
        3,
        "training.precision",
        "is not computed by ml.g4dn.xlarge",
        "use auto",
    ),
    WrongSettings(
        "[tuning.ranges.architecture]\ntype = 'categorical'\nvalues = ['resnet50', 'resnet18']",
        3,
        "training.weights",
        "does not exist for resnet18",
        "DEFAULT",
    ),
    WrongSettings(
        "[training]\nprecision = 'bf16'\ninstance_type = 'ml.g5.xlarge'\nalternatives = ['ml.g4dn.xlarge']",
        4,
        "training.precision",
        "is not computed by ml.g4dn.xlarge",
        "use auto",
    ),
    WrongSettings(
        "[training]\narchitecture = 'vit_b_16'\nweights = 'DEFAULT'\n[data]\nimage_size = 128",
        5,
        "data.image_size",
        "vit_b_16 takes 224",
        "write that",
    ),
    WrongSettings(
        "[training]\narchitecture = 'inception_v3'\nweights = 'DEFAULT'\n[data]\nimage_size = 64",
        5,
        "data.image_size",
        "inception_v3 takes 75 or more",
        "write that",
    ),
    WrongSettings(
        f"[tuning]\nstrategy = 'Grid'\nparallel_jobs = 30\n[tuning.ranges]\nbatch_size = {MANY}",
        5,
        "tuning.parallel_jobs",
        "is above the grid's 10 points",
        "lower it",
    ),
)
