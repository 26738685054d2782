"""Are ranks uniform? Tests, and the band within which the empirical distribution of uniform ranks stays."""

from typing import Final, NamedTuple

import numpy as np
from scipy.special import gammaln
from scipy.stats import binom, chi2, kstest

from engine.arrays import Floats, Ints
from engine.errors import SettingError

BINS: Final = 20
"""Of the chi-square test."""
POINTS: Final = 50
"""At which the empirical distribution is held against its band."""


class Band(NamedTuple):
    """Counts of n uniform numbers at or below each of K points, from ``lower`` to ``upper``, all at once."""

    points: Floats  # (K,)
    lower: Ints  # (K,)
    upper: Ints  # (K,)


class Uniformity(NamedTuple):
    """How uniform some ranks are."""

    ranks: int
    ks: float
    """Largest distance of the empirical distribution from the uniform one (Kolmogorov and Smirnov)."""
    ks_p: float
    chi_square: float
    """Pearson's statistic over ``BINS`` equal bins."""
    chi_square_p: float
    inside: bool
    """Whether the empirical distribution stays within the band that uniform ranks leave in 5 % of the cases."""


def uniformity(ranks: Floats, band: Band | None = None) -> Uniformity:
    """Test ranks for uniformity.

    Parameters
    ----------
    ranks : (n,) float
        Between 0 and 1; independent of each other.
    band : Band, optional
        :func:`simultaneous_band` of n ranks, when known already.
    """
    if ranks.ndim != 1 or ranks.size < 2 or not ((ranks >= 0) & (ranks <= 1)).all():
        raise SettingError("Ranks must be at least two numbers between 0 and 1.")
    tested = kstest(ranks, "uniform")
    counts = np.bincount(np.minimum((ranks * BINS).astype(np.int64), BINS - 1), minlength=BINS)
    expected = ranks.size / BINS
    statistic = float(np.sum((counts - expected) ** 2) / expected)
    limits = simultaneous_band(ranks.size) if band is None else band
    below = np.searchsorted(np.sort(ranks), limits.points, side="right")
    return Uniformity(
        ranks.size,
        float(tested.statistic),
        float(tested.pvalue),
        statistic,
        float(chi2.sf(statistic, BINS - 1)),
        bool(((below >= limits.lower) & (below <= limits.upper)).all()),
    )


def simultaneous_band(count: int, points: int = POINTS, share: float = 0.95) -> Band:
    """Band that holds the whole empirical distribution of uniform numbers with a probability of ``share`` or more.

    At each point the band is a central interval of the binomial distribution; its tail probability, the same at all
    points, is the largest for which the counts stay inside everywhere often enough, by recursion over the points.

    Parameters
    ----------
    count : int
        Numbers n.
    points : int
        K - 1 of the points k / K, k = 1 .. K - 1, are looked at.
    share : float

    References
    ----------
    Säilynoja, T., Bürkner, P.-C., and Vehtari, A. (2022). Graphical test for discrete uniformity and its applications
    in goodness-of-fit evaluation and multiple sample comparison. Statistics and Computing, 32.

    Examples
    --------
    >>> band = simultaneous_band(100, 10)
    >>> int(band.lower[4]), int(band.upper[4])
    (37, 63)
    """
    at = np.arange(1, points) / points
    low, high = (1.0 - share) / (2 * points), 1.0 - share
    for _ in range(20):
        middle = np.sqrt(low * high)
        if _inside(count, at, *_limits(count, at, middle)) >= share:
            low = middle
        else:
            high = middle
    return Band(at, *_limits(count, at, low))


def _limits(count: int, at: Floats, tails: float) -> tuple[Ints, Ints]:
    lower, upper = (np.asarray(binom.ppf(tail, count, at)) for tail in (0.5 * tails, 1.0 - 0.5 * tails))
    return lower.astype(np.int64), upper.astype(np.int64)


def _inside(count: int, at: Floats, lower: Ints, upper: Ints) -> float:
    """Probability that counts of uniform numbers stay between the limits at all points."""
    log_factorial = gammaln(np.arange(count + 1) + 1.0)
    counts, chance, before = np.zeros(1, dtype=np.int64), np.ones(1), 0.0
    for point, first, last in zip(at.tolist(), lower.tolist(), upper.tolist(), strict=True):
        now = np.arange(first, last + 1)
        more = now[None, :] - counts[:, None]
        left = count - counts[:, None]
        share = (point - before) / (1.0 - before)
        possible = (more >= 0) & (more <= left)
        up, rest = np.where(possible, more, 0), np.where(possible, left - more, 0)
        log_p = log_factorial[left] - log_factorial[up] - log_factorial[rest] + up * np.log(share)
        step = np.exp(np.where(possible, log_p + rest * np.log1p(-share), -np.inf))
        counts, chance, before = now, chance @ step, point
    return float(chance.sum())
