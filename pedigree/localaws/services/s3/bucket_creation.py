"""What a CreateBucket request asks for, and what a new bucket has by default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

from botocore.session import Session

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol import xml
from pedigree.localaws.http.protocol.s3_errors import S3Error, malformed
from pedigree.localaws.services.s3 import access_lists
from pedigree.localaws.services.s3.access_lists import ENFORCED
from pedigree.localaws.services.s3.object_tag_operations import check_bucket_tags
from pedigree.localaws.services.s3.version_history import ENABLED

_FIRST_REGION, _EU, _EU_REGION = "us-east-1", "EU", "eu-west-1"
_OWNERSHIP = "x-amz-object-ownership"
_OWNERSHIPS = (ENFORCED, "BucketOwnerPreferred", "ObjectWriter")
_BLOCK = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
_OWN_ACLS = ("private", "bucket-owner-full-control")


@dataclass(frozen=True)
class NewBucket:
    """The members of a bucket's document, its configuration by kind, and its tags."""

    members: Mapping[str, Any]
    configuration: Mapping[str, str]
    tags: Element | None
    is_plain: bool


def read(exchange: Exchange, owner: str) -> NewBucket:
    """What a request asks for; S3Error for what S3 does not take."""
    root = xml.parse(exchange.body) if exchange.body else None
    if root is not None and root.tag != "CreateBucketConfiguration":
        raise malformed()
    tags = root.find("Tags") if root is not None else None
    if tags is not None:
        check_bucket_tags((tag.findtext("Key", ""), tag.findtext("Value", "")) for tag in tags.iter("Tag"))
    constraint = root.findtext("LocationConstraint") if root is not None else None
    region = _region(constraint, exchange.region)
    ownership = _ownership(exchange.headers)
    _check_acl(exchange.headers, ownership)
    members = {
        "region": region,
        "constraint": constraint or "",
        **access_lists.new_bucket_members(exchange.headers, owner),
    }
    configuration = {
        "ownershipControls": xml.document("OwnershipControls", {"Rule": {"ObjectOwnership": ownership}}).decode(),
        "publicAccessBlock": xml.document("PublicAccessBlockConfiguration", _BLOCK).decode(),
    }
    if exchange.headers.get("x-amz-bucket-object-lock-enabled", "").lower() == "true":
        members["versioning"] = ENABLED
        locked = {"ObjectLockEnabled": ENABLED}
        configuration["object-lock"] = xml.document("ObjectLockConfiguration", locked).decode()
        configuration["versioning"] = xml.document("VersioningConfiguration", {"Status": ENABLED}).decode()
    is_plain = (tags is None or not len(tags)) and not any(
        name.startswith("x-amz-bucket-") for name in exchange.headers
    )
    return NewBucket(members, configuration, tags, is_plain)


def _region(constraint: str | None, region: str) -> str:
    """The region that a bucket is for: the request's, unless it names another where it may."""
    if region == _FIRST_REGION:
        if constraint is None:
            return region
        if constraint == _EU:
            return _EU_REGION
        if constraint == _FIRST_REGION or constraint not in _regions():
            message = "The specified location-constraint is not valid"
            raise S3Error("InvalidLocationConstraint", message, 400, LocationConstraint=constraint)
        return constraint
    if constraint != region and (constraint, region) != (_EU, _EU_REGION):
        words = "location constraint is incompatible for the region specific endpoint this request was sent to."
        raise S3Error("IllegalLocationConstraintException", f"The {constraint or 'unspecified'} {words}", 400)
    return region


def _regions() -> list[str]:
    regions: list[str] = Session().get_available_regions("s3")
    return regions


def _ownership(headers: Mapping[str, str]) -> str:
    wanted = headers.get(_OWNERSHIP, ENFORCED)
    if wanted not in _OWNERSHIPS:
        words = f"Invalid x-amz-object-ownership header: {wanted}"
        raise S3Error("InvalidArgument", words, 400, ArgumentName=_OWNERSHIP)
    return wanted


def _check_acl(headers: Mapping[str, str], ownership: str) -> None:
    """A new bucket blocks public access lists, and has none at all where its owner owns all objects."""
    canned = headers.get("x-amz-acl", _OWN_ACLS[0])
    grants = [name for name in headers if name.startswith("x-amz-grant-")]
    if ownership == ENFORCED and (grants or canned not in _OWN_ACLS):
        words = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"
        raise S3Error("InvalidBucketAclWithObjectOwnership", words, 400)
    if canned.startswith("public-"):
        words = "Bucket cannot have public ACLs set with BlockPublicAccess enabled"
        raise S3Error("InvalidBucketAclWithBlockPublicAccessError", words, 400)
