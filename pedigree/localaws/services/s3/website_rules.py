"""What S3 takes as the configuration of a website. It is kept, and nothing is served by it here."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from pedigree.localaws.http.protocol.s3_errors import S3Error, bad_request

_PROTOCOLS = ("http", "https", None)


def check_website(root: Element) -> None:
    """Refuse what S3 does not take."""
    redirect, index = root.find("RedirectAllRequestsTo"), root.find("IndexDocument")
    if redirect is not None and len(root) > 1:
        words = "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules."
        raise S3Error("InvalidArgument", words, 400, ArgumentName="RedirectAllRequestsTo", ArgumentValue="not null")
    if redirect is not None:
        _check_protocol(redirect)
        return
    if index is None:
        words = "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty"
        raise S3Error("InvalidArgument", words, 400, ArgumentName="IndexDocument", ArgumentValue="null")
    suffix = index.findtext("Suffix", "")
    if not suffix or "/" in suffix:
        words = "The IndexDocument Suffix is not well formed"
        raise S3Error("InvalidArgument", words, 400, ArgumentName="IndexDocument", ArgumentValue=suffix)
    for rule in root.iter("RoutingRule"):
        _check_routing(rule)


def _check_routing(rule: Element) -> None:
    condition, redirect = rule.find("Condition"), rule.find("Redirect")
    if condition is not None and not len(condition):
        words = "Condition cannot be empty. To redirect all requests without a condition, "
        raise bad_request(f"{words}the condition element shouldn't be present.")
    if redirect is None:
        return
    _check_protocol(redirect)
    if redirect.find("ReplaceKeyWith") is not None and redirect.find("ReplaceKeyPrefixWith") is not None:
        raise bad_request("You can only define ReplaceKeyPrefix or ReplaceKey but not both.")


def _check_protocol(redirect: Element) -> None:
    if redirect.findtext("Protocol") not in _PROTOCOLS:
        words = "Invalid protocol, protocol can be http or https. If not defined the protocol will be selected "
        raise bad_request(f"{words}automatically.")
