"""First and second moments of the categories of J items: observed, expected, their covariance, their derivatives.

The moments are E[Y_i] of each item, then E[Y_i Y_j] of each pair i < j in the order of ``numpy.triu_indices``:
J (J + 1) / 2 in all. For items of two categories they say all that one- and two-way tables say.
"""

from typing import NamedTuple

import numpy as np

from engine.arrays import Bools, Floats, Ints
from engine.parameters import ItemParameters, Model
from engine.working import Slopes


class Given(NamedTuple):
    """What items do at each node: weights of the nodes (G,), mean and variance of each category number (J, G)."""

    weights: Floats
    mean: Floats
    variance: Floats


def given_ability(log_p: Floats, weights: Floats) -> Given:
    """Mean and variance of the categories at each node, from log probabilities (J, K, G)."""
    p = np.exp(log_p)
    score = np.arange(p.shape[1], dtype=np.float64)
    mean = np.einsum("jkg,k->jg", p, score)
    return Given(weights, mean, np.sum(p * (score[:, None] - mean[:, None]) ** 2, axis=1))


def pairs(count: int) -> tuple[Ints, Ints]:
    """First and second item of each pair."""
    first, second = np.triu_indices(count, 1)
    return first.astype(np.int64), second.astype(np.int64)


def observed(categories: Floats) -> Floats:
    """Moments of N complete rows (N, J)."""
    first, second = pairs(categories.shape[1])
    products = categories.T @ categories / categories.shape[0]
    return np.concatenate([categories.mean(axis=0), products[first, second]])


def expected(given: Given) -> Floats:
    """Moments under the model."""
    first, second = pairs(given.mean.shape[0])
    weighted = given.mean * given.weights
    return np.concatenate([weighted.sum(axis=1), (weighted @ given.mean.T)[first, second]])


def covariance(given: Given) -> Floats:
    """Covariance of the moments of one learner under the model, (M, M) for M moments.

    Notes
    -----
    At a given ability the items are independent, so that the expectation of a product of two moments is the integral of
    a product of means, except where they share an item: there E[Y^2] = E[Y]^2 + Var Y takes the place of E[Y]^2. The
    moments that share an item i are a block of J by J, to which the integral of Var Y_i times their other factors is
    added.
    """
    count = given.mean.shape[0]
    first, second = pairs(count)
    every = np.concatenate([given.mean, given.mean[first] * given.mean[second]])
    centre = every @ given.weights
    result: Floats = np.column_stack([every * given.weights, -centre]) @ np.column_stack([every, centre]).T
    place = np.zeros((count, count), dtype=np.int64)
    place[first, second] = place[second, first] = count + np.arange(first.size)
    np.fill_diagonal(place, np.arange(count))
    for item in range(count):
        others = given.mean.copy()
        others[item] = 1.0
        result[np.ix_(place[item], place[item])] += (others * (given.weights * given.variance[item])) @ others.T
    both = np.arange(first.size) + count
    result[both, both] += (given.variance[first] * given.variance[second]) @ given.weights
    return result


def by_items(given: Given, slopes: Slopes) -> Floats:
    """Differentiate the moments in the working parameters of the items, (M, J, P)."""
    count, most, size, _ = slopes.by_parameter.shape
    p = np.exp(slopes.log_p) * np.arange(most)[:, None]
    rise = np.einsum("jkg,jkpg->jpg", p, slopes.by_parameter) * given.weights
    with_other = rise @ given.mean.T
    first, second = pairs(count)
    result = np.zeros((count + first.size, count, size))
    item, pair = np.arange(count), np.arange(first.size) + count
    result[item, item] = rise.sum(axis=2)
    result[pair, first] = with_other[first, :, second]
    result[pair, second] = with_other[second, :, first]
    return result


def by_population(given: Given, nodes: Floats) -> Floats:
    """Differentiate the moments in the mean and the standard deviation of a normal population, (M, 2)."""
    first, second = pairs(given.mean.shape[0])
    every = np.concatenate([given.mean, given.mean[first] * given.mean[second]])
    mean = given.weights @ nodes
    sd = np.sqrt(given.weights @ (nodes - mean) ** 2)
    scores = np.stack([(nodes - mean) / sd**2, (nodes - mean) ** 2 / sd**3], axis=1)
    scores -= given.weights @ scores
    return np.asarray(every @ (given.weights[:, None] * scores))


def free_columns(by_item: Floats, parameters: ItemParameters, free: Bools) -> Floats:
    """Columns (M, F) of free parameters; the free slopes of 1PL items are one parameter."""
    shared = free[:, 0] & (parameters.model == Model.ONE_PL)
    own = free.copy()
    own[shared, 0] = False
    columns = by_item[:, own]
    return np.column_stack([columns, by_item[:, shared, 0].sum(axis=1)]) if shared.any() else columns


def correlations(moments: Floats, variance: Floats) -> Floats:
    """Correlation of each pair, from moments (M,) and variances (J,)."""
    count = variance.size
    first, second = pairs(count)
    mean = moments[:count]
    return np.asarray((moments[count:] - mean[first] * mean[second]) / np.sqrt(variance[first] * variance[second]))
