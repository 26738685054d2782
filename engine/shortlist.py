"""The few most informative items at an ability, found without evaluating the whole bank, and proved to be them.

The range of ability is cut into narrow cells. For each cell the items are listed by an upper bound of their
information anywhere in the cell. A decision takes the first items of its cell's list that may be asked, evaluates them
exactly at the ability, and keeps the answer only when it beats the bound of every item that was not evaluated. The few
learners for whom that fails are ranked over the whole bank.

Curves of items with uncertain parameters are sums over many points, too slow to evaluate at every learner's ability:
they are computed on a dense grid and interpolated, and what is interpolated is what is listed, bounded and compared.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Bools, Floats, Ints
from engine.grid import Grid
from engine.models import Curves, information, logistic_information
from engine.parameters import ItemParameters
from engine.ranking import Ranking, quantised
from engine.uncertain import information_of

CELLS = 2400
LENGTH = 64
"""Items listed for each cell; their availability is one 64-bit word, so that finding the next costs little."""
SPARE = 2
"""Items evaluated beyond those that the pick needs."""
REFINEMENT: Final = 10
"""Cells of :class:`Dense` for each cell of the grid of ability."""
QUINTIC: Final = np.array(
    [[1.0, 0.0, 0.0, -10.0, 15.0, -6.0], [0.0, 1.0, 0.0, -6.0, 8.0, -3.0], [0.0, 0.0, 0.5, -1.5, 1.5, -0.5]]
)
"""Hermite's polynomials of degree 5: powers of t in [0, 1], for the value, slope and curvature at t = 0."""
ROUNDING: Final = 1e-12
"""More than interpolation can exceed both its ends by."""


class Dense(NamedTuple):
    """Expected curves at F equally spaced abilities, between which they are interpolated linearly."""

    lower: float
    scale: float  # intervals per unit of ability
    information: Floats  # (F, I)
    probability: Floats  # (F, I, K)

    def at(self, table: Floats, ability: Floats, rows: Ints | None = None) -> Floats:
        """Interpolate one of the tables, (F, I, ...), at abilities (n,) for the items ``rows``: (n, R, ...).

        Beyond the ends it is constant. All items when ``rows`` is left out.
        """
        low, share = self._place(ability, table.shape[0])
        part = table if rows is None else table.take(rows, axis=1)
        below, above = part.take(low, axis=0), part.take(low + 1, axis=0)
        return _between(below, above, share.reshape(-1, *[1] * (table.ndim - 1)))

    def information_of(self, rows: Ints, ability: Floats) -> Floats:
        """Information of an item each at an ability each, (..., n) for rows (..., n) and abilities (n,)."""
        low, share = self._place(ability, self.information.shape[0])
        items, flat = self.information.shape[1], self.information.reshape(-1)
        place = rows + low * items
        return _between(flat.take(place), flat.take(place + items), share)

    def _place(self, ability: Floats, count: int) -> tuple[Ints, Floats]:
        """Interval of each ability, and the share of it that lies below."""
        place = np.clip((ability - self.lower) * self.scale, 0.0, count - 1.0)
        low = np.minimum(place.astype(np.int64), count - 2)
        return low, place - low


class Shortlist(NamedTuple):
    """Items listed by their largest information in each of B cells."""

    lower: float
    scale: float  # cells per unit of ability
    rows: NDArray[np.int32]  # (B, LENGTH) items by decreasing bound
    bounds: Floats  # (B, LENGTH + 1) quantised upper bounds, the last one holding for every item that is not listed
    columns: Floats  # (4, I) a, b, c, d
    dense: Dense | None = None  # where the information is interpolated


