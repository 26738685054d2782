"""Scores as a pick sees them: quantised, so that a batch and a single learner break ties alike."""

from typing import Final, NamedTuple

import numpy as np

from engine.arrays import Bools, Floats, Ints
from engine.responses import NONE

QUANTUM: Final = 1e9
"""Scores are compared as multiples of 1e-9: sums over a batch and over one learner differ in the last bits."""


class Ranking(NamedTuple):
    """Items that a pick chooses from.

    ``scores`` are quantised and -inf where an item may not be asked. ``rows`` names the item of each column; None means
    that column i is item i.
    """

    rows: Ints | None  # (*batch, M)
    scores: Floats  # (*batch, M)


def quantised(values: Floats) -> Floats:
    """Round to multiples of 1e-9 and express in that unit, so that equal scores are equal numbers.

    Examples
    --------
    >>> bool(quantised(np.float64(0.1 + 0.2)) == quantised(np.float64(0.3)))
    True
    """
    return np.asarray(np.rint(values * QUANTUM))


def masked(scores: Floats, available: Bools) -> Ranking:
    """Ranking over the whole bank from quantised scores, all ``(*batch, I)``."""
    return Ranking(None, np.where(available, scores, -np.inf))


def chosen(ranking: Ranking, column: Ints) -> Ints:
    """Items at a column of the ranking, NONE where no item may be asked, (*batch,)."""
    index = column[..., None]
    item = column if ranking.rows is None else np.take_along_axis(ranking.rows, index, axis=-1)[..., 0]
    return np.where(np.isneginf(np.take_along_axis(ranking.scores, index, axis=-1)[..., 0]), NONE, item)


def leading(ranking: Ranking, depth: int) -> Ranking:
    """Return the best ``depth`` items by decreasing score, the lowest row first among equals, (*batch, depth)."""
    rows, scores = ranking
    if rows is not None:
        order = np.lexsort((rows, -scores), axis=-1)[..., :depth]
        return Ranking(np.take_along_axis(rows, order, axis=-1), np.take_along_axis(scores, order, axis=-1))
    left = scores.copy()
    depth = min(depth, scores.shape[-1])
    best = np.empty((*scores.shape[:-1], depth), dtype=np.int64)
    values = np.empty(best.shape)
    for place in range(depth):
        top = left.argmax(axis=-1)[..., None]
        best[..., place] = top[..., 0]
        values[..., place] = np.take_along_axis(left, top, axis=-1)[..., 0]
        np.put_along_axis(left, top, -np.inf, axis=-1)
    return Ranking(best, values)
