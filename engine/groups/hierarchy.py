"""Measurements nested in learners, learners in classes, classes in a population: the exact posterior on a grid.

    y_i ~ N(theta_i, 1 / p_i),    theta_i ~ N(mu_j, sigma^2),    mu_j ~ N(mu, tau^2)

for a learner i of class j, with mu flat, and sigma and tau half-normal. Given (sigma, tau) everything is normal and in
closed form; these two are integrated over a grid of Gauss-Legendre nodes that closes in on where the posterior lies.

References
----------
Gelman, A., Carlin, J. B., Stern, H. S., Dunson, D. B., Vehtari, A., & Rubin, D. B. (2013). Bayesian data analysis (3rd
ed.), chapter 5. Chapman & Hall/CRC.
"""

from typing import Final, NamedTuple

import numpy as np

from engine.arrays import Bools, Floats, Ints

NODES: Final = 24
"""On each axis of the grid. Around a normal peak the integral is then good to 1e-7."""
ROUNDS: Final = 4
"""Of closing in: enough for a peak 10,000 times narrower than the prior."""
DEPTH: Final = 18.0
"""What is left out of the grid is that much less likely, in logarithms, than the most likely node."""
REACH: Final = 5.0
"""Where the first grid ends, in scales of the half-normal priors; 6e-7 of them lies beyond."""
NEGLIGIBLE: Final = 1e-12


class Hierarchy(NamedTuple):
    """Posterior at M nodes (sigma, tau) of the grid."""

    weight: Floats  # (M,) probability of the node
    within: Floats  # (M,) sigma, sd of abilities in a class
    between: Floats  # (M,) tau, sd of the means of classes
    mean: Floats  # (M, J) of mu_j
    variance: Floats  # (M, J) of mu_j
    raw: Floats  # (M, J) mean of the own measurements of the class, weighted by their precision; 0 where there is none
    own: Floats  # (M, J) share of this in the mean


class _Sums(NamedTuple):
    """Of the measurements of each class at S values of sigma."""

    log: Floats  # (S,) part of the log-likelihood that does not depend on tau
    weight: Floats  # (S, J) precision of the class' own mean
    mean: Floats  # (S, J)


class _Given(NamedTuple):
    """Everything given (sigma, tau), (S, T) or (S, T, J)."""

    log: Floats
    centre: Floats  # mu
    precision: Floats  # of mu
    pull: Floats  # of each class, in mu
    shrunk: Floats  # tau^2 W_j / (1 + tau^2 W_j)


def hierarchy(
    precision: Floats, weighted: Floats, group: Ints, groups: int, within_scale: float, between_scale: float
) -> Hierarchy:
    """Posterior of the means of classes.

    Parameters
    ----------
    precision, weighted : (n,) float
        Of the measurement of each learner, all precisions positive: see :mod:`engine.groups.likelihoods`.
    group : (n,) int
        Class of each learner, 0 to ``groups`` - 1; every learner is in one, a class may have none.
    groups : int
    within_scale, between_scale : float
        Scales of the half-normal priors of sigma and of tau.

    Returns
    -------
    Hierarchy

    Examples
    --------
    >>> of_two = hierarchy(np.full(4, 9.0), np.array([1.0, 2.0, 8.0, 9.0]), np.array([0, 0, 1, 1]), 2, 1.0, 0.5)
    >>> (of_two.weight @ of_two.mean).round(2).tolist(), (of_two.weight @ of_two.raw).round(2).tolist()
    ([0.36, 0.75], [0.17, 0.94])
    """
    ends = [(0.0, REACH * within_scale), (0.0, REACH * between_scale)]
    for _ in range(ROUNDS):
        (within, within_log), (between, between_log) = _nodes(*ends[0]), _nodes(*ends[1])
        sums = _sums(precision, weighted, group, groups, within)
        given = _given(sums, between)
        prior = -0.5 * ((within[:, None] / within_scale) ** 2 + (between / between_scale) ** 2)
        density = given.log + prior
        likely = density > density.max() - DEPTH
        ends = [_closer(within, ends[0], likely.any(axis=1)), _closer(between, ends[1], likely.any(axis=0))]
    density = density + within_log[:, None] + between_log
    weight = np.exp(density - density.max())
    weight /= weight.sum()
    row, column = np.nonzero(weight > NEGLIGIBLE)
    kept = weight[row, column]
    shrunk, pull, spread = given.shrunk[row, column], given.pull[row, column], between[column, None] ** 2
    weight_of_mu = 1.0 / given.precision[row, column, None]
    raw = sums.mean[row]
    return Hierarchy(
        weight=kept / kept.sum(),
        within=within[row],
        between=between[column],
        mean=shrunk * raw + (1.0 - shrunk) * given.centre[row, column, None],
        # tau^2 (1 - shrunk) is the variance given mu, 1 / (W_j + 1 / tau^2).
        variance=spread * (1.0 - shrunk) + (1.0 - shrunk) ** 2 * weight_of_mu,
        raw=raw,
        own=shrunk + (1.0 - shrunk) * pull * weight_of_mu,
    )


def _nodes(low: float, high: float) -> tuple[Floats, Floats]:
    """Gauss-Legendre nodes between two ends, and the logarithms of their weights."""
    place, weight = np.polynomial.legendre.leggauss(NODES)
    return low + 0.5 * (high - low) * (place + 1.0), np.log(0.5 * (high - low) * weight)


def _closer(nodes: Floats, ends: tuple[float, float], likely: Bools) -> tuple[float, float]:
    """Put the ends one node further out than the likely nodes on either side."""
    bounded = np.concatenate([ends[:1], nodes, ends[1:]])
    where = np.flatnonzero(likely)
    return float(bounded[where[0]]), float(bounded[where[-1] + 2])


def _sums(precision: Floats, weighted: Floats, group: Ints, groups: int, within: Floats) -> _Sums:
    """Sum over the learners of each class, at each sigma.

    The log-likelihood leaves out what does not depend on sigma, so that no measurement is divided by its precision.
    """
    square = within[:, None] ** 2
    softened = 1.0 + square * precision
    place = (np.arange(within.size)[:, None] * groups + group).ravel()  # one cell for each sigma and class
    shape, cells = (within.size, groups), within.size * groups
    weight = np.bincount(place, (precision / softened).ravel(), cells).reshape(shape)
    pulled = np.bincount(place, (weighted / softened).ravel(), cells).reshape(shape)
    mean: Floats = np.divide(pulled, weight, out=np.zeros(shape), where=weight > 0.0)
    log = 0.5 * (square * weighted**2 / softened - np.log(softened)).sum(axis=1) + 0.5 * (pulled * mean).sum(axis=1)
    return _Sums(log, np.asarray(weight, dtype=np.float64), mean)


def _given(sums: _Sums, between: Floats) -> _Given:
    """Posterior of mu, and the log-likelihood of (sigma, tau) with mu and all mu_j integrated out."""
    known, mean = sums.weight[:, None, :], sums.mean[:, None, :]
    told = known * between[:, None] ** 2
    pull = known / (1.0 + told)
    precision = pull.sum(axis=-1)
    centre = (pull * mean).sum(axis=-1) / precision
    misfit = np.log1p(told) + pull * (mean - centre[..., None]) ** 2
    log = sums.log[:, None] - 0.5 * misfit.sum(axis=-1) - 0.5 * np.log(precision)
    return _Given(log, centre, precision, pull, told / (1.0 + told))
