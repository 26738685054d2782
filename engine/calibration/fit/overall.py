"""Fit of a whole calibration: the limited-information statistic M2, RMSEA, SRMSR, CFI and TLI."""

from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import LinAlgError
from scipy.optimize import brentq
from scipy.special import chdtrc, chndtr

from engine.arrays import Bools
from engine.calibration.fit import discrepancy, moments
from engine.calibration.fit.scored import GRID, MISSING, Scored, scored
from engine.errors import ParameterError
from engine.grid import Grid
from engine.parameters import ItemParameters
from engine.responses import SkipPolicy
from engine.working import existing, slopes, to_working

MOST_ITEMS: Final = 100
"""Items beyond which M2 is refused: 100 have 5,050 moments, whose covariance has 25 million entries."""


class OverallStatus(IntEnum):
    """What became of an M2; the words say why there is none."""

    COMPUTED = 0
    NO_COMPLETE_ROWS = 1
    TOO_MANY_ITEMS = 2
    NO_DEGREES = 3
    SINGULAR = 4

    @property
    def words(self) -> str:
        """One sentence for a report."""
        return (
            "M2 was computed.",
            "M2 needs learners who answered every item, in every population; there are too few of them.",
            f"M2 is computed for at most {MOST_ITEMS} items; look at the fit of each item instead.",
            "M2 has no degrees of freedom left: the model has as many parameters as these items have moments.",
            "M2 does not exist because an item, or two of them together, always had the same response.",
        )[self]


class Interval(NamedTuple):
    """Ends of a 90 % confidence interval."""

    lower: float
    upper: float


class OverallFit(NamedTuple):
    """M2 and what follows from it; NaN where ``status`` is not ``COMPUTED``.

    ``p`` is the probability of a larger M2 under the model, ``learners`` the number of complete rows,
    ``independence`` the M2 of items that have nothing in common and ``independence_df`` its degrees of freedom.
    """

    m2: float
    df: int
    p: float
    rmsea: float
    rmsea_interval: Interval
    srmsr: float
    cfi: float
    tli: float
    independence: float
    independence_df: int
    learners: int
    status: OverallStatus


