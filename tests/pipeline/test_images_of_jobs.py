"""Something stands for each image of this pipeline's definition on the local AWS."""

from __future__ import annotations

from pathlib import Path

import pytest

from pedigree.language.definition import parse
from pedigree.localaws.images.catalog import ImageCatalog
from pedigree.localaws.images.environments import Environments
from pedigree.localaws.services.sagemaker.executions import runnable
from pedigree.localaws.services.sagemaker.resources.images import Images

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: str(path.stem))
def test_every_definition_can_start(path: Path, tmp_path: Path) -> None:
    definition = parse(path.read_text(encoding="utf-8"))
    runnable.check(definition, Images(ImageCatalog(pytorch=tmp_path), Environments(tmp_path)))
