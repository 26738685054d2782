"""Scores as a pick sees them: quantised, so that a batch and a single learner break ties alike."""

from typing import Final, NamedTuple

import numpy as np

from engine.arrays import Bools, Floats, Ints
from engine.responses import NONE

QUANTUM: Final = 1e9
"""Scores are compared as multiples of 1e-9: sums over a batch and over one learner differ in the last bits."""


FEW: Final = 4
"""Runs up to which sorting the bank is faster than passing over it for each of the best."""


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
    columns = column.reshape(-1)
    item = columns if ranking.rows is None else _at(ranking.rows, columns)
    return np.where(np.isneginf(_at(ranking.scores, columns)), NONE, item).reshape(column.shape)


def leading(ranking: Ranking, depth: int) -> Ranking:
    """Return the best ``depth`` items by decreasing score, the lowest row first among equals, (*batch, depth)."""
    rows, scores = ranking
    if rows is not None:
        order = np.lexsort((rows, -scores), axis=-1)[..., :depth]
        return Ranking(np.take_along_axis(rows, order, axis=-1), np.take_along_axis(scores, order, axis=-1))
    flat = scores.reshape(-1, scores.shape[-1])
    best, values = _sorted(flat, depth) if flat.shape[0] <= FEW else _passes(flat, depth)
    shape = (*scores.shape[:-1], best.shape[1])
    return Ranking(best.reshape(shape), values.reshape(shape))


def _sorted(scores: Floats, depth: int) -> tuple[Ints, Floats]:
    """Columns and scores of the best, each (n, depth), by sorting: few calls, for few runs."""
    best = np.argsort(-scores, axis=1, kind="stable")[:, :depth]
    return best, scores[np.arange(scores.shape[0])[:, None], best]


def _passes(scores: Floats, depth: int) -> tuple[Ints, Floats]:
    """Return the same by a pass over the bank for each place: less work, for many runs."""
    left, runs = scores.copy(), np.arange(scores.shape[0])
    best = np.empty((min(depth, scores.shape[1]), runs.size), dtype=np.int64)
    values = np.empty(best.shape)
    for place in range(best.shape[0]):
        top = left.argmax(axis=1)
        best[place], values[place] = top, left[runs, top]
        left[runs, top] = -np.inf
    return best.T, values.T


def _at(table: Floats | Ints, columns: Ints) -> Floats | Ints:
    """One entry of each row, (*batch, M) and (n,) -> (n,)."""
    return table.reshape(columns.size, -1)[np.arange(columns.size), columns]
