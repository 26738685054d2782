"""Topics in which a learner or a group does worse than the abilities predict.

The residual of a topic, the points obtained less those expected from the abilities, per reply, is the sum of a lasting
difference and of the luck of few replies. Differences are taken as N(0, tau^2) over the topics, tau^2 estimated from
the residuals by the moments of Paule and Mandel: sum of r_t^2 / (tau^2 + v_t) = number of topics. Where the residuals
are no larger than luck makes them, tau is 0, and nothing is told. As tau is only estimated, the sds have the correction
of Morris (1983): without it, intervals of four topics would cover two times in three instead of nine in ten.

References
----------
Efron, B., & Morris, C. (1975). Data analysis using Stein's estimator and its generalizations. Journal of the American
Statistical Association, 70, 311-319.
Morris, C. N. (1983). Parametric empirical Bayes inference: theory and applications. Journal of the American Statistical
Association, 78, 47-55.
Paule, R. C., & Mandel, J. (1982). Consensus values and weighting factors. Journal of Research of the National Bureau of
Standards, 87, 377-385.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from engine.arrays import Bools, Floats, Ints
from engine.errors import DesignError
from engine.ranking import quantised

HALVINGS: Final = 60
"""Of the bracket of tau^2: it ends at the precision of the numbers."""
LEAST_VARIANCE: Final = 1e-4
"""Of a reply, at least: no model is so sure of an answer as to leave less."""


class TopicNeeds(NamedTuple):
    """Residuals of T topics, in points per reply: negative where less was obtained than expected."""

    residual: Floats  # (*batch, T) shrunken; 0 where nothing was asked
    sd: Floats  # (*batch, T) of the lasting difference, around the shrunken residual
    raw: Floats  # (*batch, T) not shrunken; NaN where nothing was asked
    spread: Floats  # (*batch,) tau, sd of the differences over the topics; 0 when nothing differs
    order: Ints  # (*batch, T) topics, the worst first, the lowest row first among equals, those not asked last


def topic_needs(observed: ArrayLike, expected: ArrayLike, variance: ArrayLike, asked: ArrayLike) -> TopicNeeds:
    """Find the topics in which less was obtained than the abilities predict.

    Parameters
    ----------
    observed : (*batch, T) float
        Sum over the replies of the points obtained, from 0 to 1 for each reply.
    expected : (*batch, T) float
        Sum of the points expected given the ability of who replied.
    variance : (*batch, T) float
        Sum of the variances of the points given the ability: p (1 - p) for a reply that is right or wrong.
    asked : (*batch, T) int
        Replies.

    Returns
    -------
    TopicNeeds

    Raises
    ------
    DesignError
        When the arrays do not go together, or a sum cannot be.

    Notes
    -----
    Abilities that were estimated from the same replies make the residuals a little too small. This errs towards saying
    nothing.

    Examples
    --------
    >>> found = topic_needs([20.0, 31.0, 2.0, 0.0], [30.0, 30.0, 3.0, 0.0], [10.0, 10.0, 1.0, 0.0], [50, 50, 5, 0])
    >>> found.residual.round(3).tolist(), found.raw.round(3).tolist(), found.order.tolist()
    ([-0.155, 0.016, -0.052, 0.0], [-0.2, 0.02, -0.2, nan], [0, 2, 1, 3])
    """
    got, foretold, luck = (np.asarray(x, dtype=np.float64) for x in (observed, expected, variance))
    replies = np.asarray(asked, dtype=np.int64)
    if replies.ndim == 0 or not (got.shape == foretold.shape == luck.shape == replies.shape):
        raise DesignError("Each topic needs its points, what was expected, the variance and the replies; align them.")
    sums = np.stack([got, foretold, replies - got, replies - foretold, luck, 0.25 * replies - luck])
    if not (sums >= -1e-6).all():
        raise DesignError("A reply earns 0 to 1 points, with a variance of at most a quarter; correct the sums.")
    heard = replies > 0
    size = np.maximum(replies, 1)
    raw, v = np.where(heard, (got - foretold) / size, 0.0), np.maximum(luck / size, LEAST_VARIANCE) / size
    square = _between(raw, v, heard)[..., None]
    kept = np.where(heard, square / (square + v), 0.0)
    residual = kept * raw
    order = np.argsort(quantised(np.where(heard, residual, np.inf)), axis=-1, kind="stable")
    sd = np.sqrt(square * (1.0 - kept) + _from_spread(raw, v, square, heard))
    return TopicNeeds(residual, sd, np.where(heard, raw, np.nan), np.sqrt(square[..., 0]), order)


def _between(raw: Floats, v: Floats, heard: Bools) -> Floats:
    """Variance of the differences over the topics, (*batch,): the root of a falling function, by halving."""
    topics = np.count_nonzero(heard, axis=-1)
    squares = np.where(heard, raw**2, 0.0)
    low = np.zeros(topics.shape)
    # With tau^2 the sum of the squares, each term is below its share of 1: the sum is at most 1.
    high = squares.sum(axis=-1)
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        more = (squares / (middle[..., None] + v)).sum(axis=-1) > topics
        low, high = np.where(more, middle, low), np.where(more, high, middle)
    exceeds = (squares / v).sum(axis=-1) > topics
    return np.where(exceeds, 0.5 * (low + high), 0.0)


def _from_spread(raw: Floats, v: Floats, square: Floats, heard: Bools) -> Floats:
    """Variance that comes from not knowing tau: Morris' v_i r_i^2, with a mean over the topics known to be 0."""
    topics = np.count_nonzero(heard, axis=-1, keepdims=True)
    usual = np.where(heard, v, 0.0).sum(axis=-1, keepdims=True) / np.maximum(topics, 1)
    shrinkage = v / (square + v)
    doubt = 2.0 / np.maximum(topics - 2, 1) * shrinkage**2 * (usual + square) / (v + square)
    return np.where(heard, doubt * raw**2, 0.0)
