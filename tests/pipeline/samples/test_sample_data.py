"""The sample data: its classes differ in texture and shape, not in color; the same numbers give the same bytes."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import PurePosixPath
from zipfile import ZIP_STORED, ZipFile

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from pipeline.samples import archive, drawing
from pipeline.samples.plan import CLASSES, PER_CLASS, SHAPES, SIZE, TEXTURES, Sample, SampleClass, SamplePlan
from pipeline.samples.shapes import POLYGONS, area, turned
from pipeline.samples.textures import FIELDS

Vector = NDArray[np.float64]
MOST_BY_COLOR = 2.5  # times chance
# Without these, the C library of a Linux on Intel or AMD computes sines another way, with other last digits.
OTHER_SINES = "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4,-AVX512F,-AVX2_Usable,-FMA_Usable"


def written(plan: SamplePlan) -> bytes:
    file = io.BytesIO()
    archive.write(file, plan, plan.samples())
    return file.getvalue()


Pictures = list[tuple[int, Image.Image]]


@cache
def pictures(plan: SamplePlan, split: str) -> Pictures:
    return [
        (sample.sample_class.number, Image.open(io.BytesIO(drawing.jpeg(sample, plan.size, plan.seed))))
        for sample in plan.samples()
        if sample.split == split
    ]


def histogram(picture: Image.Image) -> Vector:
    """How often each of 64 colors is there."""
    color = (np.asarray(picture).astype(int) // 64 * (16, 4, 1)).sum(axis=-1)
    return np.asarray(np.bincount(color.ravel(), minlength=64) / color.size)


def mean_color(picture: Image.Image) -> Vector:
    return np.asarray(np.asarray(picture).mean(axis=(0, 1)))


def brightness(picture: Image.Image) -> Vector:
    """How bright, and how different in brightness."""
    gray = np.asarray(picture.convert("L"), dtype=float)
    return np.array([gray.mean(), gray.std()])


def thumbnail(picture: Image.Image) -> Vector:
    return np.asarray(picture.convert("L").resize((8, 8)), dtype=np.float64).ravel()


def accuracy_of_the_nearest_mean(look: Callable[[Image.Image], Vector], trained: Pictures, tested: Pictures) -> float:
    features = [(number, look(picture)) for number, picture in trained]
    means = [np.mean([vector for number, vector in features if number == own], axis=0) for own in sorted(dict(trained))]
    right = [number == np.argmin([((look(picture) - mean) ** 2).sum() for mean in means]) for number, picture in tested]
    return float(np.mean(right))


@pytest.mark.parametrize(
    "plan", [SamplePlan(), SamplePlan(classes=4, per_class=200, size=64, seed=1)], ids=["default", "another"]
)
@pytest.mark.parametrize("look", [histogram, mean_color, brightness, thumbnail])
def test_a_trivial_look_at_the_pictures_does_not_tell_the_classes(
    look: Callable[[Image.Image], Vector], plan: SamplePlan
) -> None:
    reached = accuracy_of_the_nearest_mean(look, pictures(plan, "train"), pictures(plan, "test"))
    assert reached <= MOST_BY_COLOR / plan.classes


@pytest.mark.parametrize("look", [histogram, mean_color, brightness, thumbnail])
def test_such_a_look_would_tell_classes_that_have_colors(look: Callable[[Image.Image], Vector]) -> None:
    trained, tested = ([(n, Image.new("RGB", (32, 32), (n * 64 + more, 0, 0))) for n in range(4)] for more in (9, 12))
    assert accuracy_of_the_nearest_mean(look, trained, tested) == 1


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_covers_as_much(shape: str) -> None:
    assert area(POLYGONS[shape]) == pytest.approx(1)
    assert area(turned(POLYGONS[shape], 1)) == pytest.approx(1)


@pytest.mark.parametrize("texture", TEXTURES)
def test_every_texture_is_half_of_the_one_color_and_half_of_the_other(texture: str) -> None:
    """Classified by brightness: the middle of a large disc has the two colors of its texture and little between."""
    content = drawing.jpeg(Sample("train", SampleClass(0, texture, "disc"), 1), 256, 0)
    gray = np.asarray(Image.open(io.BytesIO(content)).convert("L"), dtype=float)[64:192, 64:192]
    middle = (np.percentile(gray, 5) + np.percentile(gray, 95)) / 2
    assert 0.4 < (gray > middle).mean() < 0.6


def test_a_class_is_a_texture_on_a_shape_by_a_readable_name() -> None:
    sample_classes = SamplePlan(classes=CLASSES[2]).sample_classes
    assert len({(sample_class.texture, sample_class.shape) for sample_class in sample_classes}) == CLASSES[2]
    assert [sample_class.name for sample_class in sample_classes[:3]] == [
        "001.Striped_disc",
        "002.Checked_cross",
        "003.Dotted_triangle",
    ]
    assert {sample_class.texture for sample_class in sample_classes} == set(FIELDS)
    assert {sample_class.shape for sample_class in sample_classes} == set(POLYGONS)


@pytest.mark.parametrize("texture", TEXTURES)
def test_among_all_classes_a_texture_comes_on_every_shape(texture: str) -> None:
    sample_classes = SamplePlan(classes=CLASSES[2]).sample_classes
    assert {sample_class.shape for sample_class in sample_classes if sample_class.texture == texture} == set(SHAPES)


@pytest.mark.parametrize(
    ("per_class", "expected"),
    [(60, (48, 6, 6)), (100, (80, 10, 10)), (10, (8, 1, 1)), (3, (1, 1, 1)), (14, (12, 1, 1))],
)
def test_the_splits_are_the_courses(per_class: int, expected: tuple[int, ...]) -> None:
    splits = SamplePlan(per_class=per_class).splits
    assert tuple(map(len, splits.values())) == expected
    assert sorted(number for numbers in splits.values() for number in numbers) == list(range(per_class))


def test_the_archive_has_the_course_projects_layout() -> None:
    plan = SamplePlan(classes=2, per_class=4, size=SIZE[0])
    with ZipFile(io.BytesIO(written(plan))) as zipped:
        names = zipped.namelist()
        assert len(names) == plan.total
        assert names[0] == "dogImages/train/001.Striped_disc/Striped_disc_00001.jpg"
        assert [PurePosixPath(name).parts[1] for name in names] == ["train"] * 4 + ["valid"] * 2 + ["test"] * 2
        for name in names:
            with zipped.open(name) as member, Image.open(member) as picture:
                assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (SIZE[0], SIZE[0]))


def test_the_archive_tells_nothing_of_its_time_and_its_machine() -> None:
    with ZipFile(io.BytesIO(written(SamplePlan(classes=2, per_class=PER_CLASS[0], size=SIZE[0])))) as zipped:
        metadata = {
            (member.date_time, member.create_system, member.compress_type, member.external_attr)
            for member in zipped.infolist()
        }
    assert metadata == {((1980, 1, 1, 0, 0, 0), 3, ZIP_STORED, 0o100644 << 16)}


def test_no_two_pictures_are_the_same() -> None:
    plan = SamplePlan(classes=8, per_class=20, size=SIZE[0])
    assert len({drawing.jpeg(sample, plan.size, plan.seed) for sample in plan.samples()}) == plan.total


def test_every_number_counts() -> None:
    plans = (
        SamplePlan(2, 3, 32, 0),
        SamplePlan(3, 3, 32, 0),
        SamplePlan(2, 4, 32, 0),
        SamplePlan(2, 3, 33, 0),
        SamplePlan(2, 3, 32, 1),
        SamplePlan(2, 3, 32, 2**32 - 1),
    )
    assert len({written(plan) for plan in plans}) == len(plans)


def test_the_bytes_do_not_depend_on_the_process_or_the_processor() -> None:
    code = (
        "import io, sys, hashlib; from pipeline.samples import archive, plan; "
        "file = io.BytesIO(); one = plan.SamplePlan(40, 3, 64); archive.write(file, one, one.samples()); "
        "print(hashlib.sha256(file.getvalue()).hexdigest())"
    )
    expected = sha256(written(SamplePlan(40, 3, 64))).hexdigest()
    for more in ({"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo"}, {"GLIBC_TUNABLES": OTHER_SINES}):
        command = [sys.executable, "-W", "ignore", "-c", code]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **more}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == expected
