"""What the model leaves of the answers: infit and outfit of each item, and Yen's Q3 of each pair."""

from typing import Final, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from engine.arrays import Bools, Floats, Ints
from engine.calibration.fit.scored import GRID, MISSING, Part, Scored, scored
from engine.errors import DesignError
from engine.grid import Grid
from engine.models import log_probability
from engine.parameters import ItemParameters
from engine.responses import SkipPolicy

WIDEST: Final = float(np.sqrt(2.0))
"""Largest standard deviation of a mean square that the cube root makes normal, as in mirt."""
STEEPEST: Final = 600.0
"""Largest log ratio of two category probabilities that is told from infinity."""
IMPOSSIBLE: Final = 1e-150
"""Variance below which an answer is certain; its square is still a number."""
SPARSE: Final = 0.1
"""Share of answers below which products of matrices of residuals are done with sparse ones."""
DEPENDENT: Final = 0.2
"""Q3 above its mean from which two items are called locally dependent (Christensen et al. 2017)."""
PAIRED: Final = 30
"""Learners with both answers below which two items have no Q3."""

Against = Literal["others", "ability"]


class MeanSquares(NamedTuple):
    """Mean squares of J items, each (J,): 1 is expected, ``*_z`` are nearly N(0, 1); NaN for an item without answers.

    ``learners`` is the number of answers.
    """

    infit: Floats
    infit_z: Floats
    outfit: Floats
    outfit_z: Floats
    learners: Ints


class LocalDependence(NamedTuple):
    """Yen's Q3: ``q3`` (J, J) with ones on the diagonal, NaN where too few learners have both answers.

    ``mean`` is the average off the diagonal, ``above`` (J, J) is Q3 less that, ``flagged`` (J, J) tells pairs that are
    too far above, ``learners`` (J, J) counts those with both answers.
    """

    q3: Floats
    mean: float
    above: Floats
    flagged: Bools
    learners: Ints


def mean_squares(
    parameters: ItemParameters,
    responses: ArrayLike,
    grid: Grid = GRID,
    log_weights: ArrayLike | None = None,
    *,
    group: ArrayLike | None = None,
    against: Against = "others",
    skip: SkipPolicy = "unknown",
    time_out: SkipPolicy = "incorrect",
) -> MeanSquares:
    """Infit and outfit of each item.

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
    against : {"others", "ability"}
        What an answer is compared with: what the learner's answers to the *other* items make likely, or what is likely
        at the ability estimated (EAP) from all answers, this one among them, as mirt does.
    skip, time_out : {"unknown", "incorrect", "ignored"}
        "unknown" and "incorrect" are both category 0, "ignored" is missing.

    Returns
    -------
    MeanSquares

    Raises
    ------
    ResponseError, DesignError
        When responses, weights or groups do not suit the items, or a choice does not exist.

    Notes
    -----
    With the mean E, variance W and fourth central moment C of a category under what it is compared with:
    outfit = mean of (x - E)^2 / W; infit = sum of (x - E)^2 / sum of W. Their variances under the model are sum of
    (C / W^2 - 1) / N^2 and sum of (C - W^2) / (sum of W)^2, and z = 3 (m^(1/3) - 1) / sd + sd / 3 (Wright and Masters).

    Why "others" is the default: an ability that has seen the answer and is then taken for the truth is closer to the
    answer than chance allows. On five items that fit, mirt's outfit is about 0.75 with z below -3, which reads as
    misfit, while items that are too flat look right. Against P(k | others), the mean of P_k over the posterior from the
    other items, both have expectation exactly 1 and the variances above, however short the test. Parameters are taken
    as known; estimates from the same answers draw both towards 1, slopes most of all.

    References
    ----------
    Wright, B. D., and Masters, G. N. (1982). Rating scale analysis.
    """
    if against not in get_args(Against):
        raise DesignError(f"There is nothing called {against!r} to compare with; use {', '.join(get_args(Against))}.")
    data = scored(parameters, responses, grid, log_weights, group, skip, time_out)
    log_p = log_probability(parameters, grid.nodes)
    score = np.arange(log_p.shape[1], dtype=np.float64)
    sums = np.zeros((6, len(parameters)))
    for part in data.parts():
        likely = _predicted(part, log_p) if against == "others" else _at_ability(part, data)
        mean = likely @ score
        away = score - mean[..., None]
        variance, fourth = np.sum(likely * away**2, axis=2), np.sum(likely * away**4, axis=2)
        there = part.categories != MISSING
        possible = np.maximum(variance, IMPOSSIBLE)
        square = (part.categories - mean) ** 2
        terms = (there, square / possible, fourth / possible**2 - 1.0, square, variance, fourth - variance**2)
        sums += np.stack([np.sum(term, axis=0, where=there, dtype=np.float64) for term in terms])
    return _standardised(sums)


