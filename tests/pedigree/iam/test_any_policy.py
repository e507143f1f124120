"""What holds for any policies and any request: a Deny never opens, an Allow never closes, and order is nothing."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from pedigree.iam import Effect, Outcome, Policy, Request, decide, parse

ACTIONS = ("s3:GetObject", "s3:PutObject", "s3:*", "S3:get*", "sqs:SendMessage", "*")
RESOURCES = (
    "arn:aws:s3:::bucket/ann/key",
    "arn:aws:s3:::bucket/${aws:username}/*",
    "arn:aws:s3:::*",
    "arn:aws:sqs:us-east-1:123456789012:queue",
    "*",
)
VALUES = st.sampled_from(("ann", "bob", "a*", "${aws:username}", "${aws:userid, 'ann'}"))
OPERATORS = ("StringEquals", "StringNotEquals", "StringLike", "StringNotLikeIfExists", "ForAllValues:StringEquals")
CONDITIONS = st.dictionaries(
    st.sampled_from(OPERATORS),
    st.dictionaries(st.sampled_from(("aws:username", "aws:userid", "aws:TagKeys")), VALUES, min_size=1, max_size=2),
    max_size=2,
)
NAMES = st.sampled_from(("ann", "bob", "*", "a?n"))


@st.composite
def statements(draw: Any, effect: str | None = None) -> dict[str, Any]:
    """A statement of an identity's policy."""
    return {
        "Effect": effect or draw(st.sampled_from(("Allow", "Deny"))),
        draw(st.sampled_from(("Action", "NotAction"))): draw(st.lists(st.sampled_from(ACTIONS), min_size=1)),
        draw(st.sampled_from(("Resource", "NotResource"))): draw(st.lists(st.sampled_from(RESOURCES), min_size=1)),
        "Condition": draw(CONDITIONS),
    }


def allowing(resource: str) -> Policy:
    """A policy that allows everything on a resource."""
    return parse({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": resource}})


def policies(effect: str | None = None) -> st.SearchStrategy[Policy]:
    """A policy of some statements."""
    return st.lists(statements(effect), min_size=1, max_size=4).map(
        lambda those: parse({"Version": "2012-10-17", "Statement": those})
    )


REQUESTS = st.builds(
    Request,
    st.sampled_from(ACTIONS[:2] + ACTIONS[4:5]),
    st.sampled_from((RESOURCES[0], RESOURCES[3], "arn:aws:s3:::bucket/bob/key")),
    st.dictionaries(st.sampled_from(("aws:username", "AWS:UserId", "aws:TagKeys")), NAMES | st.lists(NAMES)),
)


@given(st.lists(policies(), max_size=4), policies("Deny"), REQUESTS)
def test_a_deny_more_never_allows_more(some: list[Policy], more: Policy, request: Request) -> None:
    assert decide([*some, more], request).allowed <= decide(some, request).allowed


@given(st.lists(policies(), max_size=4), policies("Allow"), REQUESTS)
def test_an_allow_more_never_denies_more(some: list[Policy], more: Policy, request: Request) -> None:
    before, after = decide(some, request), decide([*some, more], request)
    assert after.allowed >= before.allowed
    assert (after.outcome is Outcome.EXPLICIT_DENY) == (before.outcome is Outcome.EXPLICIT_DENY)


@given(st.lists(policies(), max_size=4), REQUESTS, st.randoms(use_true_random=False))
def test_order_does_not_matter(some: list[Policy], request: Request, random: Any) -> None:
    shuffled = list(some)
    random.shuffle(shuffled)
    statements = [statement for policy in some for statement in policy.statements]
    random.shuffle(statements)
    together = [Policy("all", policy.kind, tuple(statements)) for policy in some[:1]]
    assert decide(shuffled, request).outcome is decide(some, request).outcome is decide(together, request).outcome


@given(st.lists(policies(), max_size=3), REQUESTS)
def test_the_case_of_actions_and_of_keys_does_not_matter(some: list[Policy], request: Request) -> None:
    context = {key.swapcase(): value for key, value in request.context.items()}
    other = Request(request.action.swapcase(), request.resource, context)
    assert decide(some, other).outcome is decide(some, request).outcome


@given(policies("Allow"), REQUESTS)
def test_the_same_statement_as_a_deny_denies_exactly_what_it_allowed(open_: Policy, request: Request) -> None:
    denying = Policy(
        "deny", open_.kind, tuple(replace(statement, effect=Effect.DENY) for statement in open_.statements)
    )
    assert (decide([denying], request).outcome is Outcome.EXPLICIT_DENY) == decide([open_], request).allowed


@given(st.text("ab*?", max_size=12), st.text("ab", max_size=12))
@example("*a*b*", "xaxb")
def test_a_pattern_matches_by_its_characters_and_stars(pattern: str, text: str) -> None:
    policy = parse(
        {
            "Version": "2012-10-17",
            "Statement": {"Effect": "Allow", "Action": "*", "Resource": f"arn:aws:s3:::{pattern}"},
        }
    )
    assert decide([policy], Request("s3:GetObject", f"arn:aws:s3:::{text}")).allowed is _matches(pattern, text)


def _matches(pattern: str, text: str) -> bool:
    """The definition of a star: it matches nothing, or one character and then again."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return _matches(pattern[1:], text) or bool(text and _matches(pattern, text[1:]))
    return bool(text) and pattern[0] in ("?", text[0]) and _matches(pattern[1:], text[1:])


@given(st.text(max_size=20))
def test_a_clever_name_widens_no_policy(name: str) -> None:
    policy = allowing("arn:aws:s3:::bucket/${aws:username}/key")
    context = {"aws:username": name}
    assert not decide([policy], Request("s3:GetObject", "arn:aws:s3:::bucket/victim's own/key", context)).allowed
    assert decide([policy], Request("s3:GetObject", f"arn:aws:s3:::bucket/{name}/key", context)).allowed


def test_many_stars_take_no_longer_than_a_few() -> None:
    policy = allowing(f"arn:aws:s3:::{'*a' * 200}*b")
    started = time.process_time()
    assert not decide([policy], Request("s3:GetObject", f"arn:aws:s3:::{'a' * 2000}")).allowed
    assert time.process_time() - started < 1
