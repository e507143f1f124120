"""prepare.py as a process on real files: makes a complete data set, or nothing."""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest
from file_server import ReceivedRequest, Reply, part, serving
from image_trees import as_folder, as_zip, classes, encoded, jpeg, noise
from PIL import Image
from polling import until

import dataset

SCRIPT = Path(dataset.__file__).with_name("prepare.py")
SPLITS = ("train/", "valid/", "test/")


def prepare(source: Path | str, output: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), "--source", str(source), "--output-dir", str(output), "--image-size", "32"]
    return subprocess.run([*command, *flags], capture_output=True, text=True, check=False, timeout=120)


def prepared(source: Path | str, output: Path, *flags: str) -> dict[str, Any]:
    done = prepare(source, output, *flags)
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads((output / "dataset" / "dataset.json").read_text(encoding="utf-8"))
    return document


def refused(source: Path | str, output: Path, *flags: str) -> str:
    """Returns the error line, and checks that nothing was made."""
    before = sorted(output.rglob("*"))
    done = prepare(source, output, *flags)
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.startswith("prepare.py: ")
    assert done.stderr.count("\n") == 1
    assert sorted(output.rglob("*")) == before
    return done.stderr.removeprefix("prepare.py: ").strip()


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def reasons(document: Mapping[str, Any]) -> dict[str, str]:
    return {drop["path"]: drop["reason"] for drop in document["drops"]}


def totals(document: Mapping[str, Any]) -> dict[str, int]:
    return {split: sum(counts.values()) for split, counts in document["counts"].items()}


def test_the_courses_zip_becomes_three_splits_and_their_description(tmp_path: Path) -> None:
    files = {f"dogImages/{name}": content for name, content in classes(SPLITS).items()}
    archive = as_zip({**files, "__MACOSX/dogImages/train/._1.jpg": b"resource"}, tmp_path / "dogImages.zip")
    document = prepared(archive, tmp_path / "out")

    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["dataset", "test", "train", "validation"]
    assert document["classes"] == ["1.cat", "2.dog"]
    assert document["labels"] == ["cat", "dog"]
    assert document["counts"] == {split: {"1.cat": 6, "2.dog": 6} for split in ("train", "validation", "test")}
    assert document["drops"] == []
    assert document["image_size"] == 32
    assert document["hashes"]["source"] == hashlib.sha256(archive.read_bytes()).hexdigest()
    with Image.open(tmp_path / "out" / "validation" / "2.dog" / "3.jpg") as picture:
        assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (38, 32))
    assert dataset.read(tmp_path / "out" / "dataset").sha256 == document["sha256"]


def test_the_hash_is_over_paths_and_contents_and_anybody_can_compute_it(tmp_path: Path) -> None:
    document = prepared(as_folder(classes(SPLITS), tmp_path / "in"), tmp_path / "out")
    pictures = sorted((name, content) for name, content in contents(tmp_path / "out").items() if name.endswith(".jpg"))
    lines = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in pictures)
    assert document["sha256"] == hashlib.sha256(lines.encode()).hexdigest()


def test_the_same_pictures_give_the_same_bytes_however_they_come(tmp_path: Path) -> None:
    files = {**classes(("",), each=12), "1.cat/twin.jpg": jpeg(0), "2.dog/notes.txt": b"none", "2.dog/x.png": b"broken"}
    shuffled = list(files.items())
    random.Random(3).shuffle(shuffled)
    folder, other = as_folder(files, tmp_path / "one"), as_folder(dict(shuffled), tmp_path / "two")
    archive = as_zip(dict(shuffled), tmp_path / "images.zip")
    for name, source, workers in [("a", folder, "1"), ("b", other, "2"), ("c", archive, "5")]:
        prepared(source, tmp_path / name, "--workers", workers)

    first, *others = (contents(tmp_path / name) for name in "abc")
    descriptions = [json.loads(item.pop("dataset/dataset.json")) for item in (first, *others)]
    assert all(item == first for item in others)
    for item in descriptions:  # where it came from is all that differs
        item.pop("source")
        item["hashes"].pop("source", None)
    assert descriptions[1] == descriptions[0] == descriptions[2]


