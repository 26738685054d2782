"""How plausible are these answers, if the model is true? One-sided p values, small where they are not.

A candidate who knows what is hard and not what is easy has answers of a low likelihood at every ability: somebody else
answered, or the items leaked, or nobody read them.

References
----------
Drasgow, F., Levine, M. V., & Williams, E. A. (1985). Appropriateness measurement with polychotomous item response
models and standardized indices. British Journal of Mathematical and Statistical Psychology, 38, 67-86.
Molenaar, I. W., & Hoijtink, H. (1990). The many null distributions of person fit indices. Psychometrika, 55, 75-106.
Snijders, T. A. B. (2001). Asymptotic null distribution of person fit statistics with estimated person parameter.
Psychometrika, 66, 331-342.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from engine.adaptive import Design
from engine.answered import answered, by_competence, known
from engine.arrays import Floats
from engine.covariance import SMALLEST, covariance, covariance_of
from engine.errors import ResponseError
from engine.models import log_probability
from engine.parameters import ItemParameters
from engine.responses import NOT_REACHED
from engine.state import Facts
from engine.table import Table
from engine.tails import skewed_below

LEAST_LEFT: Final = 0.2
"""Share of the variance at known abilities that is always left. Where competences have few items each, the difference
of two large estimates would at times leave almost nothing; 0.2 is what is left at 3 to 4 items each."""


class Fit(NamedTuple):
    """A statistic and the probability, under the model, of one as extreme; each (*batch,).

    Where nothing was answered or measured the statistic is 0 and p is 1.
    """

    statistic: Floats
    p: Floats


def lz(parameters: ItemParameters, responses: ArrayLike, ability: ArrayLike) -> Fit:
    """l_z at known abilities: (log L - E) / sd, with the p value of a low one.

    Parameters
    ----------
    parameters : ItemParameters
        I items.
    responses : (*batch, I) int
        Categories; a skip or a time-out is the lowest one, ``NOT_REACHED`` is left out.
    ability : (*batch,) float

    Returns
    -------
    Fit
        The p value takes the skewness into account.

    Raises
    ------
    ResponseError
        When the responses do not fit the items.

    Examples
    --------
    >>> rasch = ItemParameters.of("1PL", [1.0, 1.0, 1.0, 1.0], [-2.0, -1.0, 1.0, 2.0])
    >>> lz(rasch, [[1, 1, 0, 0], [0, 0, 1, 1]], [0.0, 0.0]).statistic.round(2).tolist()
    [0.91, -4.49]
    """
    given = np.asarray(responses, dtype=np.int64)
    if given.ndim == 0 or given.shape[-1] != len(parameters) or (given >= parameters.categories).any():
        raise ResponseError(
            f"Responses must end with one column for each of the {len(parameters)} items and hold their categories."
        )
    batch = given.shape[:-1]
    theta = np.broadcast_to(np.asarray(ability, dtype=np.float64), batch).reshape(-1)
    counted = (given != NOT_REACHED).reshape(-1, len(parameters))
    log_p = log_probability(parameters, theta).transpose(2, 0, 1)
    category = np.maximum(given, 0).reshape(-1, len(parameters), 1)
    p, log_p = np.exp(log_p), np.where(np.isfinite(log_p), log_p, 0.0)
    observed = np.take_along_axis(log_p, category, axis=-1)[..., 0]
    mean = np.sum(p * log_p, axis=-1)
    gap = log_p - mean[..., None]
    each = np.stack([observed - mean, np.sum(p * gap**2, axis=-1), np.sum(p * gap**3, axis=-1)])
    statistic, variance, third = np.sum(np.where(counted, each, 0.0), axis=-1)
    return Fit(*(x.reshape(batch) for x in _judged(statistic, variance, third, counted.any(axis=-1))))


def person_fit(design: Design, table: Table, facts: Facts, evidence: Floats | None = None) -> Fit:
    """l_z with unknown abilities, averaged over their posterior on the tree.

    With T(theta) = sum of log P(x | theta) - E log P(X | theta) over the answers, the statistic is E[T | x] over its
    standard deviation. E[T | x] has the mean 0 exactly, whatever items the design chose from earlier answers, and

        Var(E[T | x]) = E[Var(T | theta)] - E[Var(T | x)]:

    what estimating the abilities takes away is the posterior variance of T. Its parts within a competence are exact,
    those between competences come from :mod:`engine.covariance`. The p value is that of Pearson's type III with the
    third moment of sum of (log P - E log P - g s), s being the score and g = Sigma Cov(log P, s).

    Parameters
    ----------
    design : Design
    table : Table
    facts : Facts
        (*batch, L). A skip or a time-out is the lowest category, unless the design ignores it; items not reached are
        left out.
    evidence : (*batch, C, G) float, optional
        Log-likelihood of what is known from before.

    Returns
    -------
    Fit

    Notes
    -----
    Snijders' correction, V - b' Sigma b with b = Cov(log P, s), is the first order of this for many items. At 3 to 6
    items a competence it leaves out most of the loss: the sd of its statistic is then 0.5 to 0.8.
    """
    answers = answered(design, facts)
    nodes = table.nodes
    log_likelihood, posterior = known(design, table, facts, evidence)
    observed = table.log_evidence[answers.item, answers.category]
    curves = np.concatenate([observed[..., None, :], _moments(table)[answers.item]], axis=-2)
    sums = by_competence(table, answers.item, answers.counted, curves, design.latent.competences)
    gap = sums[..., 0, :] - sums[..., 1, :]
    shared = covariance(design.latent, log_likelihood, posterior, nodes)
    _, _, variance, third, cross, *mixed = np.moveaxis(np.sum(sums * posterior[..., None, :], axis=-1), -1, 0)
    whole = np.sum(variance, axis=-1)
    left = np.maximum(whole - covariance_of(gap, gap, posterior, shared, nodes), LEAST_LEFT * whole)
    g = np.einsum("...kl,...l->...k", shared, cross)
    bent = np.sum(third - 3.0 * g * mixed[0] + 3.0 * g**2 * mixed[1] - g**3 * mixed[2], axis=-1)
    return _judged(np.sum(posterior * gap, axis=(-2, -1)), left, bent, answers.counted.any(axis=-1))


def _judged(statistic: Floats, variance: Floats, third: Floats, some: ArrayLike) -> Fit:
    """Standardise and take the lower tail; nothing answered is nothing odd."""
    sd = np.sqrt(np.maximum(variance, SMALLEST))
    z = np.where(some, statistic / sd, 0.0)
    return Fit(z, np.where(some, skewed_below(z, third / sd**3), 1.0))


def _moments(table: Table) -> Floats:
    """Of each item: E log P; second and third central moments; E of c s, c^2 s, c s^2, s^3; (I, 7, G).

    Here c = log P - E log P. The score s = d log P / d theta is taken from the curves on the grid, which know whether
    parameters are uncertain.
    """
    log_p = table.log_evidence[:, : table.categories]
    p = np.exp(log_p)
    log_p = np.where(np.isfinite(log_p), log_p, 0.0)
    slope = np.gradient(p, table.nodes[1] - table.nodes[0], axis=-1, edge_order=2)
    s = np.divide(slope, p, out=np.zeros_like(p), where=p > 0)
    mean = np.sum(p * log_p, axis=1)
    c = log_p - mean[:, None]
    terms = (c**2, c**3, c * s, c**2 * s, c * s**2, s**3)
    return np.stack([mean, *(np.sum(p * term, axis=1) for term in terms)], axis=1)
