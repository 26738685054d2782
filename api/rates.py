"""Rate limits: how often one address or one client may knock at a door that guards a secret."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from api.problems import TOO_MANY_REQUESTS, Problem, ProblemKind
from engine.errors import SettingError


def checked_rate(text: str) -> str:
    """Return ``text`` when it is a rate such as ``20/minute``; raise ``SettingError`` otherwise."""
    try:
        parse(text)
    except ValueError:
        raise SettingError(
            f"The rate {text!r} is not understood; write a number and a period, such as 20/minute."
        ) from None
    return text


class RateLimit:
    """At most so many tries in a moving window, counted per key in this process.

    Parameters
    ----------
    name : str
        The door that is guarded, part of every key.
    rate : str
        A number and a period, such as ``20/minute``.
    """

    def __init__(self, name: str, rate: str) -> None:
        self._name = name
        self._item: RateLimitItem = parse(rate)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def try_once(self, key: str) -> None:
        """Count one try of ``key``; raise a 429 problem that says when to come back if it is one too many."""
        if not self._limiter.hit(self._item, self._name, key):
            raise self._too_many(key)

    def check(self, key: str) -> None:
        """Raise a 429 problem if ``key`` has no try left; count nothing."""
        if not self._limiter.test(self._item, self._name, key):
            raise self._too_many(key)

    @contextmanager
    def failures(self, key: str, *kinds: ProblemKind) -> Iterator[None]:
        """Count what is tried inside only when it fails for one of ``kinds``: who has the secret is not held up.

        A whole school comes through one address at the same minute; somebody who guesses fails nearly always.
        """
        self.check(key)
        try:
            yield
        except Problem as problem:
            if problem.kind in kinds:
                self._limiter.hit(self._item, self._name, key)
            raise

    def _too_many(self, key: str) -> Problem:
        reset = self._limiter.get_window_stats(self._item, self._name, key).reset_time
        wait = max(1, math.ceil(reset - time.time()))
        return Problem(
            TOO_MANY_REQUESTS,
            f"Too many requests came from here: wait {wait} s, then try again.",
            headers={"Retry-After": str(wait)},
        )
