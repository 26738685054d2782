"""Change between two campaigns, of one learner and of a group, told from noise.

Each campaign is read from its own answers alone. With the prior divided out (:mod:`engine.groups.likelihoods`), they
are two measurements of abilities that need not be the same: before and after are bivariate standard normal with a
correlation, the *stability*, and the posterior of their difference is normal and in closed form.

The reliable change index of Jacobson and Truax (1991) divides the difference of two scores by the standard error that
measurement alone gives it, sqrt(v_1 + v_2), and calls it reliable beyond 1.96 (beyond 1.645 for a coverage of 0.9).
Without the prior this is the same verdict. With it, differences are drawn towards nothing and towards the middle of
the population, the more the less was measured: an index from a few answers promises changes that are regression to the
mean.

References
----------
Jacobson, N. S., & Truax, P. (1991). Clinical significance: a statistical approach to defining meaningful change in
psychotherapy research. Journal of Consulting and Clinical Psychology, 59, 12-19.
Maassen, G. H. (2004). The standard error in the Jacobson and Truax Reliable Change Index: the classical approach to
the assessment of reliable change. Journal of the International Neuropsychological Society, 10, 888-893.
"""

from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from engine.arrays import Floats, Ints
from engine.errors import DesignError
from engine.groups.hierarchy import hierarchy
from engine.groups.intervals import mixture_quantile, normal_interval, tail_of
from engine.groups.likelihoods import normal_likelihood

STABILITY: Final = 0.8
"""Correlation of the abilities of learners at two campaigns of a school year; provisional, expert judgement."""
SPREAD: Final = 0.5
"""Scale of the half-normal prior of the sd of the changes of learners."""


class Verdict(IntEnum):
    """What a change is."""

    FELL = -1
    NOISE = 0
    """The interval holds 0: what was seen may be chance."""
    ROSE = 1


class Change(NamedTuple):
    """Change of the ability of learners, each (*batch,); NaN, and NOISE, where a campaign is unknown."""

    mean: Floats
    sd: Floats
    lower: Floats
    upper: Floats
    rose: Floats  # probability that the ability rose
    verdict: Ints  # codes of Verdict


class Progress(NamedTuple):
    """Mean change of the learners of a group; NaN when there are none."""

    mean: float
    sd: float
    lower: float
    upper: float
    rose: float  # probability that the mean rose
    learners: int  # learners measured in both campaigns


def change(
    before_mean: ArrayLike,
    before_sd: ArrayLike,
    after_mean: ArrayLike,
    after_sd: ArrayLike,
    stability: float = STABILITY,
    coverage: float = 0.9,
) -> Change:
    """Change of learners between two campaigns, with its uncertainty.

    With y_1, p_1 and y_2, p_2 the measurements and their precisions, r the stability and
    D = 1 + p_1 + p_2 + (1 - r^2) p_1 p_2, the change is normal with

        mean      (1 - r) [p_2 y_2 (1 + (1 + r) p_1) - p_1 y_1 (1 + (1 + r) p_2)] / D
        variance  (1 - r) [2 + (1 + r) (p_1 + p_2)] / D.

    Parameters
    ----------
    before_mean, before_sd, after_mean, after_sd : (*batch,) float
        Of the posteriors under the prior N(0, 1), each from the answers of that campaign to the competence itself, and
        nothing else (:mod:`engine.groups.likelihoods` says why); NaN where unknown.
    stability : float
        From 0, before says nothing of after, to 1 excluded, where nothing could change.
    coverage : float
        Of the interval, between 0 and 1.

    Returns
    -------
    Change

    Raises
    ------
    DesignError
        When the stability, the coverage or an sd cannot be.

    Examples
    --------
    >>> found = change([-0.5, -0.5], [0.4, 0.2], [0.3, 0.3], [0.4, 0.2])
    >>> found.mean.round(2).tolist(), [Verdict(code).name for code in found.verdict]
    ([0.49, 0.69], ['NOISE', 'ROSE'])
    """
    if not 0.0 <= stability < 1.0:
        raise DesignError(f"The stability of abilities is from 0 to 1, and below 1, not {stability}; correct it.")
    first, second = normal_likelihood(before_mean, before_sd), normal_likelihood(after_mean, after_sd)
    p, q, both = first.precision, second.precision, 1.0 + stability
    scale = (1.0 - stability) / (1.0 + p + q + (1.0 - stability**2) * p * q)
    mean = scale * (second.weighted * (1.0 + both * p) - first.weighted * (1.0 + both * q))
    sd = np.sqrt(scale * (2.0 + both * (p + q)))
    lower, upper = normal_interval(mean, sd, coverage)
    verdict = np.select([lower > 0.0, upper < 0.0], [Verdict.ROSE, Verdict.FELL], Verdict.NOISE)
    return Change(mean, sd, lower, upper, np.asarray(ndtr(mean / sd)), np.asarray(verdict, dtype=np.int64))


