"""`pedigree predict`: the labels of a picture, from the predict function."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from pedigree.cli import printing
from pedigree.cli.errors import UsageError
from pedigree.cli.options import AccountOptions, JsonOption, expand_options
from pipeline.commands.context import connect_project


@expand_options
def command(
    target: AccountOptions,
    image: Annotated[Path | None, typer.Option("--image", help="A picture on this machine: JPEG, PNG or WebP.")] = None,
    url: Annotated[str, typer.Option("--url", help="The https or s3 address of a picture.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Print the likeliest labels of a picture."""
    if bool(image) == bool(url):
        raise UsageError("give one picture: --image FILE for a file, or --url ADDRESS")
    from pipeline.account.predict import from_file, predict

    event = from_file(image) if image else {"url": url}
    context = connect_project(target)
    predictions = predict(context.account, context.pipeline, event)
    if as_json:
        printing.document([asdict(prediction) for prediction in predictions])
    else:
        printing.columns(
            ("PROBABILITY", "LABEL"),
            ((f"{prediction.probability:.2%}".rjust(11), prediction.label) for prediction in predictions),
        )