def m2(
    parameters: ItemParameters,
    responses: ArrayLike,
    grid: Grid = GRID,
    log_weights: ArrayLike | None = None,
    *,
    group: ArrayLike | None = None,
    free: ArrayLike | None = None,
    free_population: ArrayLike | None = None,
    skip: SkipPolicy = "unknown",
    time_out: SkipPolicy = "incorrect",
) -> OverallFit:
    """Compare the first and second moments of the answers with those of the model.

    Parameters
    ----------
    parameters : ItemParameters
        J items.
    responses : (N, J) int
        Categories, or the codes of :mod:`engine.responses`. Only learners with evidence on every item count.
    grid : Grid
    log_weights : (G,) or (Q, G) float, optional
        Normal population, or populations; N(0, 1) when left out.
    group : (N,) int, optional
        Population of each learner.
    free : (J, P) bool, optional
        Which working parameters (:mod:`engine.working`) were estimated; all that the items have when left
        out. The free slopes of 1PL items are one parameter.
    free_population : (Q, 2) bool, optional
        Whether the mean and the standard deviation of each population were estimated; neither when left out.
    skip, time_out : {"unknown", "incorrect", "ignored"}
        "unknown" and "incorrect" are both category 0, "ignored" is missing.

    Returns
    -------
    OverallFit

    Raises
    ------
    ResponseError, ParameterError
        When responses, weights, groups or what is free do not suit the items.

    Notes
    -----
    M2 = N e' (X^-1 - X^-1 D (D' X^-1 D)^-1 D' X^-1) e for the residuals e of the moments, their covariance X and their
    derivatives D in the free parameters, is chi-square under the model with as many degrees of freedom as there are
    moments less the rank of D. For items of two categories it is M2 of Maydeu-Olivares and Joe; otherwise M2* of Cai
    and Hansen, who take moments of the category numbers. With several populations the residuals of each are stacked.

    RMSEA = sqrt((M2 - df) / (df (N - 1))) and its 90 % interval from the noncentral chi-square; SRMSR is the root mean
    square difference of observed and expected correlations; CFI and TLI compare with items that have nothing in common.

    References
    ----------
    Maydeu-Olivares, A., and Joe, H. (2005, 2006). Limited- and full-information estimation and goodness-of-fit testing
    in 2^n contingency tables; Limited information goodness-of-fit testing in multidimensional contingency tables.
    JASA, 100; Psychometrika, 71.
    Cai, L., and Hansen, M. (2013). Limited-information goodness-of-fit testing of hierarchical item factor models.
    British Journal of Mathematical and Statistical Psychology, 66.
    """
    data = scored(parameters, responses, grid, log_weights, group, skip, time_out)
    count, populations = len(parameters), data.log_weights.shape[0]
    has = existing(parameters.model, parameters.categories)
    estimated = has if free is None else np.asarray(free, dtype=np.bool_)
    moving = np.zeros((populations, 2), dtype=np.bool_)
    if free_population is not None:
        moving = np.atleast_2d(np.asarray(free_population, dtype=np.bool_))
    if estimated.shape != has.shape or moving.shape != (populations, 2):
        raise ParameterError(
            f"What is free must be a table of {has.shape[0]} by {has.shape[1]} for the items and of {populations} by 2 "
            "for the populations."
        )
    complete = np.all(data.categories != MISSING, axis=1)
    sizes = np.bincount(data.group[complete], minlength=populations)
    learners = int(sizes.sum())
    if count > MOST_ITEMS:
        return _none(OverallStatus.TOO_MANY_ITEMS, learners)
    if count < 2:
        return _none(OverallStatus.NO_DEGREES, learners)
    if sizes.min() < 2:
        return _none(OverallStatus.NO_COMPLETE_ROWS, learners)
    blocks = _blocks(data, complete, estimated & has, moving)
    if any((block.categories.var(axis=0) == 0).any() for block in blocks):
        return _none(OverallStatus.SINGULAR, learners)
    try:
        found, df = discrepancy.statistic(blocks)
    except LinAlgError:
        return _none(OverallStatus.SINGULAR, learners)
    if df <= 0:
        return _none(OverallStatus.NO_DEGREES, learners, df)
    alone, alone_df = discrepancy.independence(blocks)
    lower, upper = (_noncentrality(found, df, share) for share in (0.95, 0.05))
    scale = df * (learners - 1)
    return OverallFit(
        found,
        df,
        float(chdtrc(df, found)),
        float(np.sqrt(max(found - df, 0.0) / scale)),
        Interval(float(np.sqrt(lower / scale)), float(np.sqrt(upper / scale))),
        discrepancy.srmsr(blocks),
        min(1.0, max(0.0, 1.0 - (found - df) / (alone - alone_df))) if alone > alone_df else float("nan"),
        (alone / alone_df - found / df) / (alone / alone_df - 1.0) if alone != alone_df else float("nan"),
        alone,
        alone_df,
        learners,
        OverallStatus.COMPUTED,
    )


def _blocks(data: Scored, complete: Bools, free: Bools, moving: Bools) -> list[discrepancy.Block]:
    items, nodes = data.parameters, data.grid.nodes
    curves = slopes(items.model, to_working(items), nodes)
    result = []
    for number, log_weights in enumerate(data.log_weights):
        given = moments.given_ability(curves.log_p, np.exp(log_weights))
        of_population = np.zeros((len(items) * (len(items) + 1) // 2, *moving.shape))
        of_population[:, number] = moments.by_population(given, nodes)
        columns = moments.free_columns(moments.by_items(given, curves), items, free)
        rows = data.categories[complete & (data.group == number)].astype(np.float64)
        result.append(discrepancy.Block(rows, given, np.column_stack([columns, of_population[:, moving]])))
    return result


def _noncentrality(statistic: float, df: int, share: float) -> float:
    """Noncentrality under which a smaller statistic has this probability; 0 when there is none."""
    if chndtr(statistic, df, 0.0) <= share:
        return 0.0
    top = max(statistic, 1.0)
    while chndtr(statistic, df, top) > share:
        top *= 2.0
    return float(brentq(lambda place: float(chndtr(statistic, df, place)) - share, 0.0, top, xtol=1e-10))


def _none(status: OverallStatus, learners: int, df: int = 0) -> OverallFit:
    no = float("nan")
    return OverallFit(no, df, no, no, Interval(no, no), no, no, no, no, 0, learners, status)
