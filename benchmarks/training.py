"""How fast train.py trains, beside the course project's loop, and how much faster from prepared images.

    .venv-container/bin/python -m benchmarks.training [EPOCHS [SIDE]]

Whole processes, in turn, on the same drawn images. With a frozen backbone: the course's loop, which runs the whole
network in every epoch, and train.py, which runs it once. With all layers: train.py from originals of several sizes and
from what prepare.py made of them, with a network that is much work and with one that is little. What preparing gains is
decoding, and how much that is depends on the size of an original and on what else there is to do.

The seconds of an epoch are those of its training images, validation aside; the first epoch of train.py has the features
in it, validation's too. Of the later epochs the quickest counts. "others" is what other processes took of the
processors meanwhile: networks wait for their slowest thread, so a little of that spoils much. The last table is of
processor time, which others do not spoil: on cores that are all busy, an epoch takes what its images cost, whoever
reads them, so its ratios are what preparing can gain at most.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import photographs, ways
from benchmarks.ways import ALL, HEAD, PARTS, Asked, Epochs

CLASSES, PER_CLASS = 4, 40
NETWORK, LIGHT_NETWORK = "resnet18", "squeezenet1_1"
LEAST_GAIN = 1.3
MOST_OF_OTHERS = 0.1
_WIDTH = 40


def line(name: str, epochs: Epochs) -> None:
    """One way of training, in a line."""
    shares = " ".join(f"{epochs.quickest[part] / epochs.later:8.0%}" for part in PARTS)
    rate, process = epochs.images / epochs.later, epochs.process
    print(
        f"{name:{_WIDTH}} {epochs.seconds[0]:8.2f} {epochs.later:8.3f} {rate:8.0f} {shares} "
        f"{process.megabytes:8.0f} {process.others:8.0%}"
    )


def heads(title: str) -> None:
    """What the columns of `line` are."""
    names = ("first", "later", "images/s", "wait", "forward", "backward", "peak MB", "others")
    print(f"\n{title:{_WIDTH}}", *(f"{one:>8}" for one in names))


def frozen(originals: Path, prepared: Path, side: int, epochs: int) -> None:
    """The course's loop beside train.py where the backbone is frozen."""
    usual = ways.course(Asked(originals, NETWORK, HEAD, side, epochs))
    line("frozen: the course's loop", usual)
    ours = ways.ours(Asked(prepared, NETWORK, HEAD, side, epochs))
    line("frozen: train.py", ours)
    print(f"first epoch: {usual.seconds[0] / ours.seconds[0]:.2f} × as fast as the course's, at least 1")
    print(f"later epochs: {usual.later / ours.later:.0f} × as fast, at least 10")


def by_size(network: str, originals: dict[str, Path], prepared: Path, side: int, epochs: int) -> None:
    """With all layers, train.py from originals of each size beside train.py from prepared images."""
    made = ways.ours(Asked(prepared, network, ALL, side, epochs))
    line("all layers: train.py, prepared images", made)
    verdicts = []
    for name, data in originals.items():
        taken = ways.ours(Asked(data, network, ALL, side, epochs))
        line(f"all layers: train.py, {name}", taken)
        busy = max(taken.process.others, made.process.others) > MOST_OF_OTHERS
        gain = taken.later / made.later
        verdict = "measure again, others were at work" if busy else "met" if gain >= LEAST_GAIN else "not met"
        verdicts.append(f"prepared against {name}: {gain:.2f} ×, at least {LEAST_GAIN}: {verdict}")
    print("\n".join(verdicts))
    if network == NETWORK:
        usual = ways.course(Asked(originals[photographs.COURSE], network, ALL, side, epochs))
        line(f"all layers: the course's loop, {photographs.COURSE}", usual)
        print(f"prepared against the course's loop: {usual.later / made.later:.2f} ×")


def work(originals: dict[str, Path], prepared: dict[str, Path], seconds: dict[str, float], side: int) -> None:
    """What an image costs a core: where all cores are busy, preparing gains what it saves of this."""
    networks = {name: ways.computed(name, side) for name in (NETWORK, LIGHT_NETWORK)}
    columns = ("kB each", "original", "prepared", *(f"with {name}" for name in networks), "prepare.py, once")
    print(f"\n{'milliseconds of a core for an image':{_WIDTH}}", *(f"{one:>8}" for one in columns))
    for name, cost in networks.items():
        print(f"  {f'all layers of {name}':{_WIDTH - 2}} {'':8} {cost:8.2f}")
    for name, folder in originals.items():
        before, after = (ways.decoded(one / "train", side) for one in (folder, prepared[name]))
        gains = " ".join(
            f"{(cost + before) / (cost + after):{len(network) + 3}.2f} ×" for network, cost in networks.items()
        )
        weight = photographs.kilobytes(folder)
        print(f"  {name:{_WIDTH - 2}} {weight:8.0f} {before:8.2f} {after:8.2f} {gains} {seconds[name]:14.1f} s")


def main() -> None:
    """Measure and print."""
    numbers = [int(text) for text in sys.argv[1:]]
    epochs, side = [*numbers, *(3, 224)[len(numbers) :]]
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        originals = photographs.draw(folder, CLASSES, PER_CLASS)
        prepared = {name: folder / f"prepared-{number}" for number, name in enumerate(originals)}
        seconds = {name: ways.prepare(originals[name], side, prepared[name]) for name in originals}
        images, load = ways.count(prepared[photographs.COURSE] / "train"), os.getloadavg()[0]
        print(f"{images} images, {side} pixels, {epochs} epochs, in seconds; {os.cpu_count()} cores, load {load:.1f}")
        small = prepared[photographs.COURSE]
        heads(NETWORK)
        frozen(originals[photographs.COURSE], small, side, epochs)
        by_size(NETWORK, originals, small, side, epochs)
        heads(LIGHT_NETWORK)
        by_size(LIGHT_NETWORK, originals, small, side, epochs)
        work(originals, prepared, seconds, side)
    print(f"\nmeasured in {time.perf_counter() - started:.0f} s, load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
