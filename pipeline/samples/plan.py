"""The plan of a sample data set: its classes and its pictures, by name, before anything is drawn.

A class is a texture on a shape. Neighbors in the order share neither, and later classes combine both anew, so that
the default eight differ by texture alone and forty can be told apart only by texture and shape together. Standard
library only, so that the command shows its limits and names without importing what draws.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

TEXTURES = ("Striped", "Checked", "Dotted", "Waved", "Ringed", "Rayed", "Grainy", "Blotched")
SHAPES = ("disc", "cross", "triangle", "star", "square")
ARCHIVE = "dogImages.zip"  # the names that the course project's download has, and that its users look for
FOLDER = "dogImages"
# (least, default, most)
CLASSES = (2, 8, len(TEXTURES) * len(SHAPES))
PER_CLASS = (3, 120, 10_000)
SIZE = (32, 96, 1024)
SEED = (0, 0, 2**32 - 1)
_PER_HELD_OUT = 10  # one in ten validates, one in ten tests, as in the course


@dataclass(frozen=True)
class SampleClass:
    """The texture and the shape that the pictures of a class show."""

    number: int
    texture: str
    shape: str

    @property
    def name(self) -> str:
        """The name of the class's folder: 001.Striped_disc."""
        return f"{self.number + 1:03}.{self.texture}_{self.shape}"


@dataclass(frozen=True)
class Sample:
    """One picture to draw: of which class, and for which split."""

    split: str
    sample_class: SampleClass
    number: int

    @property
    def path(self) -> str:
        """Its path in the archive."""
        file = f"{self.sample_class.texture}_{self.sample_class.shape}_{self.number + 1:05}.jpg"
        return f"{FOLDER}/{self.split}/{self.sample_class.name}/{file}"


@dataclass(frozen=True)
class SamplePlan:
    """The number of classes and pictures, the size of the pictures, and the seed."""

    classes: int = CLASSES[1]
    per_class: int = PER_CLASS[1]
    size: int = SIZE[1]
    seed: int = SEED[1]

    @property
    def sample_classes(self) -> tuple[SampleClass, ...]:
        """The classes in order."""
        return tuple(_sample_class(number) for number in range(self.classes))

    @property
    def splits(self) -> dict[str, range]:
        """The numbers of a class's pictures in each split."""
        held_out = max(1, round(self.per_class / _PER_HELD_OUT))
        tested, validated = self.per_class - held_out, self.per_class - 2 * held_out
        return {
            "train": range(validated),
            "valid": range(validated, tested),
            "test": range(tested, self.per_class),
        }

    @property
    def total(self) -> int:
        """The number of all pictures."""
        return self.classes * self.per_class

    def samples(self) -> Iterator[Sample]:
        """Every picture, in the order of the archive."""
        for split, numbers in self.splits.items():
            for sample_class in self.sample_classes:
                yield from (Sample(split, sample_class, number) for number in numbers)


def _sample_class(number: int) -> SampleClass:
    # Every round through the textures shifts the shapes by one, so that all pairs come once before any comes twice.
    around = number // len(TEXTURES)
    return SampleClass(number, TEXTURES[number % len(TEXTURES)], SHAPES[(number + around) % len(SHAPES)])
