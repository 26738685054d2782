"""Fit of each item to the summed score: S-X2."""

from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from engine.arrays import Bools, Floats, Ints
from engine.calibration.fit.scored import GRID, MISSING, Scored, scored
from engine.calibration.fit.summed import joint
from engine.errors import ParameterError
from engine.grid import Grid
from engine.parameters import ItemParameters, Model
from engine.responses import SkipPolicy
from engine.working import existing

FEWEST: Final = 100
"""Learners who were presented the same items, below which their scores say nothing usable."""
SMALLEST: Final = 1.0
"""Smallest expected count of a cell (Orlando and Thissen 2000)."""


class FitStatus(IntEnum):
    """What became of one S-X2."""

    COMPUTED = 0
    NOT_APPLICABLE = 1
    NO_DEGREES = 2


class ItemFit(NamedTuple):
    """S-X2 of J items, each (J,); NaN where ``status``, codes of :class:`FitStatus`, is not ``COMPUTED``.

    ``df`` are degrees of freedom, ``p`` the probability of a larger statistic under the model, ``rmsea`` the misfit
    for one degree of freedom and learner, ``learners`` those whose answers were used.
    """

    statistic: Floats
    df: Ints
    p: Floats
    rmsea: Floats
    learners: Ints
    status: Ints


class Table(NamedTuple):
    """Observed and expected counts of one block of learners at the scores 1 to F - 1, each (J, F - 1, K)."""

    observed: Floats
    expected: Floats


def s_x2(
    parameters: ItemParameters,
    responses: ArrayLike,
    grid: Grid = GRID,
    log_weights: ArrayLike | None = None,
    *,
    group: ArrayLike | None = None,
    free: ArrayLike | None = None,
    skip: SkipPolicy = "unknown",
    time_out: SkipPolicy = "incorrect",
    fewest: int = FEWEST,
    smallest: float = SMALLEST,
) -> ItemFit:
    """Compare the answers to each item at each summed score with those expected.

    Parameters
    ----------
    parameters : ItemParameters
        J items.
    responses : (N, J) int
        Categories, or the codes of :mod:`engine.responses`.
    grid : Grid
    log_weights : (G,) or (Q, G) float, optional
        Population, or populations; N(0, 1) when left out.
    group : (N,) int, optional
        Population of each learner.
    free : (J,) int, optional
        Parameters of each item that were estimated; those of its model when left out, the slope that all 1PL items
        share not among them. mirt counts that slope, or the variance in its place, for every item.
    skip, time_out : {"unknown", "incorrect", "ignored"}
        "unknown" and "incorrect" are both category 0, "ignored" is missing.
    fewest : int
        Learners below which a block is left out.
    smallest : float
        Smallest expected count of a cell.

    Returns
    -------
    ItemFit

    Raises
    ------
    ResponseError, ParameterError
        When responses, weights, groups or ``free`` do not suit the items.

    Notes
    -----
    S-X2 = sum over scores s and categories k of (O - E)^2 / E, E = N_s P(k | s), for the scores at which an answer is
    not certain. P(k | s) follows from the distribution of the score on the other items. Degrees of freedom: cells less
    one for each score, less the parameters estimated.

    A block is all learners of one population who were presented the same items: the score means the same for them.
    Booklets are blocks, and the statistics of the blocks of an item add up, as do their degrees of freedom. In
    adaptive data no two learners share their items; then there is no score to compare at and no S-X2:
    ``NOT_APPLICABLE``. (A chi-square in bins of estimated ability is no stand-in: it rejects far too often, Orlando and
    Thissen 2000.)

    Collapsing depends on expected counts alone. Scores are taken from the lowest up and put together until two cells
    can be cut from the categories, each of at least ``smallest``; scores left at the top join the last group. Inside a
    group, categories are put together in the same way from the lowest up.

    References
    ----------
    Orlando, M., and Thissen, D. (2000, 2003). Likelihood-based item-fit indices for dichotomous item response theory
    models; Further investigation of the performance of S-X2. Applied Psychological Measurement, 24 and 27.
    Kang, T., and Chen, T. T. (2008). Performance of the generalized S-X2 item fit index for polytomous IRT models.
    Journal of Educational Measurement, 45.
    """
    data = scored(parameters, responses, grid, log_weights, group, skip, time_out)
    count = len(parameters)
    known = free_parameters(parameters) if free is None else np.asarray(free, dtype=np.int64)
    if known.shape != (count,):
        raise ParameterError(f"Give the number of estimated parameters of each of the {count} items.")
    statistic, cells, learners = np.zeros(count), np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    for rows, items in _blocks(data, fewest):
        part, gained = _chi_square(_table(data, rows, items), smallest)
        statistic[items] += part
        cells[items] += gained
        learners[items] += rows.size
    df = cells - known
    status = np.select([learners == 0, df <= 0], [FitStatus.NOT_APPLICABLE, FitStatus.NO_DEGREES], FitStatus.COMPUTED)
    return _summary(statistic, df, learners, status.astype(np.int64))


