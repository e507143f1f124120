"""What a sample data set consists of: its classes by name, and every picture by its place, before anything is drawn.

A class is a texture on a shape. Neighbors in the order share neither, and later classes combine both anew, so that
the default eight differ by texture alone and forty can be told apart only by texture and shape together. Standard
library only: the command knows its limits and names without waiting for what draws.
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
PER_CLASS = (3, 60, 10_000)
SIZE = (32, 128, 1024)
SEED = (0, 0, 2**32 - 1)
_PER_HELD_OUT = 10  # one in ten validates, one in ten tests, as in the course


@dataclass(frozen=True)
class Kind:
    """What the pictures of a class show."""

    number: int
    texture: str
    shape: str

    @property
    def name(self) -> str:
        """The name of the class's folder: 001.Striped_disc."""
        return f"{self.number + 1:03}.{self.texture}_{self.shape}"


@dataclass(frozen=True)
class Sample:
    """One picture to be drawn: of what, and for which split."""

    split: str
    kind: Kind
    number: int

    @property
    def path(self) -> str:
        """Its place in the archive."""
        file = f"{self.kind.texture}_{self.kind.shape}_{self.number + 1:05}.jpg"
        return f"{FOLDER}/{self.split}/{self.kind.name}/{file}"


@dataclass(frozen=True)
class Plan:
    """How many pictures of how many classes, how large, and which of all possible ones."""

    classes: int = CLASSES[1]
    per_class: int = PER_CLASS[1]
    size: int = SIZE[1]
    seed: int = SEED[1]

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The classes in order."""
        return tuple(_kind(number) for number in range(self.classes))

    @property
    def splits(self) -> dict[str, range]:
        """Which of a class's pictures each split has."""
        held_out = max(1, round(self.per_class / _PER_HELD_OUT))
        tested, validated = self.per_class - held_out, self.per_class - 2 * held_out
        return {
            "train": range(validated),
            "valid": range(validated, tested),
            "test": range(tested, self.per_class),
        }

    @property
    def total(self) -> int:
        """How many pictures there are in all."""
        return self.classes * self.per_class

    def samples(self) -> Iterator[Sample]:
        """Every picture, in the order of the archive."""
        for split, numbers in self.splits.items():
            for kind in self.kinds:
                yield from (Sample(split, kind, number) for number in numbers)


def _kind(number: int) -> Kind:
    # Every round through the textures shifts the shapes by one: no pair comes twice before all have come once.
    around = number // len(TEXTURES)
    return Kind(number, TEXTURES[number % len(TEXTURES)], SHAPES[(number + around) % len(SHAPES)])