def test_running_twice_gives_the_same_description_too(tmp_path: Path) -> None:
    archive = as_zip(classes(SPLITS), tmp_path / "images.zip")
    for name in "ab":
        prepared(archive, tmp_path / name)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_one_folder_per_class_is_split_class_by_class(tmp_path: Path) -> None:
    document = prepared(
        as_folder(classes(("",), each=20), tmp_path / "in"), tmp_path / "out", "--splits", "0.5,0.2,0.3"
    )
    assert document["counts"] == {
        "train": {"1.cat": 10, "2.dog": 10},
        "validation": {"1.cat": 4, "2.dog": 4},
        "test": {"1.cat": 6, "2.dog": 6},
    }


def test_a_split_goes_by_content_and_not_by_name(tmp_path: Path) -> None:
    files = classes(("",), each=20)
    renamed = {f"{name[:-4].replace('/', '/zz')}9.jpg": content for name, content in files.items()}
    for name, these in (("a", files), ("b", renamed)):
        prepared(as_folder(these, tmp_path / f"in-{name}"), tmp_path / name)
    hashes = [
        {(Path(name).parts[0], hashlib.sha256(content).digest()) for name, content in contents(tmp_path / item).items()
         if name.endswith(".jpg")}
        for item in "ab"
    ]  # fmt: skip
    assert hashes[0] == hashes[1]


def test_a_split_that_is_missing_is_cut_from_training(tmp_path: Path) -> None:
    document = prepared(as_folder(classes(("train/", "val/"), each=10), tmp_path / "in"), tmp_path / "out")
    assert totals(document) == {"train": 18, "validation": 20, "test": 2}


def test_unreadable_pictures_are_dropped_and_their_reasons_kept(tmp_path: Path) -> None:
    files = classes(SPLITS, each=20)
    files |= {"train/1.cat/half.jpg": jpeg(900)[:700], "train/1.cat/page.jpg": b"<html>", "train/2.dog/notes.txt": b""}
    document = prepared(as_zip(files, tmp_path / "images.zip"), tmp_path / "out")
    found = reasons(document)
    assert set(found) == {"train/1.cat/half.jpg", "train/1.cat/page.jpg", "train/2.dog/notes.txt"}
    assert found["train/1.cat/half.jpg"].startswith("cannot be decoded: image file is truncated")
    assert found["train/1.cat/page.jpg"].startswith("is not a picture; use JPEG")
    assert totals(document) == {"train": 40, "validation": 40, "test": 40}


def test_a_leak_is_removed_from_training_and_within_a_split_one_is_kept(tmp_path: Path) -> None:
    files = classes(SPLITS)
    files["train/1.cat/leaked.jpg"] = files["test/1.cat/0.jpg"]
    files["train/1.cat/seen.jpg"] = files["valid/1.cat/1.jpg"]
    files["valid/1.cat/leaked.jpg"] = files["test/1.cat/2.jpg"]
    files["train/1.cat/twin.jpg"] = files["train/1.cat/4.jpg"]
    files["train/2.dog/contrary.jpg"] = files["train/1.cat/5.jpg"]
    document = prepared(as_folder(files, tmp_path / "in"), tmp_path / "out")
    assert reasons(document) == {
        "train/1.cat/leaked.jpg": "is the same picture as test/1.cat/0.jpg",
        "train/1.cat/seen.jpg": "is the same picture as valid/1.cat/1.jpg",
        "train/1.cat/twin.jpg": "is the same picture as train/1.cat/4.jpg",
        "train/2.dog/contrary.jpg": "is the same picture as train/1.cat/5.jpg, which is in class 1.cat",
        "valid/1.cat/leaked.jpg": "is the same picture as test/1.cat/2.jpg",
    }
    assert totals(document) == {"train": 12, "validation": 12, "test": 12}


