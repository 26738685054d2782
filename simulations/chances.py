"""Chances of simulees: one item each at one ability each, where the engine evaluates all items at all abilities.

Written from the formulas of the models, apart from :mod:`engine.models`; a test holds the two against each other.
"""

import numpy as np
from scipy.special import expit

from engine.arrays import Floats, Ints
from engine.parameters import ItemParameters, Model


def chances(parameters: ItemParameters, item: Ints, ability: Floats) -> Floats:
    """Probability of at least category 1, 2, ... K - 1.

    Parameters
    ----------
    parameters : ItemParameters
    item : (n,) int
        Rows.
    ability : (n,) float

    Returns
    -------
    (K - 1, n) float
        K is the largest number of categories of the bank; 0 for categories that an item does not have.
    """
    a, b = parameters.discrimination[item], parameters.difficulty[item]
    c, d = parameters.guessing[item], parameters.slipping[item]
    first = c + (d - c) * expit(a * (ability - b))
    if parameters.thresholds.shape[1] == 0:
        return first[None]
    thresholds, model = parameters.thresholds[item].T, parameters.model[item]
    exists = np.isfinite(thresholds)
    z = np.where(exists, a * (ability - np.where(exists, thresholds, 0.0)), 0.0)
    result = np.where(exists, np.where(model == Model.GRM, expit(z), _at_least(z, exists)), 0.0)
    result[0] = np.where(model <= Model.FOUR_PL, first, result[0])
    return result


def knowing(parameters: ItemParameters, item: Ints, ability: Floats) -> Floats:
    """Probability of credit without guessing, (n,); parameters as for :func:`chances`."""
    logistic = parameters.model[item] <= Model.FOUR_PL
    z = parameters.discrimination[item] * (ability - parameters.difficulty[item])
    without = parameters.slipping[item] * expit(z)
    if logistic.all():
        return np.asarray(without)
    return np.where(logistic, without, chances(parameters, item, ability)[0])


def _at_least(z: Floats, exists: Floats) -> Floats:
    """Generalised partial credit: sums of the softmax of the climb, from the top down, (K - 1, n)."""
    climb = np.concatenate([np.zeros((1, z.shape[1])), np.cumsum(z, axis=0)])
    weight = np.exp(climb - climb.max(axis=0))
    weight[1:] *= exists
    return np.asarray(np.cumsum(weight[:0:-1], axis=0)[::-1] / weight.sum(axis=0))
