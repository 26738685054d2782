"""The latent tree by brute force: the whole joint distribution, one axis for each ability."""

import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def population(nodes: Sequence[float]) -> list[float]:
    density = [math.exp(-0.5 * x * x) for x in nodes]
    return [value / sum(density) for value in density]


def transition(nodes: Sequence[float], loading: float) -> list[list[float]]:
    """P(child node, second | parent node, first): normal about loading * parent, normalised over the nodes."""
    rows = []
    for parent in nodes:
        density = [math.exp(-0.5 * (child - loading * parent) ** 2 / (1.0 - loading**2)) for child in nodes]
        rows.append([value / sum(density) for value in density])
    return rows


def joint(
    nodes: Sequence[float],
    domain_of: Sequence[int],
    domain_loadings: Sequence[float],
    competence_loadings: Sequence[float],
) -> Array:
    """P(root, domains, competences) on the grid, with the axes in that order."""
    domains, competences = len(domain_loadings), len(domain_of)
    whole = np.ones((len(nodes),) * (1 + domains + competences))

    def place(table: Sequence[Sequence[float]], parent: int, child: int) -> Array:
        shape = [1] * whole.ndim
        shape[parent] = shape[child] = len(nodes)
        return np.array(table).reshape(shape)  # a parent's axis always comes before its child's

    whole *= np.array(population(nodes)).reshape(-1, *[1] * (whole.ndim - 1))
    for domain, loading in enumerate(domain_loadings):
        whole *= place(transition(nodes, loading), 0, 1 + domain)
    for competence, (domain, loading) in enumerate(zip(domain_of, competence_loadings, strict=True)):
        whole *= place(transition(nodes, loading), 1 + domain, 1 + domains + competence)
    return whole


def posteriors(
    nodes: Sequence[float],
    domain_of: Sequence[int],
    domain_loadings: Sequence[float],
    competence_loadings: Sequence[float],
    log_likelihood: Array,
) -> Array:
    """Posterior of each competence, (C, G), given log-likelihoods (C, G), by summing the joint over all the others."""
    whole = joint(nodes, domain_of, domain_loadings, competence_loadings)
    first = 1 + len(domain_loadings)
    for competence, line in enumerate(log_likelihood):
        shape = [1] * whole.ndim
        shape[first + competence] = len(nodes)
        whole = whole * np.exp(line).reshape(shape)
    marginals = [
        whole.sum(axis=tuple(axis for axis in range(whole.ndim) if axis != first + competence))
        for competence in range(len(domain_of))
    ]
    return np.array([marginal / marginal.sum() for marginal in marginals])


def correlations(whole: Array, nodes: Sequence[float], axes: Sequence[int]) -> Array:
    """Correlations between the abilities of some axes of a joint distribution."""

    def mean(power: dict[int, int]) -> float:
        total = whole
        for axis in reversed(range(whole.ndim)):
            total = total @ np.array(nodes) ** power.get(axis, 0)
        return float(total)

    result = np.eye(len(axes))
    for i, j in itertools.combinations(range(len(axes)), 2):
        a, b = axes[i], axes[j]
        covariance = mean({a: 1, b: 1}) - mean({a: 1}) * mean({b: 1})
        variances = [mean({axis: 2}) - mean({axis: 1}) ** 2 for axis in (a, b)]
        result[i, j] = result[j, i] = covariance / math.sqrt(math.prod(variances))
    return result
