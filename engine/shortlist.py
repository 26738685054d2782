"""The few most informative items at an ability, found without evaluating the whole bank, and proved to be them.

The range of ability is cut into narrow cells. For each cell the items are listed by an upper bound of their
information anywhere in the cell. A decision takes the first items of its cell's list that may be asked, evaluates them
exactly at the ability, and keeps the answer only when it beats the bound of every item that was not evaluated. The few
learners for whom that fails are ranked over the whole bank.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Bools, Floats
from engine.grid import Grid
from engine.models import information, logistic_information
from engine.parameters import ItemParameters
from engine.ranking import Ranking, quantised

CELLS = 2400
LENGTH = 64
"""Items listed for each cell; their availability is one 64-bit word, so that finding the next costs little."""
SPARE = 2
"""Items evaluated beyond those that the pick needs."""


class Shortlist(NamedTuple):
    """Items listed by their largest information in each of B cells."""

    lower: float
    scale: float  # cells per unit of ability
    rows: NDArray[np.int32]  # (B, LENGTH) items by decreasing bound
    bounds: Floats  # (B, LENGTH + 1) quantised upper bounds, the last one holding for every item that is not listed
    columns: Floats  # (4, I) a, b, c, d


def build_shortlist(parameters: ItemParameters, grid: Grid) -> Shortlist:
    """List the items of each cell of the grid's range.

    Between two edges of a cell, the information of an item exceeds the larger of the two by at most h^2 / 8 times its
    largest second derivative, which the second differences over the edges give; they are doubled to be safe.

    Parameters
    ----------
    parameters : ItemParameters
        I dichotomous items.
    grid : Grid
        Gives the range.

    Returns
    -------
    Shortlist
    """
    edges = np.linspace(grid.lower, grid.upper, CELLS + 1)
    at_edges = information(parameters, edges)
    slack = np.abs(np.diff(at_edges, n=2, axis=1)).max(axis=1, keepdims=True) / 4.0
    bound = (np.maximum(at_edges[:, 1:], at_edges[:, :-1]) + slack).T
    missing = max(LENGTH + 1 - len(parameters), 0)
    bound = np.pad(bound, ((0, 0), (0, missing)), constant_values=-np.inf)
    order = np.argsort(-bound, axis=1, kind="stable")[:, : LENGTH + 1]
    listed = np.take_along_axis(bound, order, axis=1)
    order = np.where(order < len(parameters), order, 0)
    columns = np.stack([parameters.discrimination, parameters.difficulty, parameters.guessing, parameters.slipping])
    scale = CELLS / (grid.upper - grid.lower)
    return Shortlist(grid.lower, scale, order[:, :LENGTH].astype(np.int32), quantised(listed), columns)


def shortlisted(shortlist: Shortlist, ability: Floats, available: Bools, depth: int) -> tuple[Ranking, Bools]:
    """Rank the most informative available items at each ability.

    Parameters
    ----------
    shortlist : Shortlist
    ability : (n,) float
        Where information counts.
    available : (n, I) bool
        Items that may be asked.
    depth : int
        How many of the best are needed.

    Returns
    -------
    Ranking
        ``depth + SPARE`` items for each learner.
    proved : (n,) bool
        Whether the best ``depth`` of the whole bank are certainly among them.
    """
    last = shortlist.rows.shape[0] - 1
    cell = np.clip(((ability - shortlist.lower) * shortlist.scale).astype(np.int64), 0, last)
    learners = np.arange(ability.size, dtype=np.int32)[:, None]
    listed = shortlist.rows.take(cell, axis=0)
    free = available.reshape(-1).take(listed + learners * np.int32(available.shape[1]))
    free[:, available.shape[1] :] = False
    word = np.packbits(free, axis=1, bitorder="little").view("<u8")[:, 0]
    rows = np.empty((depth + SPARE, ability.size), dtype=np.int64)
    found = np.empty(rows.shape, dtype=bool)
    for column in range(depth + SPARE):
        found[column] = word != 0
        rows[column] = listed[learners[:, 0], _lowest(word) & np.uint8(LENGTH - 1)]
        word = word & (word - np.uint64(1))
    rest = shortlist.bounds[cell, _lowest(word)]
    a, b, c, d = shortlist.columns.take(rows, axis=1)
    scores = np.where(found, quantised(logistic_information(a, b, c, d, ability)), -np.inf)
    threshold = scores.max(axis=0) if depth == 1 else np.sort(scores, axis=0)[-depth]
    inside = (ability >= shortlist.lower) & (ability <= shortlist.lower + (last + 1) / shortlist.scale)
    return Ranking(rows.T, scores.T), inside & ((threshold > rest) | ~found[-1] & np.isneginf(rest))


def _lowest(word: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Place of the lowest set bit, 64 where there is none."""
    return np.bitwise_count(~word & (word - np.uint64(1)))
