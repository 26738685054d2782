"""How close the estimates come, and whether their uncertainty is told rightly.

Intervals are central intervals of the posterior, between its quantiles (not mean plus or minus so many sd).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.arrays import Bools, Floats, Ints
from engine.profile import Knowledge
from simulations.run import Result

EDGES: Final = tuple(np.arange(-2.75, 3.0, 0.5).tolist())
"""Limits between the bins of ability; the outer bins are open."""


@dataclass(frozen=True)
class Precision:
    """How close the estimates come; NaN where it cannot be said.

    Parameters
    ----------
    bias, rmse, mean_se : float
        Mean error, root of the mean squared error, mean posterior sd.
    correlation : float
        Between true and estimated abilities.
    coverage_90, coverage_95 : float
        Share of true abilities inside the central intervals of the posterior.
    level_exact, level_within_one : float
        Share of levels found exactly, or one off at most.
    measured, estimated, unknown : float
        Share of the profiles' entries in that state.
    """

    bias: float
    rmse: float
    mean_se: float
    correlation: float
    coverage_90: float
    coverage_95: float
    level_exact: float
    level_within_one: float
    measured: float
    estimated: float
    unknown: float


@dataclass(frozen=True, eq=False)
class Conditional:
    """Precision by true ability, over B bins; NaN in empty ones."""

    ability: Floats
    """(B,) mean true ability."""
    count: Ints
    """(B,) abilities in the bin."""
    bias: Floats
    rmse: Floats
    mean_se: Floats
    coverage_95: Floats


def precision_of(result: Result, off: Ints, known: Ints, columns: Sequence[int]) -> Precision:
    """Precision pooled over the simulees and some competences.

    Parameters
    ----------
    result : Result
    off : (n, C) int
        Level found minus true level.
    known : (n, C) int
        Codes of engine.profile.Knowledge.
    columns : sequence of int
        The competences.
    """
    chosen = list(columns)
    true, found = result.abilities[:, chosen].ravel(), result.mean[:, chosen].ravel()
    error = found - true
    distance = np.abs(off[:, chosen])
    states = known[:, chosen]
    no_levels = result.levels.shape[-1] == 1
    varied = bool(np.ptp(true) > 0 and np.ptp(found) > 0)
    return Precision(
        bias=float(error.mean()),
        rmse=float(np.sqrt((error**2).mean())),
        mean_se=float(result.sd[:, chosen].mean()),
        correlation=float(np.corrcoef(true, found)[0, 1]) if varied else float("nan"),
        coverage_90=float(_inside(result, chosen, 1, 2).mean()),
        coverage_95=float(_inside(result, chosen, 0, 3).mean()),
        level_exact=float("nan") if no_levels else float((distance == 0).mean()),
        level_within_one=float("nan") if no_levels else float((distance <= 1).mean()),
        measured=float((states == Knowledge.MEASURED).mean()),
        estimated=float((states == Knowledge.ESTIMATED).mean()),
        unknown=float((states == Knowledge.UNKNOWN).mean()),
    )


def conditional(result: Result, scope: Sequence[int], edges: Sequence[float] = EDGES) -> Conditional:
    """Precision by true ability, pooled over the competences in ``scope``."""
    columns = list(scope)
    true = result.abilities[:, columns].ravel()
    error = result.mean[:, columns].ravel() - true
    where = np.searchsorted(np.asarray(edges), true, side="right")
    count = np.bincount(where, minlength=len(edges) + 1)
    inside = _inside(result, columns, 0, 3).ravel()

    def means(values: Floats) -> Floats:
        sums = np.bincount(where, weights=values, minlength=count.size)
        return np.asarray(np.divide(sums, count, out=np.full(count.size, np.nan), where=count > 0))

    return Conditional(
        ability=means(true),
        count=count.astype(np.int64),
        bias=means(error),
        rmse=np.sqrt(means(error**2)),
        mean_se=means(result.sd[:, columns].ravel()),
        coverage_95=means(inside.astype(np.float64)),
    )


def _inside(result: Result, columns: Sequence[int], lower: int, upper: int) -> Bools:
    """Whether the true abilities lie between two of the quantiles of simulations.run.SHARES."""
    true, ends = result.abilities[:, list(columns)], result.quantiles[:, list(columns)]
    return np.asarray((ends[..., lower] <= true) & (true <= ends[..., upper]))