def free_parameters(parameters: ItemParameters) -> Ints:
    """Parameters that a calibration of each item estimates, (J,), without the slope that all 1PL items share.

    Examples
    --------
    >>> free_parameters(ItemParameters.of(["1PL", "3PL"], [1.0, 1.2], [0.0, 0.0], [0.0, 0.2])).tolist()
    [1, 3]
    """
    every = existing(parameters.model, parameters.categories).sum(axis=1, dtype=np.int64)
    return np.asarray(every - (parameters.model == Model.ONE_PL))


def _summary(statistic: Floats, df: Ints, learners: Ints, status: Ints) -> ItemFit:
    fine = status == FitStatus.COMPUTED
    known = np.where(fine, df, 1)
    excess = np.maximum(statistic - known, 0.0) / (known * np.maximum(learners - 1, 1))
    return ItemFit(
        np.where(fine, statistic, np.nan),
        df,
        np.where(fine, chdtrc(known, statistic), np.nan),
        np.where(fine, np.sqrt(excess), np.nan),
        learners,
        status,
    )


def _blocks(data: Scored, fewest: int) -> list[tuple[Ints, Ints]]:
    """Learners of one population with the same items: their rows, and their items."""
    presented = np.packbits(data.categories != MISSING, axis=1)
    key = np.ascontiguousarray(np.column_stack([presented, data.group[:, None].view(np.uint8).reshape(-1, 8)]))
    _, first, inverse, sizes = np.unique(
        key.view(np.dtype((np.void, key.shape[1]))).ravel(), return_index=True, return_inverse=True, return_counts=True
    )
    order = np.split(np.argsort(inverse, kind="stable"), np.cumsum(sizes)[:-1])
    large = np.flatnonzero(sizes >= max(fewest, 1))
    return [(order[b], np.flatnonzero(data.categories[first[b]] != MISSING)) for b in large]


def _table(data: Scored, rows: Ints, items: Ints) -> Table:
    asked = data.parameters.take(items)
    chances = joint(asked, data.grid.nodes, np.exp(data.log_weights[data.group[rows[0]]]))
    given = data.categories[np.ix_(rows, items)].astype(np.int64)
    score = given.sum(axis=1)
    count, scores, most = chances.shape
    cell = (np.arange(count) * scores + score[:, None]) * most + given
    observed = np.bincount(cell.ravel(), minlength=chances.size).reshape(chances.shape).astype(np.float64)
    total = chances.sum(axis=2, keepdims=True)
    share = np.divide(chances, total, out=np.zeros_like(chances), where=total > 0)
    expected = share * np.bincount(score, minlength=scores)[:, None]
    return Table(observed[:, 1:-1], expected[:, 1:-1])


def _chi_square(table: Table, smallest: float) -> tuple[Floats, Ints]:
    """Statistic, and cells less one for each group of scores, each (J,)."""
    groups, made = _grouped(table.expected, smallest)
    observed, expected = (_merged(part, groups) for part in table)
    cell = _cut(expected, smallest)
    last = cell.max(axis=2, initial=0)
    statistic = np.zeros(groups.shape[0])
    for c in range(table.expected.shape[2]):
        inside = cell == c
        o, e = np.sum(observed * inside, axis=2), np.sum(expected * inside, axis=2)
        statistic += np.sum(np.divide((o - e) ** 2, e, out=np.zeros_like(e), where=(e > 0) & made), axis=1)
    return statistic, np.sum(last * made, axis=1)


def _grouped(expected: Floats, smallest: float) -> tuple[Ints, Bools]:
    """Group of each score, and which groups were made, each (J, F - 1)."""
    count, scores, _ = expected.shape
    group = np.zeros((count, scores), dtype=np.int64)
    made = np.zeros(count, dtype=np.int64)
    waiting = np.zeros((count, expected.shape[2]))
    for score in range(scores):
        waiting += expected[:, score]
        group[:, score] = made
        full = _cut(waiting, smallest)[:, -1] > 0
        made += full
        waiting[full] = 0.0
    group = np.minimum(group, np.maximum(made - 1, 0)[:, None])
    return group, np.arange(scores) < made[:, None]


def _merged(part: Floats, group: Ints) -> Floats:
    count, scores, most = part.shape
    cell = (np.arange(count)[:, None] * scores + group)[:, :, None] * most + np.arange(most)
    return np.bincount(cell.ravel(), part.ravel(), minlength=part.size).reshape(part.shape).astype(np.float64)


def _cut(expected: Floats, smallest: float) -> Ints:
    """Cell of each category along the last axis: every cell has at least ``smallest``, the last the remainder too."""
    cell = np.zeros(expected.shape, dtype=np.int64)
    held = np.zeros(expected.shape[:-1])
    left = expected.sum(axis=-1)
    for k in range(expected.shape[-1] - 1):
        held = held + expected[..., k]
        left = left - expected[..., k]
        closed = (held >= smallest) & (left >= smallest)
        cell[..., k + 1] = cell[..., k] + closed
        held = np.where(closed, 0.0, held)
    return cell