def test_the_same_picture_in_another_file_is_a_leak_too(tmp_path: Path) -> None:
    files = classes(SPLITS)
    picture = noise(500)
    files["test/1.cat/original.png"] = encoded(picture, "PNG")
    files["train/1.cat/copy.bmp"] = encoded(picture, "BMP")
    document = prepared(as_folder(files, tmp_path / "in"), tmp_path / "out")
    assert reasons(document) == {"train/1.cat/copy.bmp": "is the same picture as test/1.cat/original.png"}


def test_pictures_of_one_name_do_not_replace_each_other(tmp_path: Path) -> None:
    files = classes(SPLITS)
    files["train/1.cat/a/photo.jpg"] = jpeg(800)
    files["train/1.cat/b/photo.png"] = encoded(noise(801), "PNG")
    files["train/1.cat/b/PHOTO.jpg"] = jpeg(802)
    files["train/1.cat/what? a *name*.jpg"] = jpeg(803)
    document = prepared(as_folder(files, tmp_path / "in"), tmp_path / "out")
    names = sorted(path.name for path in (tmp_path / "out" / "train" / "1.cat").iterdir())
    assert document["counts"]["train"]["1.cat"] == len(names) == 10
    assert sum(name.lower().startswith("photo-") for name in names) == 3
    assert "what_ a _name_.jpg" in names


def test_a_trial_takes_a_few_of_each_class(tmp_path: Path) -> None:
    source = as_folder(classes(("",), each=40), tmp_path / "in")
    assert totals(prepared(source, tmp_path / "out", "--most-per-class", "10")) == {
        "train": 16,
        "validation": 2,
        "test": 2,
    }


def test_folders_that_are_there_already_and_empty_are_filled(tmp_path: Path) -> None:
    for name in ("train", "validation", "test", "dataset"):
        (tmp_path / "out" / name).mkdir(parents=True)
    prepared(as_folder(classes(SPLITS), tmp_path / "in"), tmp_path / "out")
    assert len(contents(tmp_path / "out")) == 37


def test_a_zip_from_the_web_is_fetched_and_its_secrets_are_not_written_down(tmp_path: Path) -> None:
    archive = as_zip(classes(SPLITS), tmp_path / "images.zip").read_bytes()
    checksum = hashlib.sha256(archive).hexdigest()
    with serving(lambda request, _: part(archive, request)) as server:
        address = f"{server.url}/images.zip?signature=secret#sha256={checksum}"
        document = prepared(address, tmp_path / "out", "--sha256", checksum)
        assert document["source"] == f"{server.url}/images.zip"
        assert document["hashes"]["source"] == checksum
        message = refused(f"{server.url}/images.zip", tmp_path / "other", "--sha256", "0" * 64)
    assert message.startswith(f"{server.url}/images.zip has the SHA-256 {checksum}, not 000")
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("exists", [True, False])
def test_more_than_five_percent_unreadable_is_an_error(tmp_path: Path, exists: bool) -> None:
    files = classes(SPLITS, each=6)
    files |= {f"train/1.cat/broken{number}.jpg": b"broken" for number in range(2)}
    if exists:
        (tmp_path / "out").mkdir()
    message = refused(as_zip(files, tmp_path / "images.zip"), tmp_path / "out")
    assert message.startswith("2 of 38 pictures cannot be used, more than 5%: train/1.cat/broken0.jpg is not a picture")
    assert (tmp_path / "out").exists() == exists


def test_five_percent_unreadable_is_allowed(tmp_path: Path) -> None:
    files = classes(("",), each=19)
    files |= {f"1.cat/broken{number}.jpg": b"broken" for number in range(2)}
    assert len(prepared(as_zip(files, tmp_path / "images.zip"), tmp_path / "out")["drops"]) == 2


