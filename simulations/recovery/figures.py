"""How well calibrations recover the truth: bias, RMSE, correlation, coverage and honesty of the standard errors.

Figures are over the replications that converged, and over all items that these calibrated, those at a bound included:
what a calibration hands over is judged. What did not converge is counted, never mixed in.

The items of one replication share their learners, so the Monte Carlo errors of the figures come from the spread of the
replications, not of the items (Morris, White and Crowther 2019, Statistics in Medicine 38).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from scipy.special import ndtri

from engine.arrays import Bools, Floats
from engine.calibration.result import ItemStatus
from engine.parameters import POLYTOMOUS
from simulations.recovery.replication import Replication
from simulations.recovery.truth import Truth, reported

SHARE: Final = 0.95
"""Of the intervals whose coverage is told."""
REACH: Final = float(ndtri(0.5 + 0.5 * SHARE))
KINDS: Final = ("discrimination", "difficulty", "thresholds", "guessing", "slipping")
"""Difficulty is the difficulty of dichotomous items and every threshold of the others; thresholds are these alone."""


class Figure(NamedTuple):
    """A figure with its Monte Carlo standard error, NaN for a single replication."""

    value: float
    error: float


@dataclass(frozen=True)
class Kind:
    """Figures of one kind of parameter over items and replications; NaN where nothing can be said.

    Parameters
    ----------
    bias, rmse, correlation, coverage : Figure
        Correlation over the items of a replication, mean over the replications.
    mean_se : float
        Mean standard error.
    sd : float
        Mean over the items of the sd of their estimates between replications.
    rmse_se : float
        Root mean square, over the items, of mean standard error less sd of the estimates.
    intervals : float
        Share of the estimates that have a standard error.
    """

    bias: Figure
    rmse: Figure
    correlation: Figure
    coverage: Figure
    mean_se: float
    sd: float
    rmse_se: float
    intervals: float


class ByItem(NamedTuple):
    """Figures of each parameter of each item, (I, P), over the replications that converged."""

    truth: Floats
    mean: Floats
    bias: Floats
    bias_error: Floats
    rmse: Floats
    sd: Floats
    mean_se: Floats
    coverage: Floats
    used: Floats  # estimates
    intervals: Floats  # estimates with a standard error


class ByReplication(NamedTuple):
    """Figures of one kind of parameter in each replication, (R,), NaN where it did not converge."""

    bias: Floats
    mean_square: Floats
    correlation: Floats
    coverage: Floats


@dataclass(frozen=True, eq=False)
class Figures:
    """All figures of a study.

    Parameters
    ----------
    kinds : mapping of name to Kind
        Without the kinds that nothing was estimated of.
    replications : mapping of name to ByReplication
    items : ByItem
    converged : (R,) bool
    calibrated, at_bound : (I,) float
        Share of all replications in which an item was calibrated, and in which a parameter of it was at a bound.
    """

    kinds: Mapping[str, Kind]
    replications: Mapping[str, ByReplication]
    items: ByItem
    converged: Bools
    calibrated: Floats
    at_bound: Floats


def figures_of(truth: Truth, replications: Sequence[Replication]) -> Figures:
    """Hold estimates against the truth.

    Parameters
    ----------
    truth : Truth
    replications : sequence of R Replication
    """
    known = reported(truth.parameters)
    converged = np.array([each.converged for each in replications])
    estimates = np.stack([each.estimates for each in replications])
    errors = np.stack([each.errors for each in replications])
    estimates[~converged] = np.nan
    errors[~converged] = np.nan
    items = by_item(known, estimates, errors)
    status = np.stack([each.status for each in replications])
    kinds, parts = {}, {}
    for name, cells in cells_of(truth).items():
        if (items.used[cells] > 0).any():
            parts[name] = by_replication(known[cells], estimates[:, cells], errors[:, cells])
            kinds[name] = _kind(items, cells, parts[name])
    return Figures(
        kinds,
        parts,
        items,
        converged,
        (status <= ItemStatus.FIXED).mean(axis=0),
        (status == ItemStatus.AT_BOUND).mean(axis=0),
    )


def by_item(truth: Floats, estimates: Floats, errors: Floats) -> ByItem:
    """Figures of each parameter.

    Parameters
    ----------
    truth : (I, P) float
    estimates, errors : (R, I, P) float
        NaN where there is none.
    """
    off, there = estimates - truth, np.isfinite(estimates)
    used = there.sum(axis=0)
    bias = _mean(off, there)
    spread = _mean((off - bias) ** 2, there)
    sd = np.sqrt(np.divide(spread * used, used - 1, out=np.full(used.shape, np.nan), where=used > 1))
    interval = np.isfinite(errors) & there
    inside = np.abs(np.nan_to_num(off)) <= REACH * np.nan_to_num(errors)
    return ByItem(
        truth=np.where(used > 0, truth, np.nan),
        mean=truth + bias,
        bias=bias,
        bias_error=sd / np.sqrt(np.maximum(used, 1)),
        rmse=np.sqrt(_mean(off**2, there)),
        sd=sd,
        mean_se=_mean(errors, interval),
        coverage=_mean(inside.astype(np.float64), interval),
        used=used.astype(np.float64),
        intervals=interval.sum(axis=0).astype(np.float64),
    )


def by_replication(truth: Floats, estimates: Floats, errors: Floats) -> ByReplication:
    """Figures of one kind of parameter in each replication.

    Parameters
    ----------
    truth : (M,) float
    estimates, errors : (R, M) float
    """
    off, there = estimates - truth, np.isfinite(estimates)
    interval = np.isfinite(errors) & there
    inside = np.abs(np.nan_to_num(off)) <= REACH * np.nan_to_num(errors)
    return ByReplication(
        bias=_mean(off, there, axis=1),
        mean_square=_mean(off**2, there, axis=1),
        correlation=_correlations(truth, estimates, there),
        coverage=_mean(inside.astype(np.float64), interval, axis=1),
    )


def monte_carlo(values: Floats) -> Figure:
    """Mean of the replications with its standard error; those with NaN are left out.

    Examples
    --------
    >>> monte_carlo(np.array([1.0, 3.0, np.nan]))
    Figure(value=2.0, error=1.0)
    """
    known = values[np.isfinite(values)]
    if known.size == 0:
        return Figure(float("nan"), float("nan"))
    error = float(known.std(ddof=1) / np.sqrt(known.size)) if known.size > 1 else float("nan")
    return Figure(float(known.mean()), error)


def root(square: Figure) -> Figure:
    """Root of a figure, its error by the delta method."""
    value = float(np.sqrt(square.value))
    return Figure(value, square.error / (2.0 * value) if value > 0 else float("nan"))


def _kind(items: ByItem, cells: Bools, parts: ByReplication) -> Kind:
    used, intervals = items.used[cells], items.intervals[cells]
    gap = items.mean_se[cells] - items.sd[cells]
    return Kind(
        bias=monte_carlo(parts.bias),
        rmse=root(monte_carlo(parts.mean_square)),
        correlation=monte_carlo(parts.correlation),
        coverage=monte_carlo(parts.coverage),
        mean_se=_weighted(items.mean_se[cells], intervals),
        sd=_weighted(items.sd[cells], used),
        rmse_se=float(np.sqrt(_weighted(gap**2, intervals))),
        intervals=float(intervals.sum() / used.sum()),
    )


def cells_of(truth: Truth) -> dict[str, Bools]:
    """Where the parameters of each kind stand in the table of all, (I, P)."""
    shape = reported(truth.parameters).shape
    place = np.broadcast_to(np.arange(shape[1]), shape)
    steps = (place > 0) & (place < shape[1] - 2)
    polytomous = np.isin(truth.parameters.model, POLYTOMOUS)[:, None]
    masks = (place == 0, steps, steps & polytomous, place == shape[1] - 2, place == shape[1] - 1)
    return dict(zip(KINDS, masks, strict=True))


def _mean(values: Floats, there: Bools, axis: int = 0) -> Floats:
    """Mean over an axis of what is there; NaN where nothing is."""
    count = there.sum(axis=axis)
    sums = np.where(there, values, 0.0).sum(axis=axis)
    return np.asarray(np.divide(sums, count, out=np.full(sums.shape, np.nan), where=count > 0))


def _weighted(values: Floats, weights: Floats) -> float:
    known = np.isfinite(values) & (weights > 0)
    return float(np.average(values[known], weights=weights[known])) if known.any() else float("nan")


def _correlations(truth: Floats, estimates: Floats, there: Bools) -> Floats:
    """Correlation of truth and estimate in each replication; NaN where one of them does not vary."""
    x, y = np.broadcast_to(truth, estimates.shape), estimates
    dx = np.where(there, x - _mean(x, there, axis=1)[:, None], 0.0)
    dy = np.where(there, y - _mean(y, there, axis=1)[:, None], 0.0)
    length = np.sqrt((dx**2).sum(axis=1) * (dy**2).sum(axis=1))
    varies = length > 1e-12
    return np.asarray(np.divide((dx * dy).sum(axis=1), length, out=np.full(length.shape, np.nan), where=varies))
