"""Tests of plausibility, by scalars: one answer after the other, one pair after the other, every outcome in turn."""

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np
from scipy.stats import pearson3

from engine.latent import LatentTree
from engine.table import Table
from tests.reference import tree

Row = Sequence[float]


def count_at_least(chances: Row, count: int) -> float:
    """Sum over every outcome of the trials."""
    total = 0.0
    for outcome in itertools.product((0, 1), repeat=len(chances)):
        if sum(outcome) >= count:
            total += math.prod(p if hit else 1.0 - p for p, hit in zip(chances, outcome, strict=True))
    return total


def patterns(table: Table, items: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Every vector of categories that the items can have."""
    return itertools.product(*(range(int(table.categories_of[item])) for item in items))


def probability(table: Table, items: Sequence[int], pattern: Sequence[int], joint: np.ndarray) -> float:
    """Probability of a pattern under a joint distribution of the competences, one axis each."""
    weight = joint.copy()
    for item, category in zip(items, pattern, strict=True):
        shape = [1] * joint.ndim
        shape[int(table.competence[item])] = joint.shape[0]
        weight = weight * np.exp(table.log_evidence[item, category]).reshape(shape)
    return float(weight.sum())


def joint_of(latent: LatentTree, nodes: np.ndarray) -> np.ndarray:
    """Joint distribution of the competences in the population, one axis each."""
    whole = tree.joint(nodes.tolist(), latent.domain_of, latent.domain_loadings, latent.competence_loadings)
    return np.asarray(whole.sum(axis=tuple(range(1 + len(latent.domain_loadings)))))


def person_fit_alone(
    table: Table, items: Sequence[int], categories: Sequence[int], prior: Row, least: float
) -> tuple[float, float, float]:
    """E[T | x], its variance before a floor, and after one, for a single competence."""
    posterior, t, v = [], [], []
    for node, weight in enumerate(prior):
        likelihood, gap, variance = 1.0, 0.0, 0.0
        for item, x in zip(items, categories, strict=True):
            logs = [float(table.log_evidence[item, k, node]) for k in range(int(table.categories_of[item]))]
            mean = sum(math.exp(value) * value for value in logs)
            variance += sum(math.exp(value) * (value - mean) ** 2 for value in logs)
            likelihood *= math.exp(logs[x])
            gap += logs[x] - mean
        posterior.append(weight * likelihood)
        t.append(gap)
        v.append(variance)
    mass = sum(posterior)
    posterior = [value / mass for value in posterior]
    statistic = sum(p * x for p, x in zip(posterior, t, strict=True))
    whole = sum(p * x for p, x in zip(posterior, v, strict=True))
    lost = sum(p * (x - statistic) ** 2 for p, x in zip(posterior, t, strict=True))
    return statistic, whole - lost, max(whole - lost, least * whole)


def sincerity_alone(table: Table, items: Sequence[int], categories: Sequence[int], belief: Row) -> tuple[float, float]:
    """Statistic and p value for a single competence, of which the positioning gave ``belief``."""
    nodes = table.nodes
    step = float(nodes[1] - nodes[0])
    sums = [0.0] * len(belief)
    luck, third, short = [0.0] * len(belief), [0.0] * len(belief), 0.0
    for item, x in zip(items, categories, strict=True):
        p = np.exp(table.log_evidence[item, : int(table.categories_of[item])])
        mean = [sum(k * p[k, g] for k in range(len(p))) for g in range(len(belief))]
        central = [
            [sum(p[k, g] * (k - mean[g]) ** power for k in range(len(p))) for g in range(len(belief))]
            for power in (2, 3)
        ]
        slope = np.gradient(mean, step, edge_order=2)
        weight = float(np.dot(belief, slope)) / float(np.dot(belief, central[0]))
        for g in range(len(belief)):
            sums[g] += weight * mean[g]
            luck[g] += weight**2 * central[0][g]
            third[g] += weight**3 * central[1][g]
        short += weight * (x - float(np.dot(belief, mean)))
    centre = float(np.dot(belief, sums))
    variance = sum(b * (v + (m - centre) ** 2) for b, v, m in zip(belief, luck, sums, strict=True))
    bent = sum(
        b * (k + 3 * v * (m - centre) + (m - centre) ** 3) for b, k, v, m in zip(belief, third, luck, sums, strict=True)
    )
    z = short / math.sqrt(variance)
    return z, float(pearson3.cdf(z, bent / variance**1.5))


def matches(
    table: Table,
    one: dict[int, tuple[int, int]],
    other: dict[int, tuple[int, int]],
    beliefs: tuple[np.ndarray, np.ndarray],
    alike: Row,
) -> tuple[int, int, float]:
    """Items shared, answers alike and the p value of a pair; answers are item: (category, raw answer)."""
    chances, same = [], 0
    for item in sorted(set(one) & set(other)):
        top, chance = int(table.categories_of[item]) - 1, 0.0
        for k in range(top + 1):
            p = np.exp(table.log_evidence[item, k])
            both = math.prod(float(np.dot(belief[table.competence[item]], p)) for belief in beliefs)
            chance += both * (1.0 if k == top else alike[item])
        chances.append(chance)
        (first, raw), (second, raw_too) = one[item], other[item]
        same += first == second and first >= 0 and (first == top or raw == raw_too)
    return len(chances), same, count_at_least(chances, same)