def without(files: Mapping[str, bytes], prefix: str) -> dict[str, bytes]:
    return {name: content for name, content in files.items() if not name.startswith(prefix)}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (classes(SPLITS, names=("1.cat",)), "has only one class (1.cat), and a classifier needs two; add"),
        (classes(("",), names=("1.cat",)), "has only one class (1.cat)"),
        (without(classes(SPLITS), "valid/2.dog"), "no picture of 2.dog in validation; add pictures, or remove"),
        (without(classes(SPLITS), "train/2.dog"), "no picture of 2.dog in train; add pictures, or remove"),
        (classes(SPLITS) | {"train/3.fox/": b""}, "no picture of 3.fox in train, 3.fox in validation, 3.fox in test;"),
        (classes(("",)) | {"3.fox/": b""}, "no picture of 3.fox; add pictures"),
        (
            classes(SPLITS)
            | {"train/3.fox/1.heic": b"", "test/3.fox/1.jpg": jpeg(900), "valid/3.fox/1.jpg": jpeg(901)},
            "no picture of 3.fox in train (train/3.fox/1.heic does not have the name of a picture (.heic)); add",
        ),
        (
            classes(SPLITS) | {f"{split}3.fox/1.jpg": jpeg(900) for split in SPLITS},
            "no picture of 3.fox in train, 3.fox in validation (train/3.fox/1.jpg is the same picture as test/3.fox/1",
        ),
        (classes(SPLITS, each=4), "too few pictures to train: 1.cat (4), 2.dog (4), at least 5 each; add some"),
        (classes(("",), each=2), "1.cat has 2 pictures, too few to split; add some, or remove the class"),
        (classes(("",)) | {"../escape.jpg": b"harm"}, "images.zip: '../escape.jpg' leads out of its folder; pack"),
        ({"readme.txt": b"nothing"}, "has no folder of pictures; it takes train/, valid/ and test/"),
    ],
)  # fmt: skip
def test_an_invalid_data_set_is_reported_and_nothing_is_written(
    tmp_path: Path, files: dict[str, bytes], message: str
) -> None:
    assert refused(as_zip(files, tmp_path / "images.zip"), tmp_path / "out").startswith(message)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images.zip"]


def test_an_empty_folder_on_a_disk_is_an_empty_class(tmp_path: Path) -> None:
    source = as_folder(classes(SPLITS), tmp_path / "in")
    (source / "train" / "3.fox").mkdir()
    assert refused(source, tmp_path / "out").startswith("no picture of 3.fox in train")


def test_an_existing_data_set_is_not_mixed_with_a_new_one(tmp_path: Path) -> None:
    source = as_folder(classes(SPLITS), tmp_path / "in")
    prepared(source, tmp_path / "out")
    assert "already holds train, validation, test, dataset; empty it, or name another" in refused(
        source, tmp_path / "out"
    )


def test_an_output_inside_the_source_is_refused(tmp_path: Path) -> None:
    source = as_folder(classes(SPLITS), tmp_path / "in")
    assert "; name a folder outside of it" in refused(source, source / "out")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--splits", "0.8,0.2"), "--splits is '0.8,0.2'; give three shares that add up to 1, as in 0.8,0.1,0.1"),
        (("--splits", "0.8,0.3,-0.1"), "--splits is"),
        (("--splits", "nan,0.5,0.5"), "--splits is"),
        (("--splits", "a,b,c"), "--splits is"),
        (("--image-size", "8"), "--image-size is 8; give a number from 32 to 1024"),
        (("--workers", "0"), "--workers is 0; give a number from 1"),
        (("--most-per-class", "0"), "--most-per-class is 0; give a number from 3"),
        (("--sha256", "12"), "'12' is not a SHA-256"),
    ],
)
def test_an_invalid_flag_is_reported_at_once(tmp_path: Path, flags: tuple[str, ...], message: str) -> None:
    assert refused(tmp_path, tmp_path / "out", *flags).startswith(message)


def test_a_folder_that_is_not_writable_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    source = as_folder(classes(SPLITS), tmp_path / "in")
    done = prepare(source, tmp_path / "file" / "out")
    assert done.returncode == 2
    assert "Not a directory" in done.stderr
    assert "; check the folder, its permissions" in done.stderr


