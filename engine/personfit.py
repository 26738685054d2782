"""How plausible are these answers, if the model is true? One-sided p values, small where they are not.

References
----------
Drasgow, F., Levine, M. V., & Williams, E. A. (1985). Appropriateness measurement with polychotomous item response
models and standardized indices. British Journal of Mathematical and Statistical Psychology, 38, 67-86.
Snijders, T. A. B. (2001). Asymptotic null distribution of person fit statistics with estimated person parameter.
Psychometrika, 66, 331-342.
"""

from typing import NamedTuple

import numpy as np

from engine.adaptive import Design
from engine.answered import answered, by_competence, known
from engine.arrays import Floats
from engine.covariance import SMALLEST, covariance, covariance_of
from engine.state import Facts
from engine.table import Table
from engine.tails import skewed_below

DEBUG={}
class Fit(NamedTuple):
    """A statistic and the probability of one as extreme, each (*batch,)."""

    statistic: Floats
    p: Floats


def person_fit(design: Design, table: Table, facts: Facts, evidence: Floats | None = None, which="A", skew=True, floor=.02) -> Fit:
    answers = answered(design, facts)
    competences, nodes = design.latent.competences, table.nodes
    belief = known(design, table, facts, evidence)
    observed = table.log_evidence[answers.item, answers.category]
    per_item = _moments(table)
    stacked = np.concatenate([observed[..., None, :], per_item[answers.item]], axis=-2)
    sums = by_competence(table, answers.item, answers.counted, stacked, competences)
    gap = sums[..., 0, :] - sums[..., 1, :]
    post = belief.posterior
    shared = covariance(design.latent, belief.log_likelihood, post, nodes)
    expected = np.sum(sums * post[..., None, :], axis=-1)  # (*batch, C, 8)
    statistic = np.sum(post * gap, axis=(-1, -2))
    variance = expected[..., 2].sum(-1)
    b = expected[..., 4]
    slope = np.einsum("...kl,...l->...k", shared, b)
    if which == "A":
        left = variance - covariance_of(gap, gap, post, shared, nodes)
    elif which in "DE":
        J = expected[..., 8]
        e2 = expected[..., 9]
        sh2 = shared**2
        trM = np.sum(np.diagonal(shared, axis1=-2, axis2=-1) * J, -1)
        trM2 = np.einsum("...k,...kl,...l->...", J, sh2, J)
        q = J + e2
        left = variance - np.sum(b * slope, axis=-1) - trM + trM2 - 0.5 * np.einsum("...k,...kl,...l->...", q, sh2, q)
    else:
        left = variance - np.sum(b * slope, axis=-1)
    left = np.maximum(left, floor * variance + SMALLEST)
    third = np.sum(expected[..., 3] - 3 * slope * expected[..., 5] + 3 * slope**2 * expected[..., 6] - slope**3 * expected[..., 7], axis=-1)
    DEBUG.update(V=variance,left=left,T=statistic)
    z = statistic / np.sqrt(left)
    sk = third / left**1.5
    return Fit(z, skewed_below(z, sk if skew else 0 * sk)), sk


def _moments(table: Table) -> Floats:
    """Expected log P, its variance and third moment, and moments with the score s = d log P / d theta, (I, 7, G)."""
    log_p = table.log_evidence[:, : table.categories]
    p = np.exp(log_p)
    exists = p > 0
    w = np.where(exists, log_p, 0.0)
    first = np.gradient(p, table.nodes[1]-table.nodes[0], axis=-1, edge_order=2)
    s = np.where(exists, first / np.where(exists, p, 1.0), 0.0)
    mean = np.sum(p * w, axis=1)
    c = w - mean[:, None]
    second = np.gradient(first, table.nodes[1]-table.nodes[0], axis=-1, edge_order=2)
    info=np.sum(p*s**2,axis=1); e2=np.sum(second*w,axis=1)+info
    terms = (c**2, c**3, c * s, c**2 * s, c * s**2, s**3)
    return np.stack([mean, *(np.sum(p * t, axis=1) for t in terms), info, e2], axis=1)
