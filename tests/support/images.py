"""What stands for every image of a test: an environment that is there."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from pedigree.localaws.images.catalog import ImageCatalog
from pedigree.localaws.images.environments import Environments
from pedigree.localaws.services.sagemaker.resources.images import Images


def images_file(
    folder: Path, environment: Path | None = None, train: Sequence[str] = (), pattern: str = "*", serve: str = ""
) -> Path:
    """A file of recipes whose only one is for every image, or for those of a pattern.

    train is what a job without a command runs, serve what has the defaults of a model's functions.
    """
    chosen = environment or Path(sys.prefix)
    has_toolkit = (chosen / "bin" / "train").exists()
    script, algorithm = ("bin/train", "bin/train") if has_toolkit else ("script_mode", "")
    lines = [
        "[[recipe]]",
        'name = "any"',
        f"images = [{json.dumps(pattern)}]",
        f"environment = {json.dumps(str(chosen))}",
    ]
    lines += [f'script = "{script}"', f'algorithm = "{algorithm}"']
    lines += [f"train = {json.dumps(list(train))}"] if train else []
    lines += [f'serve = "{serve}"'] if serve else []
    path = folder / "images.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def any_image(folder: Path, train: Sequence[str] = ()) -> Images:
    """Images of which each is this Python's environment."""
    return Images(ImageCatalog(images_file(folder, train=train)), Environments(folder / "environments"))
