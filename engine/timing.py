"""Log-normal response times: log T ~ N(intensity - speed, 1 / discrimination^2), and speed ~ N(0, sd^2).

What is known of a learner's speed is normal too and is kept as its natural parameters (precision, precision * mean), so
that a response time is learnt by adding to both.

References
----------
van der Linden, W. J. (2006). A lognormal model for response times on test items. Journal of Educational and Behavioral
Statistics, 31, 181-204.
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from engine.arrays import Floats
from engine.errors import DesignError

TYPICAL_SECONDS: Final = 60.0
"""Median time on an item of which nothing is known."""

TIME_DISCRIMINATION: Final = 2.0
"""For items of which it is not known: about 68 % of typical learners take between 0.6 and 1.6 times the median."""


def prior(sd: float, batch: tuple[int, ...] = ()) -> Floats:
    """Speed of learners of whom nothing is known.

    Parameters
    ----------
    sd : float
        Standard deviation of speed in the population, in log seconds.
    batch : tuple of int
        Shape of the batch.

    Returns
    -------
    (*batch, 2) float
        Precision, and precision times mean.

    Examples
    --------
    >>> prior(0.5).tolist()
    [4.0, 0.0]
    """
    if not (np.isfinite(sd) and sd > 0):
        raise DesignError("The standard deviation of speed must be a positive number; give e.g. 0.4.")
    speed = np.zeros((*batch, 2))
    speed[..., 0] = sd**-2.0
    return speed


def update(speed: Floats, intensity: ArrayLike, discrimination: ArrayLike, seconds: ArrayLike) -> Floats:
    """Speed after a response time.

    Parameters
    ----------
    speed : (*batch, 2) float
        Before; it is not changed.
    intensity, discrimination : (*batch,) float
        Of the item answered, in log seconds and in 1 / log seconds.
    seconds : (*batch,) float
        Time spent; a time that is not a positive number was not measured and teaches nothing.

    Returns
    -------
    (*batch, 2) float

    Examples
    --------
    >>> mean_speed(update(prior(1.0), np.log(60.0), 1.0, 30.0)).round(3).tolist()
    0.347
    """
    spent = np.asarray(seconds, dtype=np.float64)
    measured = (spent > 0) & (spent < np.inf)
    weight = np.where(measured, np.asarray(discrimination, dtype=np.float64) ** 2, 0.0)
    surprise = np.asarray(intensity, dtype=np.float64) - np.log(np.where(measured, spent, 1.0))
    after = speed.copy()
    after[..., 0] += weight
    after[..., 1] += weight * surprise
    return after


def mean_speed(speed: Floats) -> Floats:
    """Posterior mean of speed, (*batch, 2) -> (*batch,); above 0 is faster than the population.

    Examples
    --------
    >>> mean_speed(np.array([4.0, 2.0])).tolist()
    0.5
    """
    return np.asarray(speed[..., 1] / speed[..., 0])


def expected_seconds(intensity: ArrayLike, discrimination: ArrayLike, speed: Floats) -> Floats:
    """Foresee the time on each item: the mean of the log-normal predictive distribution.

    Parameters
    ----------
    intensity, discrimination : (I,) float
        Of the items; discriminations are positive.
    speed : (*batch, 2) float
        What is known of the learners.

    Returns
    -------
    (*batch, I) float
        Seconds: exp(m + v / 2), where m = intensity - mean speed and v = 1 / discrimination^2 + variance of speed.

    Examples
    --------
    >>> expected_seconds([np.log(60.0)], [2.0], prior(0.5)).round(2).tolist()
    [77.04]
    """
    middle, variance = _predictive(intensity, discrimination, speed)
    return np.asarray(np.exp(middle + 0.5 * variance))


def seconds_quantile(intensity: ArrayLike, discrimination: ArrayLike, speed: Floats, q: float) -> Floats:
    """Time on each item that is not exceeded with probability ``q``.

    Parameters
    ----------
    intensity, discrimination : (I,) float
        Of the items; discriminations are positive.
    speed : (*batch, 2) float
        What is known of the learners.
    q : float
        Between 0 and 1.

    Returns
    -------
    (*batch, I) float
        Seconds.

    Examples
    --------
    >>> seconds_quantile([np.log(60.0)], [2.0], prior(0.5), 0.5).round(2).tolist()
    [60.0]
    """
    middle, variance = _predictive(intensity, discrimination, speed)
    return np.asarray(np.exp(middle + np.sqrt(variance) * ndtri(q)))


def _predictive(intensity: ArrayLike, discrimination: ArrayLike, speed: Floats) -> tuple[Floats, Floats]:
    precision = speed[..., :1]
    middle = np.asarray(intensity, dtype=np.float64) - speed[..., 1:] / precision
    variance = np.asarray(discrimination, dtype=np.float64) ** -2.0 + 1.0 / precision
    return middle, np.broadcast_to(variance, middle.shape)
