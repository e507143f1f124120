"""The options of train.py, from flags and from the environment, and the paths that it uses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import contract
import hyperparameters
import options
from errors import InvalidFlagError

WORDS = {
    **{f"--{name.replace('_', '-')}": str(least or 1) for name, (_, least, _) in hyperparameters.NUMBERS.items()},
    **dict.fromkeys(("--image-size", "--checkpoint-minutes", "--workers", "--wait-minutes"), "3"),
    "--architecture": "resnet18",
    "--weights": "none",
    "--layers": "all",
    "--precision": "bf16",
    "--device": "cpu",
    "--backend": "gloo",
    "--compile": "true",
}
"""What each flag takes that takes no folder."""


def folders(below: Path, *names: str) -> Path:
    for name in names:
        (below / name).mkdir(parents=True)
    return below


def test_flags_are_taken_in_both_spellings_and_win_over_the_environment(tmp_path: Path) -> None:
    for name in ("train", "valid", "other"):
        (tmp_path / name).mkdir()
    environ = {"SM_CHANNEL_TRAIN": str(tmp_path / "other"), "SM_MODEL_DIR": "elsewhere"}
    words = ["--data", str(tmp_path), "--learning_rate", "0.5", "--batch-size=8", "--model_dir", "here"]
    found = options.parse(words, environ)
    assert (found.hyperparameters.learning_rate, found.hyperparameters.batch_size) == (0.5, 8)
    assert (found.train, found.validation) == (tmp_path / "train", tmp_path / "valid")
    assert found.model_dir == Path("here")


def test_every_flag_of_the_help_means_the_same_in_both_spellings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders(tmp_path, "train", "valid")
    (tmp_path / contract.DATASET_FILE).touch()
    with pytest.raises(SystemExit):
        options.parse(["--help"])
    flags = set(re.findall(r"^  (--[a-z-]+)", capsys.readouterr().out, re.MULTILINE))
    assert {f"--{name.replace('_', '-')}" for name in hyperparameters.NAMES} < flags
    for flag in flags:
        value = WORDS.get(flag, str(tmp_path))
        found = [
            options.parse(["--data", str(tmp_path), spelled, value], {})
            for spelled in (flag, "--" + flag[2:].replace("-", "_"))
        ]
        assert found[0] == found[1]


def test_weights_can_come_by_a_channel(tmp_path: Path) -> None:
    for name in ("train", "validation", "weights"):
        (tmp_path / name).mkdir()
    words = ["--data", str(tmp_path), "--weights", "channel"]
    environ = {"SM_CHANNEL_WEIGHTS": str(tmp_path / "weights")}
    with pytest.raises(InvalidFlagError, match="holds 0 files; put one state dict there"):
        options.parse(words, environ)
    (tmp_path / "weights" / "mine.pth").touch()
    assert options.parse(words, environ).weights_file == tmp_path / "weights" / "mine.pth"


def test_the_course_projects_one_channel_is_enough(tmp_path: Path) -> None:
    """Its notebook hands over the folder of its zip as the channel training."""
    environ = {"SM_CHANNEL_TRAINING": str(folders(tmp_path / "dogImages", "train", "valid", "test"))}
    found = options.parse([], environ)
    assert (found.train, found.validation) == (tmp_path / "dogImages" / "train", tmp_path / "dogImages" / "valid")


def test_the_single_channel_is_used_only_without_others(tmp_path: Path) -> None:
    """A channel of that name may hold anything where a job has the others, too."""
    folders(tmp_path, "train", "validation", "other/train", "other/valid")
    everything = {"SM_CHANNEL_TRAINING": str(tmp_path / "other")}
    ours = {f"SM_CHANNEL_{name.upper()}": str(tmp_path / name) for name in ("train", "validation")}
    for words, environ in ((["--data", str(tmp_path)], {}), ([], ours)):
        found = options.parse(words, {**everything, **environ})
        assert (found.train, found.validation) == (tmp_path / "train", tmp_path / "validation")
    with pytest.raises(InvalidFlagError, match="neither --data nor --train and --validation is given"):
        options.parse(["--train", str(tmp_path / "train")], everything)


@pytest.mark.parametrize("flag", ["model-dir", "output-dir", "checkpoint-dir", "cache-dir", "scratch-dir"])
def test_a_folder_that_is_not_writable_is_reported_before_training(flag: str, tmp_path: Path) -> None:
    folders(tmp_path, "train", "validation")
    file = tmp_path / "file"
    file.touch()
    for place in (file, file / "below" / "it"):
        with pytest.raises(InvalidFlagError, match=f"--{flag} {place}: {file} is not writable; name another"):
            options.parse(["--data", str(tmp_path), f"--{flag}", str(place)], {})
    options.parse(["--data", str(tmp_path), f"--{flag}", str(tmp_path / "not" / "yet")], {})
    assert not (tmp_path / "not").exists(), "it is made when it is written to"


@pytest.mark.parametrize(
    ("flag", "word"),
    [
        ("workers", "-1"),
        ("image-size", "0"),
        ("image-size", "many"),
        ("checkpoint-minutes", "nan"),
        ("wait-minutes", "0"),
    ],
)
def test_a_number_out_of_bounds_is_reported_with_the_bounds(flag: str, word: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidFlagError, match=f"argument --{flag}: {word} is out of range; give .* to .*"):
        options.parse(["--data", str(tmp_path), f"--{flag}={word}"], {})


def test_a_switch_that_is_neither_true_nor_false_is_reported(tmp_path: Path) -> None:
    with pytest.raises(InvalidFlagError, match="argument --compile: yes is neither true nor false"):
        options.parse(["--data", str(tmp_path), "--compile", "yes"], {})
