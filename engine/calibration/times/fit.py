"""Do response times follow the log-normal model? Residuals, and how the times of each item fit.

The residual of a time is its distance from what all other times of the same learner foretell. It is N(0, 1) under the
model and independent of those other times.

References
----------
van der Linden, W. J., & Guo, F. (2008). Bayesian procedures for identifying aberrant response-time patterns in
adaptive testing. Psychometrika, 73, 365-384.
Stephens, M. A. (1974). EDF statistics for goodness of fit and some comparisons. Journal of the American Statistical
Association, 69, 730-737.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from engine.arrays import Floats, Ints
from engine.calibration.times.calibrate_times import TimeCalibration
from engine.calibration.times.likelihood import Times, speed_posterior
from engine.errors import ResponseError


class TimeFit(NamedTuple):
    """How the times of each item fit, each (I,); NaN for an item without parameters or without times.

    ``spread`` is the standard deviation of the residuals, about 1. ``shape`` is Stephens' Kolmogorov-Smirnov statistic
    for a normal whose mean and variance were estimated: above 0.895 in 5 % and above 1.035 in 1 % of the items that
    fit; in a large sample look at ``distance``, the largest difference between the shares of residuals and of N(0, 1)
    below any point. ``slope`` is N(0, 1): positive when slow learners lose more time on the item than on others.
    """

    spread: Floats
    distance: Floats
    shape: Floats
    slope: Floats
    counts: Ints


def residuals(seconds: ArrayLike, calibration: TimeCalibration) -> Floats:
    """Standardised residual of each time: positive for a learner slower than the rest of their times foretell.

    (log t - intensity + m) / sqrt(1 / discrimination^2 + v), m and v being the mean and the variance of speed given
    the other times of the learner.

    Parameters
    ----------
    seconds : (N, I) float
        Times of any learners on the I items of the calibration.
    calibration : TimeCalibration

    Returns
    -------
    (N, I) float
        NaN where no time was measured or the item has no parameters.

    Raises
    ------
    ResponseError
        When the times are not a table of numbers with a column for each item.
    """
    times = _times(seconds, calibration)
    table = np.full((times.measured.shape[0], calibration.intensity.size), np.nan)
    table[times.learner, calibration.calibrated[times.item]] = _standardised(times, calibration)[0]
    return table


def fit(seconds: ArrayLike, calibration: TimeCalibration) -> TimeFit:
    """How the times of each item fit the model.

    Parameters
    ----------
    seconds : (N, I) float
        Times, normally those of the calibration.
    calibration : TimeCalibration

    Returns
    -------
    TimeFit

    Raises
    ------
    ResponseError
        When the times are not a table of numbers with a column for each item.
    """
    times = _times(seconds, calibration)
    residual, slowness = _standardised(times, calibration)
    size, item, counts = times.counts.size, times.item, times.counts
    some = np.maximum(counts, 1)
    mean = np.bincount(item, weights=residual, minlength=size) / some
    spread = np.sqrt(np.bincount(item, weights=(residual - mean[item]) ** 2, minlength=size) / some)
    distance = _distance(residual, item, counts)
    root = np.sqrt(some)
    along = np.bincount(item, weights=residual * slowness, minlength=size)
    norm = np.sqrt(np.bincount(item, weights=slowness**2, minlength=size))
    columns = np.stack(
        [spread, distance, distance * (root - 0.01 + 0.85 / root), along / np.where(norm > 0, norm, np.nan)]
    )
    columns[:, counts == 0] = np.nan
    whole = np.full((4, calibration.intensity.size), np.nan)
    whole[:, calibration.calibrated] = columns
    every = np.zeros(calibration.intensity.size, dtype=np.int64)
    every[calibration.calibrated] = counts
    return TimeFit(whole[0], whole[1], whole[2], whole[3], every)


def _times(seconds: ArrayLike, calibration: TimeCalibration) -> Times:
    times = Times.of(seconds, calibration.fastest)
    if times.centre.size != calibration.intensity.size:
        raise ResponseError(
            f"There are times of {times.centre.size} items and parameters of {calibration.intensity.size}; "
            "give one column for each item."
        )
    return times.only(calibration.calibrated)


def _standardised(times: Times, calibration: TimeCalibration) -> tuple[Floats, Floats]:
    """Residual of each time, (A,), and minus the mean speed that the other times of the learner show, (A,)."""
    rows, learner, item = calibration.calibrated, times.learner, times.item
    shift, weight = calibration.intensity[rows] - times.centre, calibration.discrimination[rows] ** 2
    precision, mean = speed_posterior(times, shift, np.sqrt(weight), calibration.speed_sd)
    surprise, share = times.deviations.data - shift[item], weight[item]
    others = precision[learner] - share
    other_mean = (precision[learner] * mean[learner] + share * surprise) / others
    return (surprise + other_mean) / np.sqrt(1.0 / share + 1.0 / others), -other_mean


def _distance(residual: Floats, item: Ints, counts: Ints) -> Floats:
    """Kolmogorov-Smirnov distance from N(0, 1) of the residuals of each item, (I,)."""
    order = np.lexsort((residual, item))
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    owner = item[order]
    below = (np.arange(owner.size) - starts[owner]) / counts[owner]
    share = ndtr(residual[order])
    gap = np.maximum(share - below, below + 1.0 / counts[owner] - share)
    largest = np.zeros(counts.size)
    np.maximum.at(largest, owner, gap)
    return largest