def test_links_that_lead_in_a_circle_come_to_an_end(tmp_path: Path) -> None:
    source = as_folder(classes(SPLITS), tmp_path / "in")
    (source / "train" / "1.cat" / "again").symlink_to(source / "train" / "1.cat")
    assert totals(prepared(source, tmp_path / "out"))["train"] == 12


def test_a_pipe_among_the_pictures_is_not_waited_for(tmp_path: Path) -> None:
    source = as_folder(classes(SPLITS), tmp_path / "in")
    os.mkfifo(source / "train" / "1.cat" / "pipe.jpg")
    assert totals(prepared(source, tmp_path / "out"))["train"] == 12


def slow(folder: Path) -> Path:
    """Returns a source that takes minutes: a large picture under many names."""
    large = as_folder({"large.png": encoded(Image.effect_noise((2500, 2000), 50), "PNG", compress_level=1)}, folder)
    for name in ("1.cat", "2.dog"):
        (folder / "in" / name).mkdir(parents=True)
        for number in range(1000):
            (folder / "in" / name / f"{number}.png").symlink_to(large / "large.png")
    return folder / "in"


def started(source: Path | str, output: Path) -> subprocess.Popen[str]:
    command = [sys.executable, str(SCRIPT), "--source", str(source), "--output-dir", str(output), "--workers", "2"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def workers(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children()


def test_a_run_that_is_stopped_leaves_nothing(tmp_path: Path) -> None:
    with started(slow(tmp_path), tmp_path / "out") as process:
        until(lambda: workers(process))
        process.terminate()
        process.communicate(timeout=300)
    assert process.returncode == 143
    assert not (tmp_path / "out").exists()


def test_a_killed_worker_is_reported_and_nothing_is_written(tmp_path: Path) -> None:
    with started(slow(tmp_path), tmp_path / "out") as process:
        until(lambda: workers(process))[-1].kill()
        _, message = process.communicate(timeout=300)
    assert process.returncode == 2
    assert (
        message == "prepare.py: a worker process ended, most likely because of too little memory; use fewer --workers\n"
    )
    assert not (tmp_path / "out").exists()


def test_a_killed_run_leaves_no_workers_and_does_not_affect_the_next_run(tmp_path: Path) -> None:
    with started(slow(tmp_path), tmp_path / "out") as process:
        left = until(lambda: len(workers(process)) == 2 and workers(process))
        process.kill()
    assert psutil.wait_procs(left, timeout=30)[1] == []
    assert [path.name[:9] for path in (tmp_path / "out").glob(".prepare-*")] == [".prepare-"]

    prepared(as_folder(classes(SPLITS), tmp_path / "few"), tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["dataset", "test", "train", "validation"]


@pytest.mark.parametrize("kill", [True, False])
def test_a_stopped_download_is_resumed_by_the_next_run(tmp_path: Path, kill: bool) -> None:
    padding = {"padding.bin": random.Random(1).randbytes(1_000_000)}
    archive = as_zip(classes(SPLITS) | padding, tmp_path / "images.zip").read_bytes()

    def behavior(request: ReceivedRequest, number: int) -> Reply:
        reply = part(archive, request, limit=700_000 if number == 1 else None)
        reply.stuck = number == 1
        return reply

    output = tmp_path / "out"
    with serving(behavior) as server:
        address = f"{server.url}/images.zip?signature=secret"
        with started(address, output) as process:
            until(lambda: sum(path.stat().st_size for path in output.glob(".download-*/source.zip")) > 500_000)
            process.kill() if kill else process.terminate()
        document = prepared(address, output)
    assert server.requests[1].begin > 500_000
    assert server.requests[1].headers["If-Range"] == '"1"'
    assert document["hashes"]["source"] == hashlib.sha256(archive).hexdigest()
    assert sorted(path.name for path in output.iterdir()) == ["dataset", "test", "train", "validation"]
