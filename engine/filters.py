"""May it be asked? A filter says for every item whether it may be asked now.

A filter is a frozen dataclass with ``__call__(situation) -> (*batch, I)`` booleans. Filters only remove items. They are
applied in order; one wrapped in :class:`Prefer` gives way where it would leave nothing.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from engine.arrays import Bools, Ints
from engine.errors import DesignError
from engine.responses import NONE, SKIPPED
from engine.situation import Situation
from engine.timing import expected_seconds


class Filter(Protocol):
    """What every filter offers."""

    def __call__(self, situation: Situation) -> Bools:
        """Items that may be asked, (*batch, I)."""


@dataclass(frozen=True)
class Prefer:
    """A filter that gives way, for each run, where nothing would be left."""

    filter: Filter

    def __call__(self, situation: Situation) -> Bools:
        """Items preferred, (*batch, I); :func:`available` makes it give way."""
        return self.filter(situation)


@dataclass(frozen=True)
class Unasked:
    """No item twice."""

    def __call__(self, situation: Situation) -> Bools:
        """Items that may be asked, (*batch, I)."""
        return ~situation.state.asked


@dataclass(frozen=True)
class Allowed:
    """Only what was allowed at the beginning: scope, locale, accommodations, items seen recently."""

    def __call__(self, situation: Situation) -> Bools:
        """Items that may be asked, (*batch, I)."""
        return situation.state.allowed


@dataclass(frozen=True)
class OnePerTopic:
    """No second item of a topic."""

    def __call__(self, situation: Situation) -> Bools:
        """Items that may be asked, (*batch, I)."""
        topic = situation.table.topic
        runs, items = situation.asked
        fresh = np.ones((situation.state.length.size, topic.max() + 1), dtype=bool)
        fresh[runs, topic[items]] = False
        return fresh.take(topic, axis=1).reshape(situation.state.asked.shape)


@dataclass(frozen=True)
class AnotherTopic:
    """Not the topic of the item before."""

    def __call__(self, situation: Situation) -> Bools:
        """Items that may be asked, (*batch, I)."""
        last = situation.state.last[..., None]
        topic = situation.table.topic
        return np.asarray((last == NONE) | (topic != topic[last]))


@dataclass(frozen=True)
class WithoutEnemies:
    """No item whose enemy was asked."""

    def __call__(self, situation: Situation) -> Bools:
        """Items that may be asked, (*batch, I)."""
        table, asked = situation.table, situation.state.asked
        allowed = np.ones(asked.shape, dtype=bool)
        allowed[..., table.hostile] = ~asked[..., table.enemies].any(axis=-1)
        return allowed


@dataclass(frozen=True)
class Quotas:
    """Least and most items of each competence in a test of ``length`` items.

    When the answers left are just enough for the minima not yet reached, only their competences may be asked.

    Parameters
    ----------
    minimum, maximum : tuple of C int
    length : int
        Items of the whole test.
    """

    minimum: tuple[int, ...]
    maximum: tuple[int, ...]
    length: int

    def __post_init__(self) -> None:
        """Refuse quotas that no test satisfies."""
        if len(self.minimum) != len(self.maximum):
            raise DesignError("Quotas need as many minima as maxima, one for each competence.")
        if any(not 0 <= low <= high for low, high in zip(self.minimum, self.maximum, strict=True)):
            raise DesignError("Quotas need 0 <= minimum <= maximum for each competence.")
        if not sum(self.minimum) <= self.length <= sum(self.maximum):
            raise DesignError(
                f"Quotas of {sum(self.minimum)} to {sum(self.maximum)} items cannot make a test of {self.length}; "
                "change the length or the quotas."
            )

    def __call__(self, situation: Situation) -> Bools:
        """Items that may be asked, (*batch, I)."""
        counts = asked_in_competence(situation)
        missing = np.maximum(np.array(self.minimum) - counts, 0)
        urgent = missing.sum(axis=-1) >= self.length - situation.state.length
        open_ = np.where(urgent[..., None], missing > 0, counts < np.array(self.maximum))
        return open_[..., situation.table.competence]


@dataclass(frozen=True)
class FitsTheTime:
    """The expected time on the item, at the learner's pace so far, fits into what is left of ``seconds``."""

    seconds: float

    def __call__(self, situation: Situation) -> Bools:
        """Items that may be asked, (*batch, I)."""
        table, state = situation.table, situation.state
        expected = expected_seconds(table.time_intensity, table.time_discrimination, state.speed)
        return np.round(expected + state.elapsed[..., None], 6) <= self.seconds


@dataclass(frozen=True)
class NoTwoTimed:
    """No item with a time limit of its own right after another."""

    def __call__(self, situation: Situation) -> Bools:
        """Items that may be asked, (*batch, I)."""
        last, timed = situation.state.last[..., None], situation.table.timed
        return np.asarray((last == NONE) | ~timed[last] | ~timed)


@dataclass(frozen=True)
class FairChance:
    """A fair chance of success: at least ``minimum`` expected, and ``first`` for the first ``questions`` of the test.

    Benevolence: half of the answers wrong feels hard, and a first question too hard spoils a test.
    """

    minimum: float = 0.5
    first: float = 0.7
    questions: int = 2

    def __call__(self, situation: Situation) -> Bools:
        """Items that may be asked, (*batch, I)."""
        least = np.where(situation.state.length < self.questions, self.first, self.minimum)
        return np.round(situation.chance, 9) >= least[..., None]


@dataclass(frozen=True)
class EasierAfterSkip:
    """Right after a skip, an item easier than the skipped one, if its score is at least ``share`` of the best.

    The best is taken over all items unasked and allowed.
    """

    share: float = 0.25

    def __call__(self, situation: Situation) -> Bools:
        """Items that may be asked, (*batch, I)."""
        state = situation.state
        passed = np.ones(state.asked.shape, dtype=bool)
        runs = np.flatnonzero(state.last_response == SKIPPED)
        if runs.size:
            difficulty = situation.table.parameters.difficulty
            count = difficulty.size
            scores = situation.scores.reshape(-1, count)[runs]
            open_ = (state.allowed & ~state.asked).reshape(-1, count)[runs]
            best = np.where(open_, scores, 0.0).max(axis=1, keepdims=True)
            easier = difficulty < difficulty[state.last.reshape(-1)[runs]][:, None]
            passed.reshape(-1, count)[runs] = easier & (scores >= np.rint(self.share * best))
        return passed


def available(filters: tuple[Filter, ...], situation: Situation) -> Bools:
    """Items unasked and allowed that pass all the filters in order, preferences giving way where nothing would be left.

    Parameters
    ----------
    filters : tuple of Filter
    situation : Situation

    Returns
    -------
    (*batch, I) bool
    """
    mask = Unasked()(situation) & Allowed()(situation)
    for rule in filters:
        passed = mask & rule(situation)
        if isinstance(rule, Prefer):
            some = np.logical_or.reduce(passed, axis=-1, keepdims=True)
            passed = passed if np.logical_and.reduce(some, axis=None) else np.where(some, passed, mask)
        mask = passed
    return mask


def asked_in_competence(situation: Situation) -> Ints:
    """How many items of each competence were asked, (*batch, C)."""
    runs, items = situation.asked
    competences = situation.table.cuts.shape[0]
    place = runs * competences + situation.table.competence[items]
    counts = np.bincount(place, minlength=situation.state.length.size * competences)
    return counts.reshape(*situation.state.length.shape, competences)
