"""Abilities of the population: the mean and sd of each group in each competence.

The first group is the reference, N(0, 1), unless parameters that are held give the scale: then every group is free.
"""

from typing import Final, NamedTuple

import numpy as np

from engine.arrays import Bools, Floats

FEWEST: Final = 2.0
"""A group with fewer learners stays where it is: it has no mean and sd to move to."""


class Population(NamedTuple):
    """Means and standard deviations of Q groups in C competences, each (Q, C)."""

    mean: Floats
    sd: Floats


def log_weights(population: Population, nodes: Floats) -> Floats:
    """Log probabilities of the nodes in each group and competence, normalised over the grid, (Q, C, G)."""
    z = (nodes - population.mean[..., None]) / population.sd[..., None]
    density = -0.5 * z**2
    density -= density.max(axis=-1, keepdims=True)
    return np.asarray(density - np.log(np.exp(density).sum(axis=-1, keepdims=True)))


def moments(mass: Floats, nodes: Floats) -> tuple[Floats, Population]:
    """Learners, means and sds of expected masses (Q, C, G)."""
    sums = mass @ np.column_stack([np.ones_like(nodes), nodes, nodes**2])
    count = np.maximum(sums[..., 0], 1e-300)
    mean = sums[..., 1] / count
    return count, Population(mean, np.sqrt(np.maximum(sums[..., 2] / count - mean**2, 1e-12)))


def maximised(population: Population, mass: Floats, nodes: Floats, free: Bools) -> tuple[Population, Floats]:
    """M-step of the free groups, with its gradient in complete-data standard errors.

    Parameters
    ----------
    population : Population
    mass : (Q, C, G) float
        Expected learners at each node.
    nodes : (G,) float
    free : (Q, C) bool

    Returns
    -------
    population : Population
    gradient : (2, Q, C) float
        Derivatives of the log-likelihood in the mean and in log sd, over the square roots of their information.

    Notes
    -----
    The density on the grid is a truncated normal, whose moments are not exactly its parameters: both sides of the
    moment equations are taken on the grid, so that the gradient is 0 where the iterations rest.
    """
    count, found = moments(mass, nodes)
    _, now = moments(np.exp(log_weights(population, nodes)), nodes)
    root = np.sqrt(count)
    of_mean = root * (found.mean - now.mean) / population.sd
    second = (found.sd**2 + (found.mean - population.mean) ** 2) / population.sd**2
    here = (now.sd**2 + (now.mean - population.mean) ** 2) / population.sd**2
    of_sd = root * (second - here) / np.sqrt(2.0)
    gradient = np.where(free, np.stack([of_mean, of_sd]), 0.0)
    moving = free & (count > FEWEST)
    narrowest = nodes[1] - nodes[0]
    mean = np.where(moving, population.mean + found.mean - now.mean, population.mean)
    sd = np.where(moving, np.maximum(population.sd * np.sqrt(second / here), narrowest), population.sd)
    return Population(mean, sd), gradient
