"""Gradient of the log-likelihood, and the information there would be if abilities were known."""

from dataclasses import replace
from typing import Final

import numpy as np

from engine.arrays import Floats
from engine.calibration import population
from engine.calibration.errors.answers import CANONICAL
from engine.calibration.expectation import Expected
from engine.calibration.maximisation import Problem, system
from engine.calibration.population import Population
from engine.calibration.priors import NO_PRIORS, log_prior

STEP: Final = 1e-5
"""Step of the differences in working parameters."""


def gradient(
    problem: Problem, working: Floats, people: Population, expected: Expected, nodes: Floats
) -> tuple[Floats, Floats]:
    """Gradient of the marginal log-likelihood, from the E-step at the same point (Fisher's identity).

    Parameters
    ----------
    problem : Problem
        Its priors do not count.
    working : (J, P) float
    people : Population
    expected : Expected
        E-step at the point.
    nodes : (G,) float

    Returns
    -------
    items : (J, P) float
        In the working parameters, 0 for those that are held; a slope in common has the sum of those of its items.
    groups : (Q, C, 2) float
        In means and log sds.
    """
    of_items = system(replace(problem, priors=NO_PRIORS), working, expected.counts, nodes).gradient
    return of_items, np.einsum("qcg,qcpg->qcp", expected.mass, of_people(people, nodes))


def of_items(problem: Problem, working: Floats, counts: Floats, nodes: Floats) -> Floats:
    """Information of each item if abilities were known, less the Hessian of its log prior, (J, P, P).

    Of canonical models, the Fisher information; of others, central differences of the gradient.

    Parameters
    ----------
    problem : Problem
    working : (J, P) float
    counts : (columns, G) float
        Expected answers.
    nodes : (G,) float
    """
    plain = replace(problem, priors=NO_PRIORS)
    information = system(plain, working, counts, nodes).information
    other = ~np.isin(problem.models, CANONICAL) & problem.free.any(axis=1)
    if other.any():
        gaps = np.abs(np.diff(working[:, 1:-2], axis=1))
        step = np.minimum(STEP, 0.01 * np.where(gaps > 0, gaps, np.inf).min(axis=1, initial=1.0))[:, None]
        for column in np.flatnonzero(problem.free[other].any(axis=0)):
            shift = np.where(np.arange(working.shape[1]) == column, step, 0.0)
            above, below = (system(plain, working + sign * shift, counts, nodes).gradient for sign in (1.0, -1.0))
            information[other, :, column] = ((below - above) / (2.0 * step))[other]
        information = 0.5 * (information + information.transpose(0, 2, 1))
    if problem.priors:
        information = (
            information
            - log_prior(problem.priors, problem.models, working, problem.free.astype(np.float64), problem.tie)[2]
        )
    return np.asarray(information)


def of_people(people: Population, nodes: Floats) -> Floats:
    """Scores of belonging to a group: derivatives of the log probabilities of the nodes in mean and log sd.

    Parameters
    ----------
    people : Population
    nodes : (G,) float

    Returns
    -------
    (Q, C, 2, G) float
    """
    turn = _turn(people, nodes)
    weights = np.exp(population.log_weights(people, nodes))
    return np.asarray(turn - np.sum(turn * weights[..., None, :], axis=-1, keepdims=True))


def of_groups(people: Population, mass: Floats, nodes: Floats) -> Floats:
    """Information about mean and log sd of each group if abilities were known, (Q, C, 2, 2).

    The probabilities p of the nodes, proportional to exp(u) with u = -(x - mean)^2 / (2 sd^2), add up to 1 over the
    grid: minus the Hessian of sum(mass log p) is n Cov(u') + sum((n p - mass) u'').

    Parameters
    ----------
    people : Population
    mass : (Q, C, G) float
        Expected learners at each node.
    nodes : (G,) float
    """
    weights = np.exp(population.log_weights(people, nodes))
    count = mass.sum(axis=-1)
    centred = of_people(people, nodes)
    information = count[..., None, None] * np.einsum("qcg,qcrg,qcsg->qcrs", weights, centred, centred)
    short = (count[..., None] * weights - mass)[..., None, :]
    of_mean, of_sd = np.sum(short * _turn(people, nodes), axis=-1).transpose(2, 0, 1)
    information[..., 0, 1] -= 2.0 * of_mean
    information[..., 1, 0] -= 2.0 * of_mean
    information[..., 1, 1] -= 2.0 * of_sd
    return np.asarray(information)


def _turn(people: Population, nodes: Floats) -> Floats:
    z = (nodes - people.mean[..., None]) / people.sd[..., None]
    return np.stack([z / people.sd[..., None], z**2], axis=-2)
