"""Distributions of summed scores at given abilities: the recursion of Lord and Wingersky."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from engine.arrays import Floats, Ints
from engine.models import log_probability
from engine.parameters import ItemParameters


class WithoutOne(NamedTuple):
    """One item, and the probability of each summed score on all the others, (S, G)."""

    item: int
    distribution: Floats


def score_distribution(parameters: ItemParameters, nodes: Floats) -> Floats:
    """Probability of each summed score at each ability.

    Parameters
    ----------
    parameters : ItemParameters
        J items.
    nodes : (G,) float
        Abilities.

    Returns
    -------
    (F + 1, G) float
        Scores 0 to F, the sum of the highest categories.

    Notes
    -----
    The recursion of Lord and Wingersky adds one item at a time, S'(s) = sum over k of P_k S(s - k) (Thissen et al. 1995
    for more than two categories). Only positive numbers are added and multiplied: it cannot lose digits.

    References
    ----------
    Lord, F. M., and Wingersky, M. S. (1984). Comparison of IRT true-score and equipercentile observed-score
    "equatings". Applied Psychological Measurement, 8.
    Thissen, D., Pommerich, M., Billeaud, K., and Williams, V. (1995). Item response theory for scores on tests
    including polytomous items with ordered responses. Applied Psychological Measurement, 19.

    Examples
    --------
    >>> coins = ItemParameters.of("1PL", [1.0, 1.0], [0.0, 0.0])
    >>> score_distribution(coins, np.array([0.0])).ravel().tolist()
    [0.25, 0.5, 0.25]
    """
    return _with_items(np.ones((1, nodes.size)), np.exp(log_probability(parameters, nodes)), parameters.categories)


def without_each(p: Floats, categories: Ints) -> Iterator[WithoutOne]:
    """Score distributions that leave out each item in turn, in order.

    Parameters
    ----------
    p : (J, K, G) float
        Category probabilities.
    categories : (J,) int

    Yields
    ------
    WithoutOne

    Notes
    -----
    Dividing an item out of the whole distribution is unstable. Here the items are halved again and again: the
    distribution of all but one half takes in the items of the other half on the way down, J log2(J) additions in all,
    each over all scores and abilities at once.
    """
    if p.shape[0]:
        yield from _halves(np.ones((1, p.shape[2])), p, categories, 0)


def joint(parameters: ItemParameters, nodes: Floats, weights: Floats) -> Floats:
    """Probability of each summed score together with each category of each item, over a population.

    Parameters
    ----------
    parameters : ItemParameters
        J items.
    nodes, weights : (G,) float
        Abilities and their probabilities.

    Returns
    -------
    (J, F + 1, K) float
        Sums to 1 for each item; its sum over the categories is the distribution of the score, whatever the item.

    Examples
    --------
    >>> coins = ItemParameters.of("1PL", [1.0, 1.0], [0.0, 0.0])
    >>> joint(coins, np.array([0.0]), np.array([1.0]))[0].tolist()
    [[0.25, 0.0], [0.25, 0.25], [0.0, 0.25]]
    """
    p = np.exp(log_probability(parameters, nodes))
    categories = parameters.categories
    result = np.zeros((len(parameters), int(np.sum(categories - 1)) + 1, p.shape[1]))
    for item, distribution in without_each(p, categories):
        together = distribution @ (weights * p[item]).T
        for k in range(int(categories[item])):
            result[item, k : k + together.shape[0], k] = together[:, k]
    return result


def _halves(outside: Floats, p: Floats, categories: Ints, first: int) -> Iterator[WithoutOne]:
    if p.shape[0] == 1:
        yield WithoutOne(first, outside)
        return
    middle = p.shape[0] // 2
    yield from _halves(_with_items(outside, p[middle:], categories[middle:]), p[:middle], categories[:middle], first)
    last = _with_items(outside, p[:middle], categories[:middle])
    yield from _halves(last, p[middle:], categories[middle:], first + middle)


def _with_items(distribution: Floats, p: Floats, categories: Ints) -> Floats:
    for chances, count in zip(p, categories.tolist(), strict=True):
        before, distribution = distribution, np.zeros((distribution.shape[0] + count - 1, distribution.shape[1]))
        for k in range(count):
            distribution[k : k + before.shape[0]] += chances[k] * before
    return distribution
