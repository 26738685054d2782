"""How many learners of a group are at or above the target, and how many at each level.

Given independent learners with the probabilities p_1, ..., p_n of being at or above the target, their number is
Poisson-binomial: the mean is p_1 + ... + p_n, and the distribution is exact, not approximate.

References
----------
Biscarri, W., Zhao, S. D., & Brunner, R. J. (2018). A simple and fast method for computing the Poisson binomial
distribution function. Computational Statistics and Data Analysis, 122, 92-100.
Hong, Y. (2013). On computing the distribution function for the Poisson binomial distribution. Computational Statistics
and Data Analysis, 59, 41-51.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.fft import irfft, next_fast_len, rfft

from engine.arrays import Floats, Ints
from engine.errors import DesignError
from engine.groups.intervals import tail_of
from engine.levels import DECIMALS


class Share(NamedTuple):
    """Share of a group at or above the target, each (*batch,); NaN where no learner is known."""

    estimate: Floats  # expected share
    lower: Floats
    upper: Floats
    learners: Ints  # learners known, of whom this is a share


class LevelDistribution(NamedTuple):
    """Expected number of learners at each level."""

    expected: Floats  # (*batch, C, L + 1)
    learners: Ints  # (*batch, C) learners counted
    unknown: Ints  # (*batch, C) learners left out, of whom nothing is known


def share(above: ArrayLike, coverage: float = 0.9) -> Share:
    """Share of the learners of a group who are at or above the target, with an interval.

    Parameters
    ----------
    above : (*batch, n) float
        P(level >= target | answers) of each learner; NaN for a learner of whom nothing is known, who is left out.
    coverage : float
        Of the interval, between 0 and 1.

    Returns
    -------
    Share
        The interval is central: of the exact distribution of the number, at most (1 - coverage) / 2 lies beyond either
        end. Its ends are shares that a group of this size can have, but for a very small group whose expected share
        lies beyond them: then the interval reaches to it.

    Raises
    ------
    DesignError
        When something is not a probability, or the coverage is not between 0 and 1.

    Notes
    -----
    The interval is about these very learners: what is uncertain is what their answers leave open, not who was drawn.

    Examples
    --------
    >>> of_class = share([0.9, 0.8, 0.6, 0.3, 0.1, 0.95])
    >>> [round(float(figure), 3) for figure in of_class]
    [0.608, 0.333, 0.833, 6.0]
    """
    tail = tail_of(coverage)
    chances = np.asarray(above, dtype=np.float64)
    known = ~np.isnan(chances)
    p = np.where(known, chances, 0.0)
    if p.ndim == 0 or not ((p >= 0.0) & (p <= 1.0)).all():
        raise DesignError("Probabilities, one for each learner along the last axis, lie between 0 and 1; correct them.")
    learners = np.count_nonzero(known, axis=-1)
    below = np.round(np.cumsum(count_distribution(p), axis=-1), DECIMALS)
    lower = np.count_nonzero(below < round(tail, DECIMALS), axis=-1)
    upper = np.count_nonzero(below < round(1.0 - tail, DECIMALS), axis=-1)
    counts = np.stack([p.sum(axis=-1), lower, upper])
    # The mean of few learners, all nearly certain, may lie beyond the quantiles: 0.04 of one learner, and [0, 0].
    counts[1], counts[2] = np.minimum(counts[0], counts[1]), np.maximum(counts[0], counts[2])
    shares = np.full(counts.shape, np.nan)
    np.divide(counts, learners, out=shares, where=learners > 0)
    estimate, first, last = np.minimum(shares, 1.0)
    return Share(estimate, first, last, np.asarray(learners, dtype=np.int64))


def count_distribution(chances: ArrayLike) -> Floats:
    """Distribution of the number of successes in independent trials of unequal chances.

    Parameters
    ----------
    chances : (*batch, n) float
        Of each trial; 0 pads.

    Returns
    -------
    (*batch, n + 1) float

    Notes
    -----
    Distributions of parts of the trials are convolved in pairs, then in pairs of pairs, by FFT: n (log n)^2 work, and
    an error of about 1e-16 on every probability. For small tails to their last digits see
    :func:`engine.tails.count_at_least`.

    Examples
    --------
    >>> count_distribution([0.5, 0.5, 0.1]).round(4).tolist()
    [0.225, 0.475, 0.275, 0.025]
    """
    p = np.asarray(chances, dtype=np.float64)
    trials = p.shape[-1]
    if trials == 0:
        return np.ones((*p.shape[:-1], 1))
    padded = np.zeros((*p.shape[:-1], 1 << (trials - 1).bit_length()))
    padded[..., :trials] = p
    mass = np.stack([1.0 - padded, padded], axis=-1)
    while mass.shape[-2] > 1:
        size = 2 * mass.shape[-1] - 1
        length = next_fast_len(size, real=True)
        waves = rfft(mass, length, axis=-1)
        mass = irfft(waves[..., ::2, :] * waves[..., 1::2, :], length, axis=-1)[..., :size]
    return np.asarray(np.maximum(mass[..., 0, : trials + 1], 0.0))


def level_distribution(probabilities: ArrayLike) -> LevelDistribution:
    """Count the learners of a group expected at each level.

    Parameters
    ----------
    probabilities : (*batch, n, C, L + 1) float
        Of each level, for each learner and competence; NaN where a learner is unknown.

    Returns
    -------
    LevelDistribution

    Notes
    -----
    Levels told to learners are the highest that are more likely reached than not; counting these would make learners of
    whom little is known look alike. The expected numbers spread each learner over the levels that may be theirs.

    Examples
    --------
    >>> spread = level_distribution([[[0.2, 0.8]], [[0.5, 0.5]], [[np.nan, np.nan]]])
    >>> spread.expected.tolist(), spread.learners.tolist(), spread.unknown.tolist()
    ([[0.7, 1.3]], [2], [1])
    """
    each = np.asarray(probabilities, dtype=np.float64)
    if each.ndim < 3:
        raise DesignError("Levels of a group need the axes learner, competence and level; add those that lack.")
    unknown = np.asarray(np.isnan(each).any(axis=-1))
    learners = np.asarray(np.count_nonzero(~unknown, axis=-2), dtype=np.int64)
    expected = np.where(unknown[..., None], 0.0, each).sum(axis=-3)
    return LevelDistribution(expected, learners, each.shape[-3] - learners)
