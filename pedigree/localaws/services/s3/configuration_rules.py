"""What S3 checks in a bucket's configuration beyond the schema of its document, one function a kind."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import TypeAlias
from xml.etree.ElementTree import Element, SubElement, tostring

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol import xml
from pedigree.localaws.http.protocol.s3_errors import S3Error, bad_argument, bad_request, malformed
from pedigree.localaws.kernel.store import Store
from pedigree.localaws.services.s3.bucket_configuration import configuration_text, operation_of
from pedigree.localaws.services.s3.bucket_policies import check_bucket_policy
from pedigree.localaws.services.s3.catalog import BUCKET
from pedigree.localaws.services.s3.document_schema import read_document
from pedigree.localaws.services.s3.lifecycle_rules import check_lifecycle
from pedigree.localaws.services.s3.object_tag_operations import check_bucket_tags
from pedigree.localaws.services.s3.version_history import ENABLED, SUSPENDED
from pedigree.localaws.services.s3.website_rules import check_website

Rule: TypeAlias = Callable[[Store, str, Element], Element | None]
"""Checks a document; returns what is stored in its place, or None to store it as it was sent."""
_METHODS = ("GET", "PUT", "HEAD", "POST", "DELETE")
_ACCELERATE = (ENABLED, SUSPENDED)
_DESTINATIONS = ("Queue", "Topic", "CloudFunction")
_FILTER_NAMES = ("prefix", "suffix")
_NOT_AVAILABLE = 409


def check_configuration(store: Store, exchange: Exchange, bucket: str, kind: str) -> str:
    """Check what a request configures, and return the text to store."""
    if kind == "policy":
        return _policy(store, exchange.body.decode(), bucket)
    if kind == "tagging" and xml.parse(exchange.body).find("TagSet/Tag") is None:
        return ""  # no tags are the same as no configuration
    root = read_document(operation_of(kind), exchange.body)
    replacement = _RULES[kind](store, bucket, root) if kind in _RULES else None
    return exchange.body.decode() if replacement is None else _text(replacement)


def _text(root: Element) -> str:
    root.set("xmlns", xml.NAMESPACE)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode")


def _policy(store: Store, text: str, bucket: str) -> str:
    check_bucket_policy(text, bucket, configuration_text(store, bucket, "publicAccessBlock"))
    return text


def _versioning(store: Store, bucket: str, root: Element) -> None:
    status = root.findtext("Status")
    if status is None:
        raise S3Error("IllegalVersioningConfigurationException", "The Versioning element must be specified", 400)
    if status != ENABLED and configuration_text(store, bucket, "object-lock"):
        words = "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed."
        raise S3Error("InvalidBucketState", words, _NOT_AVAILABLE)
    store.update(BUCKET, bucket, lambda body: {**body, "versioning": status})


def _encryption(_store: Store, _bucket: str, root: Element) -> Element | None:
    rules = root.findall("Rule")
    if len(rules) != 1 or rules[0].find("ApplyServerSideEncryptionByDefault") is None:
        raise malformed()
    default = rules[0].find("ApplyServerSideEncryptionByDefault")
    key = default.findtext("KMSMasterKeyID") if default is not None else None
    if key and default is not None and default.findtext("SSEAlgorithm") == "AES256":
        words = "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse"
        raise S3Error("InvalidArgument", words, 400, ArgumentName="ApplyServerSideEncryptionByDefault")
    if rules[0].find("BucketKeyEnabled") is not None:
        return None
    SubElement(rules[0], "BucketKeyEnabled").text = "false"
    return root


def _ownership(_store: Store, _bucket: str, root: Element) -> None:
    if len(root.findall("Rule")) != 1:
        raise malformed()


def _public_access_block(_store: Store, _bucket: str, root: Element) -> Element:
    """What is not named is false."""
    for name in ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"):
        if root.find(name) is None:
            SubElement(root, name).text = "false"
    return root


def _tagging(_store: Store, _bucket: str, root: Element) -> None:
    check_bucket_tags((tag.findtext("Key", ""), tag.findtext("Value", "")) for tag in root.iter("Tag"))


def _cors(_store: Store, _bucket: str, root: Element) -> None:
    for method in root.iter("AllowedMethod"):
        if method.text not in _METHODS:
            words = f"Found unsupported HTTP method in CORS config. Unsupported method is {method.text}"
            raise bad_request(words)


def _accelerate(_store: Store, bucket: str, root: Element) -> None:
    if "." in bucket:
        words = "S3 Transfer Acceleration is not supported for buckets with periods (.) in their names"
        raise bad_request(words)
    if root.findtext("Status") not in _ACCELERATE:
        raise malformed()


def _object_lock(store: Store, bucket: str, root: Element) -> None:
    retention = root.find("Rule/DefaultRetention")
    if root.findtext("ObjectLockEnabled") is None or (root.find("Rule") is not None and retention is None):
        raise malformed()
    if retention is not None:
        spans = [retention.findtext(name) for name in ("Days", "Years")]
        if retention.findtext("Mode") is None or sum(span is not None for span in spans) != 1:
            raise malformed()
    if (store.find(BUCKET, bucket) or {}).get("versioning") != ENABLED:
        words = "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration"
        raise S3Error("InvalidBucketState", words, _NOT_AVAILABLE)


def _logging(store: Store, bucket: str, root: Element) -> None:
    target = root.findtext("LoggingEnabled/TargetBucket")
    if target is None:
        return
    body, own = store.find(BUCKET, target), store.find(BUCKET, bucket) or {}
    if body is None:
        words = "The target bucket for logging does not exist"
        raise S3Error("InvalidTargetBucketForLogging", words, 400, TargetBucket=target)
    if body.get("region", "") != own.get("region", ""):
        words = "Cross S3 location logging not allowed. "
        place = {"TargetBucketLocation": body.get("region", "")}
        if own.get("constraint"):
            place["SourceBucketLocation"] = own["constraint"]
        raise S3Error("CrossLocationLoggingProhibitted", words, 403, **place)


def _notification(_store: Store, _bucket: str, root: Element) -> Element:
    for configuration in root:
        if configuration.tag == "EventBridgeConfiguration":
            continue
        _check_filter(configuration)
        _check_destination(configuration)
        if configuration.find("Id") is None:
            identity = Element("Id")
            identity.text = str(uuid.uuid4())
            configuration.insert(0, identity)
    return root


def _check_destination(configuration: Element) -> None:
    for name in _DESTINATIONS:
        arn = configuration.findtext(name)
        if arn is not None and not arn.startswith("arn:"):
            raise bad_argument(name, arn, "The ARN could not be parsed")


def _check_filter(configuration: Element) -> None:
    for rule in configuration.iter("FilterRule"):
        name, value = rule.findtext("Name"), rule.find("Value")
        if name is None or value is None:
            raise malformed()
        if name.lower() not in _FILTER_NAMES:
            words = "filter rule name must be either prefix or suffix"
            raise bad_argument("FilterRule.Name", name, words)
        element = rule.find("Name")
        if element is not None:
            element.text = name.capitalize()


def _lifecycle(_store: Store, _bucket: str, root: Element) -> None:
    check_lifecycle(root)


def _website(_store: Store, _bucket: str, root: Element) -> None:
    check_website(root)


_RULES: Mapping[str, Rule] = {
    "versioning": _versioning,
    "encryption": _encryption,
    "ownershipControls": _ownership,
    "tagging": _tagging,
    "cors": _cors,
    "publicAccessBlock": _public_access_block,
    "accelerate": _accelerate,
    "object-lock": _object_lock,
    "logging": _logging,
    "notification": _notification,
    "lifecycle": _lifecycle,
    "website": _website,
}
