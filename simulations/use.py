"""What was asked: length, exposure, overlap, use of the pool."""

from dataclasses import dataclass

import numpy as np

from engine.arrays import Bools, Floats, Ints
from engine.responses import NONE, SKIPPED
from engine.table import Table
from simulations.run import Result


@dataclass(frozen=True)
class Use:
    """What was asked; NaN where it cannot be said.

    Parameters
    ----------
    mean_length : float
        Items asked of a simulee.
    max_exposure : float
        Largest share of simulees asked the same item.
    mean_overlap : float
        Items that two simulees share, divided by the mean length.
    pool_used : float
        Share of the items asked at least once.
    success, skipped : float
        Share of full credit among the answers (skips are none), and share of skips.
    mean_seconds : float
        Time that a simulee takes.
    """

    mean_length: float
    max_exposure: float
    mean_overlap: float
    pool_used: float
    success: float
    skipped: float
    mean_seconds: float


def use_of(table: Table, result: Result, rows: Bools) -> Use:
    """Figures of the items in ``rows`` (I,)."""
    counted = (result.items != NONE) & rows[result.items]
    items = np.where(counted, result.items, NONE)
    exposure = exposure_rates(items, rows.size)
    answers, responses = int(counted.sum()), result.responses[counted]
    full = responses == table.categories_of[items[counted]] - 1
    seconds = np.where(counted, result.seconds, 0.0).sum(axis=1)
    return Use(
        mean_length=answers / len(result),
        max_exposure=float(exposure[rows].max(initial=0.0)),
        mean_overlap=mean_overlap(items, rows.size),
        pool_used=float((exposure[rows] > 0).mean()) if rows.any() else float("nan"),
        success=float(full.mean()) if answers else float("nan"),
        skipped=float((responses == SKIPPED).mean()) if answers else float("nan"),
        mean_seconds=float(seconds.mean()),
    )


def exposure_rates(items: Ints, count: int) -> Floats:
    """Share of runs in which each of ``count`` items was asked; ``items`` (n, L), NONE for no item.

    Examples
    --------
    >>> exposure_rates(np.array([[0, 1], [1, -1]]), 3).tolist()
    [0.5, 1.0, 0.0]
    """
    return np.asarray(np.bincount(items[items != NONE], minlength=count) / items.shape[0])


def mean_overlap(items: Ints, count: int) -> float:
    """Mean number of items that two different runs share, divided by the mean length; exact, from the exposures.

    Chen, Ankenmann and Spray (2003): an item asked of m runs is shared by m (m - 1) / 2 of the n (n - 1) / 2 pairs.

    Examples
    --------
    >>> mean_overlap(np.array([[0, 1], [1, 2]]), 3)
    0.5
    """
    runs, asked = items.shape[0], np.bincount(items[items != NONE], minlength=count).astype(np.float64)
    if runs < 2 or asked.sum() == 0:
        return float("nan")
    return float((asked * (asked - 1)).sum() / (runs - 1) / asked.sum())
