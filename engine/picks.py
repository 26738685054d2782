"""Which of the good items? A pick takes a ranking and one uniform number for each decision.

A pick is a frozen dataclass with ``depth`` (how many of the best it needs, None for all) and ``__call__(ranking, u) ->
(*batch,)`` item rows, NONE where nothing may be asked.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from engine.arrays import Floats, Ints
from engine.errors import DesignError
from engine.ranking import QUANTUM, Ranking, chosen, leading
from engine.responses import NONE


class Pick(Protocol):
    """What every pick offers."""

    @property
    def depth(self) -> int | None:
        """How many of the best items the pick chooses from, None for all."""

    def __call__(self, ranking: Ranking, u: Floats) -> Ints:
        """Choose an item for each decision, (*batch,)."""


@dataclass(frozen=True)
class Best:
    """The item with the highest score, the lowest row among equals."""

    @property
    def depth(self) -> int:
        """One item."""
        return 1

    def __call__(self, ranking: Ranking, u: Floats) -> Ints:
        """Choose an item for each decision, (*batch,)."""
        if ranking.rows is None:
            return chosen(ranking, ranking.scores.argmax(axis=-1))
        best = ranking.scores.max(axis=-1)
        tied = ranking.scores == best[..., None]
        lowest = np.where(tied, ranking.rows, np.iinfo(np.int64).max).min(axis=-1)
        return np.where(np.isneginf(best), NONE, lowest)


@dataclass(frozen=True)
class TopK:
    """One of the ``k`` best items, each as likely (randomesque: Kingsbury and Zara 1989)."""

    k: int = 5

    def __post_init__(self) -> None:
        """Refuse an empty choice."""
        if self.k < 1:
            raise DesignError("TopK needs k of at least 1.")

    @property
    def depth(self) -> int:
        """The k best items."""
        return self.k

    def __call__(self, ranking: Ranking, u: Floats) -> Ints:
        """Choose an item for each decision, (*batch,)."""
        best = leading(ranking, self.k)
        usable = np.isfinite(best.scores).sum(axis=-1)
        return chosen(best, np.minimum((u * usable).astype(np.int64), np.maximum(usable - 1, 0)))


@dataclass(frozen=True)
class Proportional:
    """An item with probability proportional to its score to a power (Segall 2004; Barrada et al. 2008).

    Power 0 gives a random item, a large power the best one. Scores of 0 or less are never picked while another item has
    a positive score.
    """

    power: float = 1.0

    @property
    def depth(self) -> None:
        """All items."""
        return

    def __call__(self, ranking: Ranking, u: Floats) -> Ints:
        """Choose an item for each decision, (*batch,)."""
        usable = np.isfinite(ranking.scores)
        scores = np.where(usable, np.maximum(ranking.scores / QUANTUM, 0.0), 0.0)
        top = scores.max(axis=-1, keepdims=True)
        share = np.where(top > 0, scores / np.where(top > 0, top, 1.0), 1.0)
        weight = np.where(usable, np.round(share**self.power, 9), 0.0)
        return chosen(ranking, _drawn(weight, u))


@dataclass(frozen=True)
class SympsonHetter:
    """The best item that passes its exposure lottery (Sympson and Hetter 1985).

    Item i passes with probability ``exposure[i]``. Going down the ranking, the item in place j is asked with
    probability exposure_j times the product of (1 - exposure) of those before it; one uniform number decides. When no
    item passes, the lottery is taken among the same items again, so that a test never stops for that.

    Parameters
    ----------
    exposure : tuple of I float
        In ]0, 1]; fitted by :mod:`simulations.exposure` for one bank and design.
    """

    exposure: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse probabilities that are not."""
        if not self.exposure or not all(0.0 < x <= 1.0 for x in self.exposure):
            raise DesignError("Sympson-Hetter exposure parameters must lie in ]0, 1], one for each item.")

    @property
    def depth(self) -> None:
        """All items."""
        return

    def __call__(self, ranking: Ranking, u: Floats) -> Ints:
        """Choose an item for each decision, (*batch,)."""
        order = np.argsort(-ranking.scores, axis=-1, kind="stable")
        scores = np.take_along_axis(ranking.scores, order, axis=-1)
        passes = np.array(self.exposure)[order]
        reached = np.cumprod(1.0 - passes, axis=-1)
        reached = np.concatenate([np.ones((*reached.shape[:-1], 1)), reached[..., :-1]], axis=-1)
        weight = np.where(np.isfinite(scores), np.round(passes * reached, 12), 0.0)
        nothing = weight.sum(axis=-1, keepdims=True) <= 0
        weight = np.where(nothing & np.isfinite(scores), 1.0, weight)
        place = _drawn(weight, u)
        return chosen(ranking, np.take_along_axis(order, place[..., None], axis=-1)[..., 0])


def _drawn(weight: Floats, u: Floats) -> Ints:
    """Column drawn with probability proportional to ``weight`` (*batch, M), by inversion of ``u`` (*batch,)."""
    total = np.cumsum(weight, axis=-1)
    mark = u[..., None] * total[..., -1:]
    return np.asarray(np.argmax((total > mark) & (weight > 0), axis=-1))