def q3(
    parameters: ItemParameters,
    responses: ArrayLike,
    grid: Grid = GRID,
    log_weights: ArrayLike | None = None,
    *,
    group: ArrayLike | None = None,
    skip: SkipPolicy = "unknown",
    time_out: SkipPolicy = "incorrect",
    threshold: float = DEPENDENT,
    fewest: int = PAIRED,
) -> LocalDependence:
    """Correlations of residuals between items: those of dependent items stand out.

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
    skip, time_out : {"unknown", "incorrect", "ignored"}
        "unknown" and "incorrect" are both category 0, "ignored" is missing.
    threshold : float
        Q3 above the mean from which a pair is flagged.
    fewest : int
        Learners with both answers below which a pair has no Q3.

    Returns
    -------
    LocalDependence

    Raises
    ------
    ResponseError
        When responses, weights or groups do not suit the items.

    Notes
    -----
    Residual: category less its expectation at the EAP ability. Each correlation is over the learners with both answers.
    All are pulled below 0, to about -1 / (J - 1), because the ability has seen the answers: so Q3 is judged against its
    mean.

    References
    ----------
    Yen, W. M. (1984). Effects of local item dependence on the fit and equating performance of the three-parameter
    logistic model. Applied Psychological Measurement, 8.
    Christensen, K. B., Makransky, G., and Horton, M. (2017). Critical values for Yen's Q3. Applied Psychological
    Measurement, 41.
    """
    data = scored(parameters, responses, grid, log_weights, group, skip, time_out)
    score = np.arange(int(parameters.categories.max(initial=2)), dtype=np.float64)
    sums = np.zeros((4, len(parameters), len(parameters)))
    for part in data.parts():
        there = part.categories != MISSING
        residual = np.where(there, part.categories - _at_ability(part, data) @ score, 0.0)
        sums += _products(residual, there.astype(np.float64))
    together, first, square, product = sums
    enough = together >= max(fewest, 2)
    count = np.where(enough, together, 1.0)
    mean = first / count
    variance = square / count - mean**2
    spread = np.sqrt(np.maximum(variance, 0.0) * np.maximum(variance.T, 0.0))
    varied = enough & (spread > 1e-12)
    found = np.divide(product / count - mean * mean.T, spread, out=np.full(spread.shape, np.nan), where=varied)
    off = varied & ~np.eye(len(parameters), dtype=np.bool_)
    average = float(found[off].mean()) if off.any() else float("nan")
    above = np.where(off, found - average, np.nan)
    np.fill_diagonal(found, np.where(np.diag(varied), 1.0, np.nan))
    return LocalDependence(found, average, above, off & (found - average > threshold), together.astype(np.int64))


def _predicted(part: Part, log_p: Floats) -> Floats:
    """Probability of each category given the answers to the other items, (n, J, K)."""
    items, most, nodes = log_p.shape
    answer = np.maximum(part.categories, 0)[..., None]
    seen = part.categories[..., None] != MISSING
    result = np.empty((*part.categories.shape, most))
    for k in range(most):
        # Weighting the posterior by P_k / P_x takes the answer x out of it and puts k in its place.
        with np.errstate(invalid="ignore"):
            ratio = np.exp(np.minimum(log_p[:, k : k + 1] - log_p, STEEPEST))
        ratio[np.isnan(ratio)] = 0.0
        swapped = (part.posterior @ ratio.reshape(items * most, nodes).T).reshape(-1, items, most)
        result[..., k] = np.take_along_axis(swapped, answer, axis=2)[..., 0]
    return np.where(seen, result / result.sum(axis=2, keepdims=True), 0.0)


def _at_ability(part: Part, data: Scored) -> Floats:
    """Probability of each category at the EAP ability, (n, J, K)."""
    return np.exp(log_probability(data.parameters, part.posterior @ data.grid.nodes)).transpose(2, 0, 1)


def _standardised(sums: Floats) -> MeanSquares:
    learners, squares, spread, raw, information, excess = sums
    with np.errstate(invalid="ignore", divide="ignore"):
        infit, outfit = raw / information, squares / learners
        infit_z = _cube_root(infit, np.sqrt(np.maximum(excess, 0.0)) / information)
        outfit_z = _cube_root(outfit, np.sqrt(spread) / learners)
    return MeanSquares(infit, infit_z, outfit, outfit_z, learners.astype(np.int64))


def _cube_root(mean_square: Floats, sd: Floats) -> Floats:
    narrow = np.minimum(sd, WIDEST)
    return np.asarray((np.cbrt(mean_square) - 1.0) * 3.0 / narrow + narrow / 3.0)


def _products(residual: Floats, there: Floats) -> Floats:
    """Sum 1, the residual of the row item, its square, and the product, over learners with both answers."""
    pairs = ((there, there), (residual, there), (residual**2, there), (residual, residual))
    if there.mean() < SPARSE:
        return np.stack([(csr_array(left).T @ csr_array(right)).toarray() for left, right in pairs])
    return np.stack([left.T @ right for left, right in pairs])
