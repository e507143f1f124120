"""The local AWS as commands use it: its folder, its options, and the environment of its clients."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pedigree.cli.errors import UsageError
from pedigree.local_endpoint import ENDPOINT, VARIABLE
from pedigree.localaws.kernel.client_access import BUNDLE_VARIABLES, NO_PROXY_VARIABLES, PROXY_VARIABLES

if TYPE_CHECKING:
    from pedigree.localaws.process import Daemon

FOLDER = Path(".localaws")
CONTAINER = Path(".venv-container")
IMAGES = Path("images.toml")
REGION = "us-east-1"
FolderOption = Annotated[Path, typer.Option("--folder", help="Where it keeps its state.")]
ContainerOption = Annotated[Path, typer.Option("--container", help="The environment for PyTorch's images.")]
ImagesOption = Annotated[Path, typer.Option("--images", help="What stands for images, if pedigree does not know.")]
OTHERS = (
    *("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"),
    *("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"),
    *("ALL_PROXY", "all_proxy"),
)
"""Variables that would give clients credentials, or addresses, of a real account, or a way around the proxy."""
OURS = (
    *(VARIABLE, ENDPOINT, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_REGION"),
    *("AWS_EC2_METADATA_DISABLED", *PROXY_VARIABLES, *NO_PROXY_VARIABLES, *BUNDLE_VARIABLES),
)
"""The names of the variables that the local AWS needs in every environment."""


def images_file(path: Path) -> Path | None:
    """The file with the project's recipes of images; the usual one may be missing."""
    if path != IMAGES and not path.is_file():
        raise UsageError(f"there is no file {path}", "name one with --images; docs/images.md describes it")
    return path if path.is_file() else None


def variables(running: Daemon, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that make AWS clients, and pedigree's verbs, use the local AWS."""
    return {
        VARIABLE: "1",
        **running.access.environment(_direct_hosts(environ)),
        **running.key.environment,
        "AWS_DEFAULT_REGION": running.region,
        "AWS_REGION": running.region,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def removed_variables(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The variables that are not set where clients use the local AWS."""
    return (*OTHERS, *sorted(name for name in environ if name.startswith(f"{ENDPOINT}_")))


def enter(running: Daemon, environ: MutableMapping[str, str]) -> None:
    """Changes an environment so that its AWS clients use the local AWS."""
    for name in removed_variables(environ):
        environ.pop(name, None)
    environ.update(variables(running, environ))


def _direct_hosts(environ: Mapping[str, str]) -> str:
    """The hosts that the user reaches without a proxy."""
    return next((environ[name] for name in NO_PROXY_VARIABLES if environ.get(name)), "")
