"""The speed of train.py, compared with the course project's loop, and of prepared images compared with originals.

    .venv-container/bin/python -m benchmarks.training [EPOCHS [SIDE]]

Whole processes, in turn, on the same drawn images. With a frozen backbone: the course's loop, which runs the whole
network in every epoch, and train.py, which runs it once. With all layers: train.py on originals of several sizes and on
what prepare.py made of them, with a large network and a small one. Preparing saves decoding; how much that gains
depends on the size of the originals and on the other work.

The seconds of an epoch are those of its training images, without validation; the first epoch of train.py includes the
features, for validation too. Of the later epochs, the fastest counts. "others" is the load by other processes: networks
wait for their slowest thread, so even a little of it has a large effect. The last table has processor time, which is
not affected: if all cores are busy, an epoch takes the processor time of its images, so these ratios are the most that
preparing can gain.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import photographs, ways
from benchmarks.ways import ALL, HEAD, PARTS, Epochs, TrainingRun

CLASSES, PER_CLASS = 4, 40
NETWORK, LIGHT_NETWORK = "resnet18", "squeezenet1_1"
LEAST_GAIN = 1.3
MOST_OF_OTHERS = 0.1
_WIDTH = 40


def line(name: str, epochs: Epochs) -> None:
    """Returns one training as a line of the table."""
    shares = " ".join(f"{epochs.fastest_parts[part] / epochs.fastest_seconds:8.0%}" for part in PARTS)
    rate, process = epochs.images / epochs.fastest_seconds, epochs.process
    print(
        f"{name:{_WIDTH}} {epochs.seconds[0]:8.2f} {epochs.fastest_seconds:8.3f} {rate:8.0f} {shares} "
        f"{process.megabytes:8.0f} {process.others:8.0%}"
    )


def heads(title: str) -> None:
    """Returns the headers of the columns of `line`."""
    names = ("first", "later", "images/s", "wait", "forward", "backward", "peak MB", "others")
    print(f"\n{title:{_WIDTH}}", *(f"{entry:>8}" for entry in names))


def frozen(originals: Path, prepared: Path, side: int, epochs: int) -> None:
    """Compares the course's loop and train.py with a frozen backbone."""
    usual = ways.train_with_course_loop(TrainingRun(originals, NETWORK, HEAD, side, epochs))
    line("frozen: the course's loop", usual)
    train_with_script = ways.train_with_script(TrainingRun(prepared, NETWORK, HEAD, side, epochs))
    line("frozen: train.py", train_with_script)
    print(f"first epoch: {usual.seconds[0] / train_with_script.seconds[0]:.2f} × as fast as the course's, at least 1")
    print(f"later epochs: {usual.fastest_seconds / train_with_script.fastest_seconds:.0f} × as fast, at least 10")


def by_size(network: str, originals: dict[str, Path], prepared: Path, side: int, epochs: int) -> None:
    """Compares originals of each size and prepared images, with all layers."""
    made = ways.train_with_script(TrainingRun(prepared, network, ALL, side, epochs))
    line("all layers: train.py, prepared images", made)
    verdicts = []
    for name, data in originals.items():
        taken = ways.train_with_script(TrainingRun(data, network, ALL, side, epochs))
        line(f"all layers: train.py, {name}", taken)
        busy = max(taken.process.others, made.process.others) > MOST_OF_OTHERS
        gain = taken.fastest_seconds / made.fastest_seconds
        verdict = "measure again, others were at work" if busy else "met" if gain >= LEAST_GAIN else "not met"
        verdicts.append(f"prepared against {name}: {gain:.2f} ×, at least {LEAST_GAIN}: {verdict}")
    print("\n".join(verdicts))
    if network == NETWORK:
        usual = ways.train_with_course_loop(TrainingRun(originals[photographs.COURSE], network, ALL, side, epochs))
        line(f"all layers: the course's loop, {photographs.COURSE}", usual)
        print(f"prepared against the course's loop: {usual.fastest_seconds / made.fastest_seconds:.2f} ×")


def work(originals: dict[str, Path], prepared: dict[str, Path], seconds: dict[str, float], side: int) -> None:
    """Prints the processor time of an image: if all cores are busy, preparing gains what it saves of this."""
    networks = {name: ways.training_milliseconds(name, side) for name in (NETWORK, LIGHT_NETWORK)}
    columns = ("kB each", "original", "prepared", *(f"with {name}" for name in networks), "prepare.py, once")
    print(f"\n{'milliseconds of a core for an image':{_WIDTH}}", *(f"{entry:>8}" for entry in columns))
    for name, cost in networks.items():
        print(f"  {f'all layers of {name}':{_WIDTH - 2}} {'':8} {cost:8.2f}")
    for name, folder in originals.items():
        before, after = (ways.decoding_milliseconds(entry / "train", side) for entry in (folder, prepared[name]))
        gains = " ".join(
            f"{(cost + before) / (cost + after):{len(network) + 3}.2f} ×" for network, cost in networks.items()
        )
        weight = photographs.kilobytes(folder)
        print(f"  {name:{_WIDTH - 2}} {weight:8.0f} {before:8.2f} {after:8.2f} {gains} {seconds[name]:14.1f} s")


def main() -> None:
    """Measures and prints."""
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
