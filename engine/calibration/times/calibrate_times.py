"""Calibration of response times: log T_ij ~ N(intensity_j - speed_i, 1 / discrimination_j^2), speed_i ~ N(0, sd^2).

Speed is normal given the times, so that the likelihood is exact, whatever is missing; what is learnt of each learner's
speed is in the form of :mod:`engine.timing`.

References
----------
van der Linden, W. J. (2006). A lognormal model for response times on test items. Journal of Educational and Behavioral
Statistics, 31, 181-204.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import Bounds, minimize
from scipy.special import ndtri

from engine.arrays import Bools, Floats, Ints
from engine.calibration.times.likelihood import Times, information, scale, speed_posterior, value_and_gradient
from engine.errors import DesignError, ResponseError

CONSTANT_VARIANCE: Final = 1e-12
"""Log seconds that vary less than this do not vary."""
DISCRIMINATIONS: Final = (0.02, 100.0)
"""Bounds of the search: 98 % of times within a factor of e^116, or of 1.02."""
SPEED_SDS: Final = (1e-3, 20.0)
SMALLEST_PIVOT: Final = 1e-5
"""Share of the complete information left, below which a parameter is not identified."""


class TimeStatus(IntEnum):
    """What became of the times of an item."""

    CONVERGED = 0
    AT_BOUND = 1
    NOT_CONVERGED = 2
    TOO_FEW = 3
    CONSTANT = 4


@dataclass(frozen=True, eq=False)
class TimeCalibration:
    """Response-time parameters of I items and the speed of N learners.

    Parameters
    ----------
    intensity, discrimination : (I,) float
        In log seconds and 1 / log seconds; NaN for an item that could not be calibrated.
    intensity_error, discrimination_error : (I,) float
        Standard errors from the observed information; NaN where there is none.
    speed_sd, speed_sd_error : float
        Of the population, in log seconds.
    speed : (N, 2) float
        Posterior of each learner: precision, and precision times mean, as :mod:`engine.timing` keeps it; that of the
        population for a learner without times.
    log_likelihood : float
        Of log seconds.
    iterations : int
    converged : bool
    gradient : float
        The largest, in standard errors of complete data.
    status : (I,) int
        Codes of :class:`TimeStatus`.
    counts : (I,) int
        Times measured on each item.
    fastest : float
        Seconds at or below which a time was taken as not measured.
    """

    intensity: Floats
    discrimination: Floats
    intensity_error: Floats
    discrimination_error: Floats
    speed_sd: float
    speed_sd_error: float
    speed: Floats
    log_likelihood: float
    iterations: int
    converged: bool
    gradient: float
    status: Ints
    counts: Ints
    fastest: float

    @property
    def calibrated(self) -> Ints:
        """Rows of the items that have parameters."""
        return np.flatnonzero(np.isfinite(self.intensity)).astype(np.int64)

    def interval(self, share: float = 0.95) -> tuple[Floats, Floats]:
        """Intervals that hold the true intensity, and the true discrimination, with that probability, each (I, 2).

        The interval of a discrimination is that of its logarithm, so that it stays positive.
        """
        if not 0 < share < 1:
            raise DesignError("The share of an interval must be between 0 and 1; give e.g. 0.95.")
        ends = ndtri(0.5 + 0.5 * share) * np.array([-1.0, 1.0])
        relative = (self.discrimination_error / self.discrimination)[:, None]
        intensity = self.intensity[:, None] + ends * self.intensity_error[:, None]
        return intensity, self.discrimination[:, None] * np.exp(ends * relative)


def calibrate_times(
    seconds: ArrayLike,
    *,
    fastest: float = 0.0,
    fewest: int = 20,
    gradient: float = 1e-4,
    most_iterations: int = 500,
) -> TimeCalibration:
    """Calibrate response times by exact marginal maximum likelihood.

    Parameters
    ----------
    seconds : (N, I) float
        Time of each learner on each item. What is not a finite number above ``fastest`` was not measured.
    fastest : float
        Seconds at or below which a time says nothing of the item, e.g. a click through.
    fewest : int
        Items with fewer times than this are left out.
    gradient : float
        Largest gradient at which the search has converged, in standard errors of complete data.
    most_iterations : int

    Returns
    -------
    TimeCalibration

    Raises
    ------
    ResponseError
        When the times are not a table of numbers, or no item has enough of them.
    DesignError
        When a setting is impossible.

    Examples
    --------
    >>> speed, luck = np.meshgrid(np.linspace(-1, 1, 40), [1.0, -1.0, 0.0])
    >>> found = calibrate_times(60.0 * np.exp(0.2 * luck - speed).T)
    >>> np.exp(found.intensity).round(1).tolist()
    [73.3, 49.1, 60.0]
    """
    if not (np.isfinite(fastest) and fewest >= 2 and gradient > 0 and most_iterations >= 1):
        raise DesignError("Response times need a finite fastest, at least 2 times an item and a positive gradient.")
    everything = Times.of(seconds, fastest)
    status = _first_look(everything, fewest)
    kept = np.flatnonzero(status == TimeStatus.CONVERGED)
    if kept.size == 0:
        raise ResponseError(f"No item has {fewest} response times that differ; calibrate when there are more.")
    times = everything.only(kept)
    found = _search(times, gradient, most_iterations)
    size = kept.size
    intensity, discrimination = times.centre + found.point[:size], np.exp(found.point[size:-1])
    errors = _errors(times, found)
    status[kept] = TimeStatus.CONVERGED if found.gradient <= gradient else TimeStatus.NOT_CONVERGED
    status[kept[found.at_bound[size:-1]]] = TimeStatus.AT_BOUND
    sd = float(np.exp(found.point[-1]))
    precision, mean = speed_posterior(times, found.point[:size], discrimination, sd)
    spread = np.full((4, status.size), np.nan)
    spread[:, kept] = intensity, discrimination, errors[:size], discrimination * errors[size:-1]
    return TimeCalibration(
        spread[0],
        spread[1],
        spread[2],
        spread[3],
        sd,
        sd * float(errors[-1]),
        np.stack([precision, precision * mean], axis=1),
        found.log_likelihood,
        found.iterations,
        found.gradient <= gradient,
        found.gradient,
        status,
        everything.counts,
        float(fastest),
    )


class _Found(NamedTuple):
    point: Floats  # (2 I + 1,): intensity - centre, log discrimination, log sd
    at_bound: Bools
    log_likelihood: float
    iterations: int
    gradient: float


def _first_look(times: Times, fewest: int) -> Ints:
    variance = times.squares / np.maximum(times.counts, 1)
    status = np.full(times.counts.size, int(TimeStatus.CONVERGED), dtype=np.int64)
    status[variance < CONSTANT_VARIANCE] = TimeStatus.CONSTANT
    status[times.counts < fewest] = TimeStatus.TOO_FEW
    return status


def _search(times: Times, gradient: float, most_iterations: int) -> _Found:
    """Find the highest point in units of complete-data standard errors, in which all directions are about alike."""
    size = times.counts.size
    variance = times.squares / times.counts
    lower = np.concatenate([np.full(size, -np.inf), np.full(size, np.log(DISCRIMINATIONS[0])), [np.log(SPEED_SDS[0])]])
    upper = np.concatenate([np.full(size, np.inf), np.full(size, np.log(DISCRIMINATIONS[1])), [np.log(SPEED_SDS[1])]])
    start = np.concatenate([np.zeros(size), -0.5 * np.log(0.7 * variance), [0.5 * np.log(0.3 * variance.mean())]])
    start = np.clip(start, lower, upper)
    unit = scale(times, start)

    def downhill(scaled: Floats) -> tuple[float, Floats]:
        value, slope = value_and_gradient(times, scaled / unit)
        return -value, -slope / unit

    result = minimize(
        downhill,
        start * unit,
        jac=True,
        method="L-BFGS-B",
        bounds=Bounds(lower * unit, upper * unit),
        # the unit of the start is not that of the end: a third of the gradient asked for, in either
        options={"gtol": gradient / 3.0, "ftol": 0.0, "maxiter": most_iterations, "maxcor": 20},
    )
    point = np.clip(result.x / unit, lower, upper)
    value, slope = value_and_gradient(times, point)
    at_bound = ((point - lower < 1e-9) & (slope < 0)) | ((upper - point < 1e-9) & (slope > 0))
    steepest = float(np.max(np.abs(np.where(at_bound, 0.0, slope) / scale(times, point))))
    return _Found(point, at_bound, value, int(result.nit), steepest)


def _errors(times: Times, found: _Found) -> Floats:
    """Return standard errors of the search, (2 I + 1,): NaN at a bound, or everywhere when one is not identified."""
    free = np.flatnonzero(~found.at_bound)
    unit = scale(times, found.point)[free]
    left = information(times, found.point)[np.ix_(free, free)] / np.outer(unit, unit)
    errors = np.full(found.point.size, np.nan)
    try:
        root = np.linalg.cholesky(left)
    except np.linalg.LinAlgError:
        return errors
    if np.diag(root).min() ** 2 > SMALLEST_PIVOT:
        inverse = np.linalg.inv(root)
        errors[free] = np.sqrt(np.sum(inverse**2, axis=0)) / unit
    return errors
