"""Each single mistake in settings is one line: where, what is wrong, what to write instead; and exit code 2."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.main import main

NUMBERS = list(range(1, 30))
KEY = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd"


@dataclass(frozen=True)
class Mistake:
    """A settings file, the line and the key that the answer must name, and words of cause and remedy."""

    text: str
    line: int
    key: str
    cause: str
    remedy: str


MISTAKES = [
    # kinds
    Mistake("[tuning]\nmax_jobs = 'four'", 2, "tuning.max_jobs", '"four" is of the wrong kind', "write a whole number"),
    Mistake("[tuning]\nmax_jobs = 2.5", 2, "tuning.max_jobs", "2.5 is of the wrong kind", "write a whole number"),
    Mistake("[distributed]\nenabled = 1", 2, "distributed.enabled", "1 is of the wrong kind", "write true or false"),
    Mistake("[site]\naccount = 123456789012", 2, "site.account", "is of the wrong kind", "write text in quotes"),
    Mistake(
        "[site.network]\nsubnets = 'x'", 2, "site.network.subnets", "is of the wrong kind", "write a list in brackets"
    ),
    Mistake("tuning = 3", 1, "tuning", "3 is of the wrong kind", "write a table"),
    Mistake("[quality]\naccuracy = nan", 2, "quality.accuracy", "is not finite", "write a number"),
    # ranges of values
    Mistake("[tuning]\nmax_jobs = 0", 2, "tuning.max_jobs", "0 is too small", "write 1 or more"),
    Mistake("[quality]\naccuracy = 1.5", 2, "quality.accuracy", "1.5 is too large", "write 1 or less"),
    Mistake(
        "[training]\nwarm_pool_seconds = 30000", 2, "training.warm_pool_seconds", "is too large", "write 21600 or less"
    ),
    Mistake("[pipeline]\nname = '" + 33 * "x" + "'", 2, "pipeline.name", "is too long", "keep 32 or fewer"),
    Mistake("[autoscaling]\ntarget_invocations_per_minute = 0", 2, "autoscaling.target", "too small", "more than 0"),
    Mistake("[tuning]\nranges = {}", 2, "tuning.ranges", "is too short", "name 1 or more"),
    # unknown keys and choices
    Mistake("[tunning]\nmax_jobs = 1", 1, "tunning", "is no setting", "did you mean tuning?"),
    Mistake("[tuning]\nmaxjobs = 1", 2, "tuning.maxjobs", "is no setting", "did you mean max_jobs?"),
    Mistake("[endpoint.update]\npolcy = 'canary'", 2, "endpoint.update.polcy", "is no setting", "did you mean policy?"),
    Mistake("[tuning]\nstrategy = 'bayesian'", 2, "tuning.strategy", "is none of the choices", "write 'Bayesian'"),
    Mistake("[functions]\nruntime = 'python3.8'", 2, "functions.runtime", "is none of the choices", "python3.13"),
    Mistake(
        "[training]\ninstance_type = 'ml.g4dn.xlrge'",
        2,
        "training.instance_type",
        "is not an",
        "did you mean ml.g4dn.xlarge?",
    ),
    Mistake("[site]\nregion = 'us-est-1'", 2, "site.region", "is no region of AWS", "did you mean us-west-1?"),
    # forms
    Mistake("[site]\naccount = '1234'", 2, "site.account", "is not of the form", "write it like 123456789012"),
    Mistake("[endpoint]\nname = 'dog_breeds'", 2, "endpoint.name", "is not of the form", "write it like dog-breeds"),
    Mistake("[data]\nsource = 'dogs.zip'", 2, "data.source", "is not of the form", "https://host/images.zip"),
    Mistake("[cache]\ntraining = '30d'", 2, "cache.training", "is not of the form", "write it like P30D"),
    Mistake(
        "[schedule]\nexpression = '0 6 * * *'", 2, "schedule.expression", "is not of the form", "cron(0 6 ? * MON *)"
    ),
    Mistake("[schedule]\ntimezone = 'Mars'", 2, "schedule.timezone", "is no time zone", "Europe/Berlin"),
    Mistake("[tuning]\nmax_jobs = = 1", 2, "", "is not TOML", "mend it"),
    # combinations within a section
    Mistake("[data.splits]\ntrain = 0.9", 1, "data.splits", "adds up to 1.1", "change train, validation or test"),
    Mistake(
        "[autoscaling]\nmin_capacity = 5", 1, "autoscaling", "scales from 5 to 3", "min_capacity must not be above"
    ),
    Mistake(
        "[endpoint.update]\nstep_percent = 60", 1, "endpoint.update", "canary takes 1 to 50", "change step_percent"
    ),
    Mistake(
        "[site.network]\nsubnets = ['subnet-0123abcd']", 1, "site.network", "without the other", "give both, or neither"
    ),
    Mistake(
        "[retries.training]\nmax_attempts = 3", 1, "retries.training", "and the service takes one", "set the other to 0"
    ),
    Mistake(
        "[tuning.ranges.dropout]\ntype = 'continuous'\nmin = 0.5\nmax = 0.1",
        1,
        "tuning.ranges.dropout",
        "runs from",
        "min must",
    ),
    Mistake("[tuning.ranges.dropout]\nmin = 0.1\nmax = 0.5", 1, "tuning.ranges.dropout", "has no type", "add type ="),
    # combinations across sections
    Mistake(
        "[distributed]\ninstance_type = 'ml.g4dn.xlarge'", 2, "distributed.instance_type", "has no smddp", "torchrun"
    ),
    Mistake(
        "[images.distributed]\nversion = '2.6.0'", 2, "images.distributed.version", "no smddp library", "use 2.5.1"
    ),
    Mistake(
        "[images.training]\nversion = '2.99'", 1, "images.training", "knows no PyTorch training image 2.99", "2.14"
    ),
    Mistake("[images.inference]\npython = 'py310'", 1, "images.inference", "has py312, not py310", "use that"),
    Mistake("[debugger]\nenabled = true\n", 0, "images.training.version", "no smdebug library", "use 2.0.1"),
    Mistake(
        "[endpoint]\ninstance_type = 'ml.t2.medium'", 2, "endpoint.instance_type", "is burstable", "use ml.m5.large"
    ),
    Mistake(
        "[endpoint]\ninstance_type = 'ml.c5.large'", 2, "endpoint.instance_type", "not among registry", "add it there"
    ),
    Mistake(
        "[endpoint]\ninstance_count = 4",
        2,
        "endpoint.instance_count",
        "outside of autoscaling's 1 to 3",
        "bring it within",
    ),
    Mistake("[tuning]\nparallel_jobs = 3", 2, "tuning.parallel_jobs", "is above max_jobs = 2", "raise max_jobs"),
    Mistake("[tuning]\nstrategy = 'Grid'", 2, "tuning.strategy", "categorical ranges only", "use Bayesian"),
    Mistake(
        "[tuning]\nstrategy = 'Hyperband'\nearly_stopping = 'Auto'",
        3,
        "tuning.early_stopping",
        "with Hyperband",
        "use Off",
    ),
    Mistake(
        "[tuning.ranges.learnin_rate]\ntype = 'integer'\nmin = 1\nmax = 2",
        1,
        "learnin_rate",
        "no hyperparameter",
        "learning_rate?",
    ),
    Mistake(
        "[tuning.ranges.epochs]\ntype = 'integer'\nmin = 1\nmax = 2", 1, "epochs", "cannot be tuned", "remove the range"
    ),
    Mistake(
        "[tuning.ranges.batch_size]\ntype = 'continuous'\nmin = 1\nmax = 2",
        1,
        "batch_size",
        "does not take",
        "make it integer",
    ),
    Mistake(
        "[tuning.ranges.batch_size]\ntype = 'categorical'\nvalues = ['x']", 3, "batch_size.values", 'has "x"', "mend it"
    ),
    Mistake(
        "[training.hyperparameters]\nseed = 3",
        2,
        "training.hyperparameters.seed",
        "a key of its own",
        "set training.seed",
    ),
    Mistake(
        "[training.hyperparameters]\nbatch_size = 'x'", 2, "hyperparameters.batch_size", "wrong kind", "a whole number"
    ),
    Mistake("[training]\nweights = 'none'", 1, "training.layers", "a network of random weights", 'use layers = "all"'),
    Mistake(
        "[training]\nprecision = 'bf16'",
        2,
        "training.precision",
        "is not computed by ml.g4dn.xlarge",
        "use auto or fp16",
    ),
    Mistake(
        "[training]\nspot = true\nwarm_pool_seconds = 60",
        3,
        "training.warm_pool_seconds",
        "cannot be with spot",
        "set it to 0",
    ),
    Mistake(
        "[training]\nspot = true\nmax_wait_seconds = 60", 3, "training.max_wait_seconds", "is shorter than", "raise it"
    ),
    Mistake(
        f"[site.encryption]\noutput_key = '{KEY}'",
        2,
        "site.encryption.output_key",
        "lies in eu-west-1",
        "one in us-east-1",
    ),
    Mistake(
        "[functions.predict]\nreserved_concurrency = 1", 1, "functions.predict.provisioned", "is above", "lower it"
    ),
    Mistake("[functions.await]\npoll_seconds = 10", 2, "functions.await.poll_seconds", "is shorter than", "raise it"),
    Mistake(
        "[schedule.parameters]\nEpoch = 3", 2, "schedule.parameters.Epoch", "is no parameter", "did you mean Epochs?"
    ),
    Mistake(
        "[schedule.parameters]\nEpochs = 'x'", 2, "schedule.parameters.Epochs", "of the wrong kind", "a whole number"
    ),
    Mistake(
        "[schedule.parameters]\nModelApprovalStatus = 'Yes'",
        2,
        "ModelApprovalStatus",
        "none of its choices",
        "write Approved",
    ),
    Mistake(
        "[registry]\ninference_instance_types = ['ml.m5.large', 'ml.g5.xlarge']", 2, "registry", "mixes", "of one kind"
    ),
    Mistake(
        "[debugger]\nenabled = true\n[images.training]\nversion = '2.0.1'\npython = ''\n[site]\nregion='us-gov-east-1'",
        1,
        "debugger.rules",
        "no image that evaluates them in us-gov-east-1",
        "use rules = []",
    ),
    Mistake(
        "[site]\nregion = 'eusc-de-east-1'\n[distributed]\nenabled = false",
        0,
        "images.inference",
        "knows no PyTorch 2.6.0 inference image in eusc-de-east-1",
        "choose another region",
    ),
    Mistake(
        "[tuning]\nstrategy = 'Grid'\n[tuning.ranges]\n"
        + "".join(f"{name} = {{type = 'categorical', values = {NUMBERS}}}\n" for name in ("batch_size", "patience")),
        3,
        "tuning.ranges",
        "841 grid points",
        "name fewer",
    ),
    Mistake(
        "[tuning]\nstrategy = 'Hyperband'\nhyperband_min_epochs = 50",
        3,
        "tuning.hyperband_min_epochs",
        "is not below training.epochs = 50",
        "lower it",
    ),
    Mistake(
        "[training.hyperparameters]\nbatchsize = 3",
        2,
        "training.hyperparameters.batchsize",
        "is no hyperparameter of train.py",
        "did you mean batch_size?",
    ),
    Mistake(
        "[tuning.ranges.learning_rate]\ntype = 'continuous'\nmin = 0.1\nmax = 0.2\nscale = 'Auto'",
        5,
        "tuning.ranges.learning_rate.scale",
        "is no setting",
        "did you mean scaling?",
    ),
    Mistake(
        "[tuning.ranges.learning_rate]\ntype = 'continuous'\nmin = 0.1\nmax = 2\nscaling = 'ReverseLogarithmic'",
        1,
        "tuning.ranges.learning_rate",
        "within 0 ≤ min < max < 1",
        "choose another scaling",
    ),
    Mistake(
        "[tuning.ranges.learning_rate]\ntype = 'continuous'\nmin = 0.0\nmax = 2\nscaling = 'Logarithmic'",
        1,
        "tuning.ranges.learning_rate",
        "Logarithmic scaling from 0",
        "choose Linear",
    ),
    Mistake(
        "[tuning.ranges.batch_size]\ntype = 'categorical'\nvalues = [32, 32]",
        1,
        "tuning.ranges.batch_size",
        "names a value twice",
        "remove one",
    ),
    Mistake(
        "[registry]\ninference_instance_types = ['ml.c6g.large']\n[endpoint]\ninstance_type = 'ml.c6g.large'",
        0,
        "images.inference",
        "for arm64 instances",
        "choose another type",
    ),
    Mistake(
        "[site.network]\nisolation = true\n[training]\nweights = 's3://weights/a.pth'",
        0,
        "data.source",
        "isolation",
        "s3://",
    ),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda one: one.text.replace("\n", " ")[:60])
def test_a_mistake_is_one_line(
    mistake: Mistake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(mistake.text, encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["pedigree", "definition", "--settings", str(path)])
    with pytest.raises(SystemExit) as stopped:
        main()
    out, err = capsys.readouterr()
    assert stopped.value.code == 2
    assert out == ""
    assert err.count("\n") == 1, err
    assert (f"{path}:{mistake.line}: " if mistake.line else "default: ") in err
    assert mistake.key in err
    assert mistake.cause in err
    assert mistake.remedy in err.split("; ", 1)[1]


def test_there_are_enough_of_them() -> None:
    assert len(MISTAKES) >= 40
