"""Exact marginal likelihood of log-normal response times, in which speed is integrated out in closed form.

Given a learner's times, speed is normal with precision p = 1 / sd^2 + sum of alpha_j^2 and mean m = sum of alpha_j^2
(beta_j - log t_j) / p, so that all sums run over the times that exist. The parameters of the search are beta_j, log
alpha_j and log sd, in one vector (2 I + 1,).

References
----------
van der Linden, W. J. (2006). A lognormal model for response times on test items. Journal of Educational and Behavioral
Statistics, 31, 181-204.
Louis, T. A. (1982). Finding the observed information matrix when using the EM algorithm. Journal of the Royal
Statistical Society B, 44, 226-233.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array, hstack

from engine.arrays import Floats, Ints
from engine.errors import ResponseError

LOG_TWO_PI: Final = float(np.log(2.0 * np.pi))
DENSE: Final = 0.08
"""Share of cells measured above which products of dense blocks are faster than sparse products."""
BLOCK: Final = 2**21
"""Cells of the largest dense block; bounds the memory whatever the number of learners."""


@dataclass(frozen=True, eq=False)
class Times:
    """Log seconds, only where they were measured.

    Parameters
    ----------
    measured : (N, I) csr_array of 1.0
        Which learner was timed on which item.
    deviations : (N, I) csr_array
        log seconds - ``centre``, in the same cells: sums of squares lose nothing to a large mean.
    centre : (I,) float
        Mean log seconds of each item; 0 for an item without times.
    """

    measured: csr_array
    deviations: csr_array
    centre: Floats

    @classmethod
    def of(cls, seconds: ArrayLike, fastest: float = 0.0) -> "Times":
        """Read a table of N learners and I items: a finite number above ``fastest`` was measured, the rest was not.

        Raises
        ------
        ResponseError
            When the table does not have two dimensions, or does not hold numbers.
        """
        table = np.asarray(seconds)
        if table.ndim != 2 or table.dtype.kind not in "iuf":
            raise ResponseError("Response times must be a table of seconds, a row for each learner; correct its shape.")
        learner, item = np.nonzero((table > max(fastest, 0.0)) & (table < np.inf))
        logs = np.log(table[learner, item].astype(np.float64))
        counts = np.bincount(item, minlength=table.shape[1])
        centre = np.bincount(item, weights=logs, minlength=table.shape[1]) / np.maximum(counts, 1)
        starts = np.searchsorted(learner, np.arange(table.shape[0] + 1))
        measured = csr_array((np.ones(logs.size), item, starts), shape=table.shape)
        return cls(measured, csr_array((logs - centre[item], item, starts), shape=table.shape), centre)

    def only(self, kept: Ints) -> "Times":
        """Keep the items ``kept``, in that order."""
        if kept.size == self.centre.size:
            return self
        return Times(self.measured[:, kept], self.deviations[:, kept], self.centre[kept])

    @property
    def learner(self) -> Ints:
        """Learner of each time, (A,), in the order of ``item``."""
        return np.repeat(np.arange(self.measured.shape[0]), np.diff(self.measured.indptr))

    @property
    def item(self) -> Ints:
        """Item of each time, (A,)."""
        return np.asarray(self.measured.indices, dtype=np.int64)

    @cached_property
    def counts(self) -> Ints:
        """Times of each item, (I,)."""
        return np.bincount(self.measured.indices, minlength=self.centre.size).astype(np.int64)

    @cached_property
    def squares(self) -> Floats:
        """Sum of squared deviations of each item, (I,)."""
        sums = np.bincount(self.deviations.indices, weights=self.deviations.data**2, minlength=self.centre.size)
        return sums.astype(np.float64)


class Posterior(NamedTuple):
    """Speed of the N learners: precision and mean, each (N,)."""

    precision: Floats
    mean: Floats


def speed_posterior(times: Times, shift: Floats, alpha: Floats, sd: float) -> Posterior:
    """Speed given the times; ``shift`` (I,) is intensity - centre."""
    weight = alpha**2
    sums = times.measured @ np.column_stack([weight, weight * shift])
    precision = sd**-2.0 + sums[:, 0]
    return Posterior(precision, (sums[:, 1] - times.deviations @ weight) / precision)


def value_and_gradient(times: Times, point: Floats) -> tuple[float, Floats]:
    """Log-likelihood of log seconds and its gradient, by Fisher's identity.

    Parameters
    ----------
    times : Times
        Every item has at least one time.
    point : (2 I + 1,) float
        Intensity - centre, log discrimination, log sd of speed.

    Returns
    -------
    value : float
    gradient : (2 I + 1,) float
    """
    shift, log_alpha, log_sd = _split(point)
    weight, sd = np.exp(2.0 * log_alpha), float(np.exp(log_sd))
    precision, mean = speed_posterior(times, shift, np.sqrt(weight), sd)
    counts, squares = times.counts, times.squares
    # deviations sum to 0 over each item, so that the sum of (deviation - shift)^2 has no cross term
    scatter = squares + counts * shift**2
    value = (
        np.sum(counts * (log_alpha - 0.5 * LOG_TWO_PI))
        - 0.5 * np.sum(weight * scatter)
        + 0.5 * np.sum(mean**2 * precision)
        - 0.5 * np.sum(np.log(precision) + 2.0 * log_sd)
    )
    sums = times.measured.T @ np.column_stack([mean, mean**2 + 1.0 / precision])
    cross = times.deviations.T @ mean
    surprise = sums[:, 0] - counts * shift
    spread = scatter + sums[:, 1] + 2.0 * (cross - shift * sums[:, 0])
    by_sd = np.sum((mean**2 + 1.0 / precision) / sd**2 - 1.0)
    return float(value), np.concatenate([weight * surprise, counts - weight * spread, [by_sd]])


def scale(times: Times, point: Floats) -> Floats:
    """Square root of the information if speed were observed, (2 I + 1,): the unit of a gradient."""
    _, log_alpha, _ = _split(point)
    timed = float(np.count_nonzero(np.diff(times.measured.indptr)))
    by_shift, by_alpha = np.exp(log_alpha) * np.sqrt(times.counts), np.sqrt(2.0 * times.counts)
    return np.concatenate([by_shift, by_alpha, [np.sqrt(2.0 * timed)]])


def information(times: Times, point: Floats) -> Floats:
    """Observed information, (2 I + 1, 2 I + 1): minus the second derivatives of the log-likelihood, exactly.

    Louis: the expected second derivatives of the complete data, less the covariance of their score. The score of a
    learner is linear in d and d^2, d being speed - m, whose covariance is diag(v, 2 v^2): two rows for each learner.
    """
    shift, log_alpha, log_sd = _split(point)
    weight, sd, size = np.exp(2.0 * log_alpha), float(np.exp(log_sd)), shift.size
    precision, mean = speed_posterior(times, shift, np.sqrt(weight), sd)
    variance = 1.0 / precision
    learner, item, counts = times.learner, times.item, times.counts
    gap = times.deviations.data - shift[item] + mean[learner]
    matrix = np.zeros((2 * size + 1, 2 * size + 1))
    rows = np.arange(size)
    matrix[rows, rows] = weight * counts
    cross = -2.0 * weight * np.bincount(item, weights=gap, minlength=size)
    matrix[rows, size + rows] = matrix[size + rows, rows] = cross
    matrix[size + rows, size + rows] = (
        2.0 * weight * np.bincount(item, weights=gap**2 + variance[learner], minlength=size)
    )
    matrix[-1, -1] = 2.0 * np.sum(mean**2 + variance) / sd**2
    root, tail = np.sqrt(variance), np.sqrt(2.0) * variance
    linear = _beside(times, [root[learner], root[learner] * gap], root * mean)
    squared = _beside(times, [tail[learner]], tail)
    factor = np.concatenate([weight, -2.0 * weight, [2.0 / sd**2]])
    matrix -= factor[:, None] * factor * _gram(linear)
    factor = np.concatenate([-weight, [1.0 / sd**2]])
    matrix[size:, size:] -= factor[:, None] * factor * _gram(squared)
    return matrix


def _beside(times: Times, cells: list[Floats], column: Floats) -> csr_array:
    """Put tables with the given values where times were measured side by side, and a column (N,) after them."""
    indices, starts, shape = times.measured.indices, times.measured.indptr, times.measured.shape
    tables = [csr_array((values, indices, starts), shape=shape) for values in cells]
    joined: csr_array = hstack([*tables, csr_array(column[:, None])], format="csr")
    return joined


def _gram(table: csr_array) -> Floats:
    """Return table' table, (P, P)."""
    learners, width = table.shape
    if table.nnz < DENSE * learners * width:
        return np.asarray((table.T @ table).toarray())
    total = np.zeros((width, width))
    step = max(BLOCK // width, 1)
    for start in range(0, learners, step):
        block = table[start : start + step].toarray()
        total += block.T @ block
    return total


def _split(point: Floats) -> tuple[Floats, Floats, float]:
    size = (point.size - 1) // 2
    return point[:size], point[size : 2 * size], float(point[-1])