def progress(
    before_mean: ArrayLike,
    before_sd: ArrayLike,
    after_mean: ArrayLike,
    after_sd: ArrayLike,
    coverage: float = 0.9,
    *,
    spread_scale: float = SPREAD,
) -> Progress:
    """Mean change of a group between two campaigns, from the learners measured in both.

    The difference of the two measurements of a learner is d_i ~ N(delta, omega^2 + 1 / p_i1 + 1 / p_i2), with delta
    flat and omega half-normal, integrated over a grid.

    Parameters
    ----------
    before_mean, before_sd, after_mean, after_sd : (n,) float
        As for :func:`change`; learners of whom a campaign is unknown, or says nothing, are left out.
    coverage : float
        Of the interval, between 0 and 1.
    spread_scale : float
        Of the half-normal prior of omega, the sd of the changes of learners.

    Returns
    -------
    Progress

    Raises
    ------
    DesignError
        When the arrays do not go together, or a figure cannot be.

    Notes
    -----
    Who took part in both campaigns may differ from who took part in one: the progress is that of the former.

    Examples
    --------
    >>> before = np.linspace(-1.0, 1.0, 25)
    >>> of_class = progress(before, np.full(25, 0.4), before + 0.2, np.full(25, 0.4))
    >>> round(of_class.mean, 2), round(of_class.lower, 2), round(of_class.upper, 2)
    (0.24, 0.03, 0.45)
    """
    tail = tail_of(coverage)
    first, second = normal_likelihood(before_mean, before_sd), normal_likelihood(after_mean, after_sd)
    if first.precision.ndim != 1 or first.precision.shape != second.precision.shape:
        raise DesignError("Progress needs the same learners before and after, in the same order; align them.")
    if not spread_scale > 0.0:
        raise DesignError("The scale of the prior of the spread of changes is positive; correct it.")
    paired = (first.precision > 0.0) & (second.precision > 0.0)
    p, q = first.precision[paired], second.precision[paired]
    if p.size == 0:
        return Progress(np.nan, np.nan, np.nan, np.nan, np.nan, 0)
    # One over the variance of the difference, and the difference times this.
    precision = p * q / (p + q)
    weighted = (second.weighted[paired] * p - first.weighted[paired] * q) / (p + q)
    # Changes of learners are as abilities of one class: with one class, tau and mu drop out.
    found = hierarchy(precision, weighted, np.zeros(p.size, dtype=np.int64), 1, spread_scale, 1.0)
    sds = np.sqrt(found.variance)
    mean = float(found.weight @ found.mean[:, 0])
    return Progress(
        mean=mean,
        sd=float(np.sqrt(found.weight @ (found.variance[:, 0] + (found.mean[:, 0] - mean) ** 2))),
        lower=float(mixture_quantile(found.weight, found.mean, sds, tail)[0]),
        upper=float(mixture_quantile(found.weight, found.mean, sds, 1.0 - tail)[0]),
        rose=float(found.weight @ ndtr(found.mean / sds)[:, 0]),
        learners=int(p.size),
    )
