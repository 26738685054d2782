"""Tails of the reference distributions of person fit: skewed sums, and counts of unequal chances.

References
----------
Molenaar, I. W., & Hoijtink, H. (1990). The many null distributions of person fit indices. Psychometrika, 55, 75-106.
Hong, Y. (2013). On computing the distribution function for the Poisson binomial distribution. Computational Statistics
and Data Analysis, 59, 41-51.
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammainc, gammaincc, ndtr

from engine.arrays import Floats

STRAIGHT: Final = 1e-3
"""Absolute skewness below which a sum counts as normal: the two differ by less than 1e-4 there."""
MOST_SKEWED: Final = 2.0
"""Absolute skewness of an exponential; estimates beyond it are cut, so that both tails keep some mass."""


def skewed_below(z: ArrayLike, skewness: ArrayLike) -> Floats:
    """Probability of a value at or below z, for a mean of 0, a variance of 1 and a skewness.

    Pearson's type III: (chi2(8 / g^2) - 8 / g^2) g / 4 for a skewness g > 0, mirrored for g < 0, normal for g = 0.

    Parameters
    ----------
    z, skewness : (*batch,) float

    Returns
    -------
    (*batch,) float

    Examples
    --------
    >>> skewed_below([-2.0, -2.0, -2.0], [-0.5, 0.0, 0.5]).round(4).tolist()
    [0.0344, 0.0228, 0.0082]
    """
    value, skew = np.broadcast_arrays(np.asarray(z, dtype=np.float64), np.asarray(skewness, dtype=np.float64))
    bent = np.clip(skew, -MOST_SKEWED, MOST_SKEWED)
    size = np.maximum(np.abs(bent), STRAIGHT)
    shape = 4.0 / size**2
    at = np.maximum(shape + np.sqrt(shape) * np.where(bent < 0.0, -value, value), 0.0)
    tail = np.where(bent < 0.0, gammaincc(shape, at), gammainc(shape, at))
    return np.asarray(np.where(np.abs(bent) < STRAIGHT, ndtr(value), tail))


def count_at_least(chances: ArrayLike, count: ArrayLike) -> Floats:
    """Probability of at least so many successes in independent trials of unequal chances, exactly.

    Parameters
    ----------
    chances : (*batch, L) float
        Of each trial; 0 pads.
    count : (*batch,) int

    Returns
    -------
    (*batch,) float

    Notes
    -----
    The trials are taken one after the other; each moves mass from a count to the next. Only positive numbers are added,
    so that small tails keep their digits.

    Examples
    --------
    >>> count_at_least([0.5, 0.5, 0.1], 3).round(4).tolist()
    0.025
    """
    p = np.asarray(chances, dtype=np.float64)
    trials = p.shape[-1]
    wanted = np.asarray(count, dtype=np.int64)
    mass = np.zeros((*p.shape[:-1], trials + 1))
    mass[..., 0] = 1.0
    for trial in range(trials):
        success = p[..., trial, None]
        moved = mass[..., : trial + 1] * success
        mass[..., : trial + 1] *= 1.0 - success
        mass[..., 1 : trial + 2] += moved
    beyond = np.cumsum(mass[..., ::-1], axis=-1)[..., ::-1]
    batch = np.broadcast_shapes(beyond.shape[:-1], wanted.shape)
    place = np.broadcast_to(np.clip(wanted, 0, trials), batch)[..., None]
    tail = np.take_along_axis(np.broadcast_to(beyond, (*batch, trials + 1)), place, axis=-1)[..., 0]
    return np.where(wanted <= 0, 1.0, np.where(wanted > trials, 0.0, np.minimum(tail, 1.0)))