def build_dense(whole: Curves, grid: Grid) -> Dense:
    """Fill in curves between the nodes of a grid, from their values, slopes and curvatures at the nodes.

    Between two nodes, each log probability is the polynomial of degree 5 that has all six; its error is of the order of
    the sixth power of the spacing.

    Parameters
    ----------
    whole : Curves
        Of I items at the nodes.
    grid : Grid

    Returns
    -------
    Dense
        Of F = REFINEMENT (G - 1) + 1 abilities.
    """
    exists = np.isfinite(whole.log_p).all(axis=2, keepdims=True)
    value = np.where(exists, whole.log_p, 0.0)
    ends = np.stack([value, grid.spacing * whole.first, grid.spacing**2 * whole.second])
    t = np.arange(REFINEMENT + 1) / REFINEMENT
    powers = t ** np.arange(6)[:, None]
    basis = QUINTIC @ powers
    steep = (QUINTIC[:, 1:] * np.arange(1, 6)) @ powers[:-1]
    sign = np.array([1.0, -1.0, 1.0])[:, None]
    log_p = _filled(ends, basis, sign * basis[:, ::-1])
    first = _filled(ends, steep, -sign * steep[:, ::-1]) / grid.spacing
    p = np.where(exists, np.exp(log_p), 0.0)
    log_p = np.where(exists, log_p - np.log(p.sum(axis=1, keepdims=True)), -np.inf)
    tables = information_of(Curves(log_p, first, first)).T, np.exp(log_p).transpose(2, 0, 1)
    return Dense(grid.lower, REFINEMENT / grid.spacing, *map(np.ascontiguousarray, tables))


def _filled(ends: Floats, left: Floats, right: Floats) -> Floats:
    """Values between nodes, (I, K, F), from what is known at the nodes (3, I, K, G) and two bases (3, t)."""
    inside = np.einsum("bikg,bt->ikgt", ends[..., :-1], left) + np.einsum("bikg,bt->ikgt", ends[..., 1:], right)
    return np.concatenate([inside[..., :-1].reshape(*inside.shape[:2], -1), inside[..., -1:, -1]], axis=2)


def build_shortlist(parameters: ItemParameters, grid: Grid, dense: Dense | None = None) -> Shortlist:
    """List the items of each cell of the grid's range.

    Between two edges of a cell, the information of an item exceeds the larger of the two by at most h^2 / 8 times its
    largest second derivative, which the second differences over the edges give; they are doubled to be safe. What is
    interpolated linearly within every cell exceeds neither edge.

    Parameters
    ----------
    parameters : ItemParameters
        I items, dichotomous when ``dense`` is left out.
    grid : Grid
        Gives the range.
    dense : Dense, optional
        Their expected curves on that grid, when their parameters are uncertain.

    Returns
    -------
    Shortlist
    """
    intervals = 1 if dense is None else dense.information.shape[0] - 1
    cells = intervals * -(-CELLS // intervals)
    edges = np.linspace(grid.lower, grid.upper, cells + 1)
    if dense is None:
        at_edges = information(parameters, edges)
        slack = np.abs(np.diff(at_edges, n=2, axis=1)).max(axis=1, keepdims=True) / 4.0
    else:
        at_edges = dense.at(dense.information, edges).T
        slack = np.full((len(parameters), 1), ROUNDING)
    bound = (np.maximum(at_edges[:, 1:], at_edges[:, :-1]) + slack).T
    missing = max(LENGTH + 1 - len(parameters), 0)
    bound = np.pad(bound, ((0, 0), (0, missing)), constant_values=-np.inf)
    order = np.argsort(-bound, axis=1, kind="stable")[:, : LENGTH + 1]
    listed = np.take_along_axis(bound, order, axis=1)
    order = np.where(order < len(parameters), order, 0)
    columns = np.stack([parameters.discrimination, parameters.difficulty, parameters.guessing, parameters.slipping])
    scale = cells / (grid.upper - grid.lower)
    return Shortlist(grid.lower, scale, order[:, :LENGTH].astype(np.int32), quantised(listed), columns, dense)


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
    if shortlist.dense is None:
        a, b, c, d = shortlist.columns.take(rows, axis=1)
        exact = logistic_information(a, b, c, d, ability)
    else:
        exact = shortlist.dense.information_of(rows, ability)
    scores = np.where(found, quantised(exact), -np.inf)
    threshold = scores.max(axis=0) if depth == 1 else np.sort(scores, axis=0)[-depth]
    inside = (ability >= shortlist.lower) & (ability <= shortlist.lower + (last + 1) / shortlist.scale)
    return Ranking(rows.T, scores.T), inside & ((threshold > rest) | ~found[-1] & np.isneginf(rest))


def _between(below: Floats, above: Floats, share: Floats) -> Floats:
    """Interpolate linearly, in the memory of ``above``."""
    above -= below
    above *= share
    above += below
    return above


def _lowest(word: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Place of the lowest set bit, 64 where there is none."""
    return np.bitwise_count(~word & (word - np.uint64(1)))
