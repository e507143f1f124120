"""The accounts that AWS's images for scikit-learn, XGBoost and deep learning come from, and their versions.

A registry belongs to a region. Tests compare all rows with the tables that the SageMaker SDK ships.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pedigree.aws.ecr import ImageAddress

_USUAL = "763104351884"
# The regions whose registry of deep learning images is another account's than the usual one.
_DEEP_LEARNING: Mapping[str, str] = {
    "af-south-1": "626614931356",
    "ap-east-1": "871362719292",
    "ap-northeast-3": "364406365360",
    "ap-south-2": "772153158452",
    "ap-southeast-3": "907027046896",
    "ap-southeast-4": "457447274322",
    "ca-west-1": "204538143572",
    "cn-north-1": "727897471807",
    "cn-northwest-1": "727897471807",
    "eu-central-2": "380420809688",
    "eu-south-1": "692866216735",
    "eu-south-2": "503227376785",
    "il-central-1": "780543022126",
    "me-central-1": "914824155844",
    "me-south-1": "217643126080",
    "us-gov-east-1": "446045086412",
    "us-gov-west-1": "442386744353",
    **dict.fromkeys(("ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ap-southeast-2"), _USUAL),
    **dict.fromkeys(("ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3"), _USUAL),
    **dict.fromkeys(("sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2"), _USUAL),
}
_MACHINE_LEARNING: Mapping[str, str] = {
    "af-south-1": "510948584623",
    "ap-east-1": "651117190479",
    "ap-northeast-1": "354813040037",
    "ap-northeast-2": "366743142698",
    "ap-northeast-3": "867004704886",
    "ap-south-1": "720646828776",
    "ap-south-2": "628508329040",
    "ap-southeast-1": "121021644041",
    "ap-southeast-2": "783357654285",
    "ap-southeast-3": "951798379941",
    "ap-southeast-4": "106583098589",
    "ca-central-1": "341280168497",
    "ca-west-1": "190319476487",
    "cn-north-1": "450853457545",
    "cn-northwest-1": "451049120500",
    "eu-central-1": "492215442770",
    "eu-central-2": "680994064768",
    "eu-north-1": "662702820516",
    "eu-south-1": "978288397137",
    "eu-south-2": "104374241257",
    "eu-west-1": "141502667606",
    "eu-west-2": "764974769150",
    "eu-west-3": "659782779980",
    "il-central-1": "898809789911",
    "me-central-1": "272398656194",
    "me-south-1": "801668240914",
    "sa-east-1": "737474898029",
    "us-east-1": "683313688378",
    "us-east-2": "257758044811",
    "us-gov-east-1": "237065988967",
    "us-gov-west-1": "414596584902",
    "us-west-1": "746614075791",
    "us-west-2": "246618743249",
}
REGISTRIES: Mapping[str, Mapping[str, str]] = {
    **dict.fromkeys(("sagemaker-scikit-learn", "sagemaker-xgboost"), _MACHINE_LEARNING),
    **dict.fromkeys(("pytorch-training", "pytorch-inference"), _DEEP_LEARNING),
    **dict.fromkeys(("tensorflow-training", "tensorflow-inference"), _DEEP_LEARNING),
    **dict.fromkeys(("huggingface-pytorch-training", "huggingface-pytorch-inference"), _DEEP_LEARNING),
}
"""For each repository of AWS, the account of each region."""

VERSIONS: Mapping[str, tuple[str, ...]] = {
    "sagemaker-scikit-learn": ("0.20.0", "0.23-1", "1.0-1", "1.2-1", "1.4-2", "1.9-0"),
    "sagemaker-xgboost": ("0.90-1", "0.90-2", "1.0-1", "1.2-1", "1.2-2", "1.3-1", "1.5-1", "1.7-1", "3.0-5", "3.2-0"),
}
"""For each repository with versions of its own kind, those that there are."""

_VERSION = re.compile(r"\d+(?:\.\d+)+(?:-\d+)?(?=$|-)")


def registry(image: ImageAddress) -> str:
    """The account that has an image of AWS in its region; empty for other images and regions that are not known."""
    return REGISTRIES.get(image.repository, {}).get(image.region, "")


def nearest_versions(image: ImageAddress) -> tuple[str, ...]:
    """The versions to choose from, if the image's own never was; none if it was, or may be newer than these."""
    versions = VERSIONS.get(image.repository, ())
    match = _VERSION.match(image.tag)
    if not versions or not match or match[0] in versions or _numbers(match[0]) > _numbers(versions[-1]):
        return ()
    return versions[-3:]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))
