"""Ends of central intervals, of a normal distribution and of mixtures of normals."""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from engine.arrays import Floats
from engine.errors import DesignError
from engine.levels import Interval

HALVINGS: Final = 40
"""Of the bracket of a quantile: it ends 1e-12 of its width from the truth."""


def tail_of(coverage: float) -> float:
    """Probability left out on either side of a central interval.

    Parameters
    ----------
    coverage : float

    Returns
    -------
    float

    Raises
    ------
    DesignError
        When the coverage is not strictly between 0 and 1.

    Examples
    --------
    >>> round(tail_of(0.9), 12)
    0.05
    """
    if not 0.0 < coverage < 1.0:
        raise DesignError(f"The coverage of an interval lies between 0 and 1, not at {coverage}; correct it.")
    return 0.5 * (1.0 - coverage)


def normal_interval(mean: ArrayLike, sd: ArrayLike, coverage: float) -> Interval:
    """Central interval of a normal distribution.

    Parameters
    ----------
    mean, sd : (*batch,) float
    coverage : float
        Between 0 and 1.

    Returns
    -------
    Interval

    Examples
    --------
    >>> [round(float(end), 3) for end in normal_interval(1.0, 2.0, 0.9)]
    [-2.29, 4.29]
    """
    centre, half = np.asarray(mean, dtype=np.float64), -ndtri(tail_of(coverage)) * np.asarray(sd, dtype=np.float64)
    return Interval(np.asarray(centre - half), np.asarray(centre + half))


def mixture_quantile(weights: ArrayLike, means: ArrayLike, sds: ArrayLike, share: float) -> Floats:
    """Value below which a given share of a mixture of normals lies, by halving.

    Parameters
    ----------
    weights : (M,) float
        Of the parts of the mixture; they sum to 1.
    means, sds : (M, J) float
        Of the parts, for J mixtures that have the same weights; the sds are positive.
    share : float
        Between 0 and 1.

    Returns
    -------
    (J,) float

    Examples
    --------
    >>> mixture_quantile([0.5, 0.5], [[0.0], [2.0]], [[1.0], [1.0]], 0.5).round(6).tolist()
    [1.0]
    """
    weight, centre, spread = (np.asarray(x, dtype=np.float64) for x in (weights, means, sds))
    # The quantile of a mixture lies between the smallest and the largest quantile of its parts.
    each = centre + ndtri(share) * spread
    low, high = each.min(axis=0), each.max(axis=0)
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        short = weight @ ndtr((middle - centre) / spread) < share
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    return np.asarray(0.5 * (low + high))
