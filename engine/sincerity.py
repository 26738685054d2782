"""Certification answers that tell of lower abilities than the profile which they validate.

Somebody who was helped during the positioning, or did not do it themselves, has a profile that their own answers do not
reach. Falling short by chance is common; the p values say how common.

References
----------
Guo, J., & Drasgow, F. (2010). Identifying cheating on unproctored internet tests: the Z-test and the likelihood ratio
test. International Journal of Selection and Assessment, 18, 351-364.
"""

from typing import NamedTuple

import numpy as np

from engine import latent
from engine.adaptive import Design
from engine.answered import answered, by_competence
from engine.arrays import Bools, Floats, Ints
from engine.covariance import SMALLEST, covariance, covariance_of
from engine.responses import NONE, SKIPPED, TIMED_OUT
from engine.state import Facts
from engine.table import Table
from engine.tails import skewed_below


class Sincerity(NamedTuple):
    """How far the answers fall short of the profile."""

    statistic: Floats  # (*batch,) standardised over all competences, negative where fewer points came than foretold
    p: Floats  # (*batch,) of the two tests below together
    overall: Floats  # (*batch,) p of the sum over all competences
    by_competence: Floats  # (*batch, C) p of each, adjusted by Holm; NaN where nothing was answered
    worst: Ints  # (*batch,) competence with the smallest p, NONE where nothing was answered


def sincerity(design: Design, table: Table, facts: Facts, evidence: Floats) -> Sincerity:
    """Compare the answers of a certification with what the positioning foretells of them.

    With x the points of an answer, m(theta) and v(theta) their mean and variance, and w = E m' / E v, all expectations
    over the posterior of the positioning,

        S = sum of w (x - E m),    Var S = sum of w^2 E v + Var(sum of w m(theta)):

    the luck of the answers, and what the positioning leaves open of the abilities. The second part is exact within a
    competence; between competences it comes from :mod:`engine.covariance`. w gives the greatest power against abilities
    that are all a little lower. The p values are those of Pearson's type III with the third moment of S, one-sided.

    The sum over all competences finds a profile that is too high everywhere; the sums of each competence, adjusted by
    Holm, one that is too high somewhere. The p value of both together is twice the smaller.

    Parameters
    ----------
    design : Design
    table : Table
        Of the certification.
    facts : Facts
        (*batch, L) of the certification. A skip that says "I do not know" earns what a guess would on average, so that
        who does not guess is not suspected for it; where the design takes it as wrong it earns nothing, and where the
        design ignores it, or an item was not reached, it is left out.
    evidence : (*batch, C, G) float
        Log-likelihood of the positioning's answers, untempered.

    Returns
    -------
    Sincerity
    """
    answers = answered(design, facts)
    nodes, count = table.nodes, design.latent.competences
    posterior = latent.posterior(table.links, evidence)
    curves = _points(table)
    own = np.broadcast_to(posterior, (*answers.item.shape[:-1], count, nodes.size))
    belief = np.take_along_axis(own, table.competence[answers.item][..., None], axis=-2)
    foretold = curves[answers.item]
    mean, variance, _, slope = np.moveaxis(np.sum(foretold * belief[..., None, :], axis=-1), -1, 0)
    weight = np.where(variance > SMALLEST, np.maximum(slope, 0.0) / np.maximum(variance, SMALLEST), 0.0)
    powers = np.stack([weight, weight**2, weight**3], axis=-1)[..., None]
    short = weight * (_earned(design, table, facts, answers.category) - mean)
    packed = np.concatenate(
        [foretold[..., :3, :] * powers, np.broadcast_to(short[..., None, None], belief[..., None, :].shape)], axis=-2
    )
    sums = by_competence(table, answers.item, answers.counted, packed, count)
    level, luck, bent = sums[..., 0, :], sums[..., 1, :], sums[..., 2, :]
    statistic = sums[..., 3, 0]
    shared = covariance(design.latent, evidence, posterior, nodes)
    open_ = level - np.sum(own * level, axis=-1, keepdims=True)
    of_each = np.sum(own * (luck + open_**2), axis=-1)
    third_of_each = np.sum(own * (bent + 3.0 * luck * open_ + open_**3), axis=-1)
    cross = covariance_of(luck, level, own, shared, nodes) - np.sum(own * luck * open_, axis=(-2, -1))
    asked = by_competence(table, answers.item, answers.counted, np.ones((*answers.item.shape, 1)), count)[..., 0] > 0
    overall, p = _fallen(
        np.sum(statistic, axis=-1),
        np.sum(own * luck, axis=(-2, -1)) + covariance_of(level, level, own, shared, nodes),
        np.sum(third_of_each, axis=-1) + 3.0 * cross,
        np.asarray(asked.any(axis=-1)),
    )
    each = _holm(_fallen(statistic, of_each, third_of_each, asked)[1], asked)
    filled = np.where(asked, each, 2.0)
    smallest = np.minimum(np.min(filled, axis=-1), 1.0)
    worst = np.where(asked.any(axis=-1), np.argmin(filled, axis=-1), NONE)
    return Sincerity(overall, np.minimum(2.0 * np.minimum(p, smallest), 1.0), p, each, worst)


def _points(table: Table) -> Floats:
    """Mean, variance and third moment of the points of each item, and the slope of the mean, (I, 4, G)."""
    p = np.exp(table.log_evidence[:, : table.categories])
    points = np.arange(table.categories, dtype=np.float64)[:, None]
    mean = np.sum(p * points, axis=1)
    gap = points - mean[:, None]
    slope = np.gradient(mean, table.nodes[1] - table.nodes[0], axis=-1, edge_order=2)
    return np.stack([mean, np.sum(p * gap**2, axis=1), np.sum(p * gap**3, axis=1), slope], axis=1)


def _earned(design: Design, table: Table, facts: Facts, category: Ints) -> Floats:
    """Points of each answer, (*batch, L); of a silence that says "I do not know", those of a guess on average."""
    response = np.asarray(facts.response)
    unknown = np.zeros(response.shape, dtype=bool)
    for code, policy in ((SKIPPED, design.skip), (TIMED_OUT, design.time_out)):
        unknown = unknown | ((response == code) & (policy == "unknown"))
    item = np.maximum(np.asarray(facts.item, dtype=np.int64), 0)
    return np.where(unknown, table.parameters.guessing[item], category)


def _fallen(sums: Floats, variance: Floats, third: Floats, some: Bools) -> tuple[Floats, Floats]:
    """Standardised sums and the probability of lower ones."""
    sd = np.sqrt(np.maximum(variance, SMALLEST))
    z = np.where(some, sums / sd, 0.0)
    return z, np.where(some, skewed_below(z, third / sd**3), 1.0)


def _holm(p: Floats, tested: Bools) -> Floats:
    """Adjust by the number of tests in each row, as :func:`engine.calibration.dif.multiplicity.holm` does one row."""
    last = np.where(tested, p, np.inf)
    order = np.argsort(last, axis=-1, kind="stable")
    ranked = np.take_along_axis(last, order, axis=-1)
    left = np.count_nonzero(tested, axis=-1)[..., None] - np.arange(p.shape[-1])
    raised = np.minimum(np.maximum.accumulate(np.where(left > 0, ranked * np.maximum(left, 1), 0.0), axis=-1), 1.0)
    adjusted = np.empty_like(raised)
    np.put_along_axis(adjusted, order, raised, axis=-1)
    return np.where(tested, adjusted, np.nan)
