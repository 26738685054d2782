"""How reliable ability estimates are: test information, marginal and empirical reliability."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from engine.arrays import Floats, Ints
from engine.calibration.fit.scored import GRID, MISSING, scored
from engine.errors import ResponseError
from engine.grid import Grid
from engine.models import information
from engine.parameters import ItemParameters
from engine.responses import SkipPolicy


class InformationCurve(NamedTuple):
    """Abilities, Fisher information of all items together, and the conditional standard error, each (G,)."""

    nodes: Floats
    information: Floats
    se: Floats


class Reliability(NamedTuple):
    """Reliability in Q populations, each (Q,): of the items, of the estimates, and how many learners those are of."""

    marginal: Floats
    empirical: Floats
    learners: Ints


def total_information(parameters: ItemParameters, nodes: ArrayLike) -> InformationCurve:
    """Information of a test at each ability, I(theta) = sum of the items' I_i(theta), and 1 / sqrt(I).

    Parameters
    ----------
    parameters : ItemParameters
        J items.
    nodes : (G,) float
        Abilities.

    Returns
    -------
    InformationCurve
        The standard error is infinite where there is no information.

    Examples
    --------
    >>> total_information(ItemParameters.of("2PL", [2.0] * 4, [0.0] * 4), [0.0]).se.tolist()
    [0.5]
    """
    theta = np.asarray(nodes, dtype=np.float64).reshape(-1)
    total = information(parameters, theta).sum(axis=0)
    with np.errstate(divide="ignore"):
        return InformationCurve(theta, total, 1.0 / np.sqrt(total))


def marginal_reliability(parameters: ItemParameters, grid: Grid = GRID, log_weights: ArrayLike | None = None) -> Floats:
    """Reliability expected of a test over each population: the mean of I / (I + 1 / variance).

    Parameters
    ----------
    parameters : ItemParameters
        J items.
    grid : Grid
    log_weights : (G,) or (Q, G) float, optional
        Log weights of the nodes in the population, or populations; those of N(0, 1) when left out.

    Returns
    -------
    (Q,) float

    Raises
    ------
    ResponseError
        When the weights do not suit the grid.

    Notes
    -----
    1 - I / (I + 1 / variance) is the share of the variance of ability that is left when a normal posterior has taken in
    the information I. For N(0, 1) this is mirt's ``marginal_rxx``; for another variance mirt 1.47 adds the variance in
    place of its inverse, and integrates over N(0, 1) all the same.

    References
    ----------
    Green, B. F., Bock, R. D., Humphreys, L. G., Linn, R. L., and Reckase, M. D. (1984). Technical guidelines for
    assessing computerized adaptive tests. Journal of Educational Measurement, 21.

    Examples
    --------
    >>> marginal_reliability(ItemParameters.of("2PL", [1.0], [0.0])).round(2).tolist()
    [0.17]
    """
    nobody = np.empty((0, len(parameters)), dtype=np.int64)
    several = log_weights is not None and np.ndim(log_weights) > 1
    group = np.empty(0, dtype=np.int64) if several else None
    return _marginal(parameters, grid, scored(parameters, nobody, grid, log_weights, group).log_weights)


def empirical_reliability(ability: ArrayLike, se: ArrayLike) -> float:
    """Reliability of estimates, Var(EAP) / (Var(EAP) + mean of se^2).

    Parameters
    ----------
    ability, se : (N,) float
        Posterior means and standard deviations of learners of one population; NaN is left out.

    Returns
    -------
    float
        NaN for fewer than two learners.

    Raises
    ------
    ResponseError
        When there is not one standard error for each ability.

    Notes
    -----
    The variance of ability is that of the posterior means and the mean of the posterior variances; the first is what
    the estimates know. As mirt's ``empirical_rxx``.

    References
    ----------
    Bechger, T. M., Maris, G., Verstralen, H. H. F. M., and Beguin, A. A. (2003). Using classical test theory in
    combination with item response theory. Applied Psychological Measurement, 27.

    Examples
    --------
    >>> empirical_reliability([-1.0, 0.0, 1.0], [0.5, 0.5, 0.5])
    0.8
    """
    means, errors = np.asarray(ability, dtype=np.float64), np.asarray(se, dtype=np.float64)
    if means.ndim != 1 or means.shape != errors.shape:
        raise ResponseError(f"There are {means.size} abilities and {errors.size} standard errors; give one for each.")
    known = np.isfinite(means) & np.isfinite(errors)
    if np.count_nonzero(known) < 2:
        return float("nan")
    signal = float(np.var(means[known], ddof=1))
    return signal / (signal + float(np.mean(errors[known] ** 2)))


def reliability(
    parameters: ItemParameters,
    responses: ArrayLike,
    grid: Grid = GRID,
    log_weights: ArrayLike | None = None,
    *,
    group: ArrayLike | None = None,
    skip: SkipPolicy = "unknown",
    time_out: SkipPolicy = "incorrect",
) -> Reliability:
    """Marginal reliability of the items and empirical reliability of the EAP abilities, in each population.

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

    Returns
    -------
    Reliability
        ``marginal`` is of a test of all the items: where a learner answers a part of them, look at ``empirical``, which
        leaves out learners without any answer.

    Raises
    ------
    ResponseError
        When responses, weights or groups do not suit the items.
    """
    data = scored(parameters, responses, grid, log_weights, group, skip, time_out)
    ability, sd = data.abilities()
    answered = np.any(data.categories != MISSING, axis=1)
    members = [answered & (data.group == number) for number in range(data.log_weights.shape[0])]
    return Reliability(
        _marginal(parameters, grid, data.log_weights),
        np.array([empirical_reliability(ability[one], sd[one]) for one in members]),
        np.array([np.count_nonzero(one) for one in members], dtype=np.int64),
    )


def _marginal(parameters: ItemParameters, grid: Grid, log_weights: Floats) -> Floats:
    weights = np.exp(log_weights)
    mean = weights @ grid.nodes
    variance = weights @ grid.nodes**2 - mean**2
    total = total_information(parameters, grid.nodes).information
    return np.asarray(np.sum(weights * total / (total + 1.0 / variance[:, None]), axis=1))
