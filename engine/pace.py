"""How plausible are these times? Times that fit nobody's pace, and answers too fast to have been read.

Times of skips and time-outs say how long a candidate hesitated, not how long an answer takes: they are left out.

References
----------
van der Linden, W. J. (2006). A lognormal model for response times on test items. Journal of Educational and Behavioral
Statistics, 31, 181-204.
van der Linden, W. J., & Guo, F. (2008). Bayesian procedures for identifying aberrant response-time patterns in
adaptive testing. Psychometrika, 73, 365-384.
Wise, S. L., & Ma, L. (2012). Setting response time thresholds for a CAT item pool: the normative threshold method.
Annual meeting of the National Council on Measurement in Education, Vancouver.
"""

from typing import Final, NamedTuple

import numpy as np
from scipy.special import chdtrc, ndtr

from engine.arrays import Bools, Floats
from engine.errors import DesignError
from engine.personfit import Fit
from engine.responses import NONE
from engine.state import Facts
from engine.table import Table
from engine.tails import count_at_least
from engine.timing import prior

SPEEDS: Final = 21
"""Gauss-Hermite points over which a candidate's speed is averaged."""


class _Times(NamedTuple):
    slowness: Floats  # (*batch, L) log seconds - intensity, 0 where not measured
    discrimination: Floats  # (*batch, L)
    measured: Bools  # (*batch, L)


def time_fit(table: Table, facts: Facts, speed_sd: float) -> Fit:
    """Chi-square of the log times, with the speed marginalised exactly.

    With r = log t - intensity, r ~ N(0, diag(1 / discrimination^2) + speed_sd^2), and

        r' Cov^-1 r = sum(alpha^2 r^2) - (sum alpha^2 r)^2 / (1 / speed_sd^2 + sum alpha^2) ~ chi2(number of times).

    Parameters
    ----------
    table : Table
    facts : Facts
        (*batch, L). Seconds that are not a positive number were not measured.
    speed_sd : float
        Of the population, in log seconds.

    Returns
    -------
    Fit
        The chi-square, and the probability of a larger one.

    Examples
    --------
    >>> from engine.adaptive import Design
    >>> from engine.parameters import ItemParameters
    >>> from engine.table import build_table
    >>> two = build_table(ItemParameters.of("1PL", [1.0, 1.0], [0.0, 0.0]), Design())
    >>> facts = Facts(np.array([0, 1]), np.array([1, 0]), np.array([6.0, 600.0]))
    >>> fit = time_fit(two, facts, 0.4)
    >>> round(float(fit.statistic), 2), float(fit.p) < 1e-9
    (42.42, True)
    """
    times = _times(table, facts)
    precision = prior(speed_sd)[0]
    weight = times.discrimination**2
    squares = np.sum(weight * times.slowness**2, axis=-1)
    along = np.sum(weight * times.slowness, axis=-1)
    total = np.maximum(squares - along**2 / (precision + np.sum(weight, axis=-1)), 0.0)
    count = np.count_nonzero(times.measured, axis=-1)
    return Fit(total, np.where(count == 0, 1.0, chdtrc(np.maximum(count, 1), total)))


def too_fast(table: Table, facts: Facts, speed_sd: float = 0.4, share: float = 0.1, chance: float = 0.02) -> Fit:
    """How many answers came faster than a share of the item's median time, and how probable so many are.

    A candidate who reads is too fast on an item with the chance of the log-normal model at their speed, or by accident
    (a double click, an item known by heart) with a further ``chance``. Given the speed the count is Poisson-binomial;
    the speed is averaged over the population.

    Parameters
    ----------
    table : Table
    facts : Facts
        (*batch, L). Seconds that are not a positive number were not measured.
    speed_sd : float
        Of the population, in log seconds.
    share : float
        Of the median time, below which nobody can have read the item: 0.1 by Wise and Ma.
    chance : float
        Of an accident on one item.

    Returns
    -------
    Fit
        The count, and the probability of at least as many.
    """
    if not (0.0 < share < 1.0 and 0.0 <= chance < 1.0):
        raise DesignError(
            "The share of the median time and the chance of an accident lie between 0 and 1; correct them."
        )
    times = _times(table, facts)
    limit = np.log(share)
    count = np.count_nonzero(times.measured & (times.slowness < limit), axis=-1)
    points, weights = np.polynomial.hermite_e.hermegauss(SPEEDS)
    speed = prior(speed_sd)[0] ** -0.5 * points
    fast = ndtr(times.discrimination[..., None, :] * (limit + speed[:, None]))
    chances = np.where(times.measured[..., None, :], 1.0 - (1.0 - chance) * (1.0 - fast), 0.0)
    tail = count_at_least(chances, count[..., None]) @ (weights / weights.sum())
    return Fit(count.astype(np.float64), np.where(count == 0, 1.0, np.minimum(tail, 1.0)))


def _times(table: Table, facts: Facts) -> _Times:
    """Read the times of answers; what was not measured weighs nothing."""
    item, seconds = np.asarray(facts.item, dtype=np.int64), np.asarray(facts.seconds, dtype=np.float64)
    measured = (item != NONE) & (np.asarray(facts.response) >= 0) & (seconds > 0) & (seconds < np.inf)
    row = np.where(measured, item, 0)
    slowness = np.where(measured, np.log(np.where(measured, seconds, 1.0)) - table.time_intensity[row], 0.0)
    return _Times(slowness, np.where(measured, table.time_discrimination[row], 0.0), measured)
