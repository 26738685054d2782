"""Comparison of classes with partial pooling: what a small class says is read with what the others say.

The mean of a class of eight learners jumps about by chance. How much is chance is known from the answers, and how much
classes differ, from all classes together; the best estimate of a class lies between its own mean and that of all, the
closer to all the fewer its learners (Gelman et al., 2013, chapter 5). The model is :mod:`engine.groups.hierarchy`.

References
----------
Gelman, A., Carlin, J. B., Stern, H. S., Dunson, D. B., Vehtari, A., & Rubin, D. B. (2013). Bayesian data analysis (3rd
ed.). Chapman & Hall/CRC.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from engine.arrays import Floats, Ints
from engine.errors import DesignError
from engine.groups.hierarchy import hierarchy
from engine.groups.intervals import mixture_quantile, tail_of
from engine.groups.likelihoods import normal_likelihood

WITHIN: Final = 1.0
"""Scale of the half-normal prior of the sd of abilities in a class: that of the population."""
BETWEEN: Final = 0.5
"""Scale of the half-normal prior of the sd between classes: a quarter of the variance of abilities."""


class Pooled(NamedTuple):
    """Means of J classes; NaN where nothing is known of any learner."""

    mean: Floats  # (J,) pooled; for a class without learners, what its population foretells
    sd: Floats  # (J,)
    lower: Floats  # (J,)
    upper: Floats  # (J,)
    raw: Floats  # (J,) of the own learners alone, weighted by precision; NaN for a class without learners
    weight: Floats  # (J,) share of the own learners in the pooled mean; 1 is not pooled
    count: Ints  # type: ignore[assignment]  # (J,) learners whose answers say something; hides tuple.count
    within: float  # sd of abilities in a class, posterior mean
    between: float  # sd of the means of classes, posterior mean; NaN where fewer than two classes have learners
    above: Floats  # (J, K) probability that a learner of the class is at or above each cut


def pool(
    mean: ArrayLike,
    sd: ArrayLike,
    group: ArrayLike,
    groups: int,
    coverage: float = 0.9,
    cuts: ArrayLike = (),
    *,
    within_scale: float = WITHIN,
    between_scale: float = BETWEEN,
) -> Pooled:
    """Estimate the means of classes, each read with the others.

    Parameters
    ----------
    mean, sd : (n,) float
        Of the posterior of each learner under the prior N(0, 1), from the answers to the competence itself, without
        what the tree passes on (:mod:`engine.groups.likelihoods` says why). Learners whose sd is NaN, or
        1 or more, carry nothing and are left out.
    group : (n,) int
        Class of each learner, from 0.
    groups : int
        Number of classes J.
    coverage : float
        Of the intervals, between 0 and 1.
    cuts : (K,) float
        Abilities: cuts of levels, e.g. that of the target.
    within_scale, between_scale : float
        Of the half-normal priors of the sd within classes and between them.

    Returns
    -------
    Pooled
        ``above`` is about any learner of such a class, one whose answers are not known yet too. What is known of the
        learners of today, :func:`engine.groups.shares.share` tells better.

    Raises
    ------
    DesignError
        When the arrays do not go together, or a figure cannot be.

    Examples
    --------
    Two learners far above the others weigh less than twenty:

    >>> ability = np.concatenate([np.linspace(-1.0, 1.0, 20), [1.0, 1.2], np.linspace(-0.8, 1.2, 20)])
    >>> pooled = pool(ability, np.full(42, 0.5), np.repeat([0, 1, 2], [20, 2, 20]), 3)
    >>> pooled.raw.round(2).tolist(), pooled.mean.round(2).tolist(), pooled.weight.round(2).tolist()
    ([-0.0, 1.47, 0.27], [0.09, 0.65, 0.26], [0.81, 0.39, 0.81])
    """
    tail = tail_of(coverage)
    told, row, limits = normal_likelihood(mean, sd), np.asarray(group), np.asarray(cuts, dtype=np.float64)
    if groups < 1 or told.precision.ndim != 1 or row.shape != told.precision.shape or limits.ndim != 1:
        raise DesignError("Each learner needs a mean, an sd and a class, and cuts are a list; align them.")
    if row.size and not (np.issubdtype(row.dtype, np.integer) and row.min() >= 0 and row.max() < groups):
        raise DesignError(f"Classes are numbered from 0 to {groups - 1}; correct the class of each learner.")
    if not (within_scale > 0.0 and between_scale > 0.0):
        raise DesignError("The scales of the priors are positive; correct them.")
    carries = told.precision > 0.0
    members = row[carries].astype(np.int64)
    count = np.bincount(members, minlength=groups)
    if members.size == 0:
        nan = np.full(groups, np.nan)
        return Pooled(nan, nan, nan, nan, nan, nan, count, np.nan, np.nan, np.full((groups, limits.size), np.nan))
    found = hierarchy(told.precision[carries], told.weighted[carries], members, groups, within_scale, between_scale)
    spread = np.sqrt(found.variance)
    centre = found.weight @ found.mean
    predictive = np.sqrt(found.variance + found.within[:, None] ** 2)
    above = [found.weight @ ndtr((found.mean - cut) / predictive) for cut in limits]
    return Pooled(
        mean=centre,
        sd=np.sqrt(found.weight @ (found.variance + (found.mean - centre) ** 2)),
        lower=mixture_quantile(found.weight, found.mean, spread, tail),
        upper=mixture_quantile(found.weight, found.mean, spread, 1.0 - tail),
        raw=np.where(count > 0, found.weight @ found.raw, np.nan),
        weight=found.weight @ found.own,
        count=count,
        within=float(found.weight @ found.within),
        # One class alone says nothing of how classes differ.
        between=float(found.weight @ found.between) if np.count_nonzero(count) > 1 else np.nan,
        above=np.stack(above, axis=-1) if above else np.empty((groups, 0)),
    )
