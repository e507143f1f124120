"""A token bucket gives many tokens at once, and then as many as its rate says, however seldom it is asked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pedigree.localaws.http.token_bucket import TokenBucket


class Stopwatch:
    """A time that passes on request."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_tokens_come_at_the_rate_once_the_first_are_taken() -> None:
    now = Stopwatch()
    bucket = TokenBucket(3, 2, now)
    assert [bucket.take() for _ in range(5)] == [True, True, True, False, False]
    now.seconds = 1.0
    assert [bucket.take() for _ in range(3)] == [True, True, False]


@given(st.lists(st.floats(0, 5), max_size=60))
def test_no_more_tokens_are_given_than_it_held_and_got(pauses: list[float]) -> None:
    now, taken = Stopwatch(), 0
    bucket = TokenBucket(4, 3, now)
    for pause in pauses:
        now.seconds += pause
        taken += bucket.take()
        assert taken <= 4 + 3 * now.seconds + 1e-6
