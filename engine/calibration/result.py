"""What a calibration gives."""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from engine.arrays import Floats, Ints
from engine.calibration.population import Population
from engine.grid import Grid
from engine.latent import Latent
from engine.parameters import ItemParameters


class ItemStatus(IntEnum):
    """What became of one item."""

    CONVERGED = 0
    AT_BOUND = 1
    """A parameter is at a bound, such as the slope of an item that does not discriminate; read it with care."""
    NOT_CONVERGED = 2
    FIXED = 3
    TOO_FEW = 4
    """Too few answers; it has no parameters."""
    CONSTANT = 5
    """Everybody gave the same response; it has no parameters."""
    EMPTY_CATEGORY = 6
    """Nobody gave one of the responses between others; it has no parameters."""


class Errors(NamedTuple):
    """Standard errors of J items, NaN where a parameter is not estimated."""

    discrimination: Floats  # (J,)
    difficulty: Floats  # (J,) of a polytomous item, of the mean of its thresholds
    guessing: Floats  # (J,)
    slipping: Floats  # (J,)
    thresholds: Floats  # (J, T)


class GridCheck(NamedTuple):
    """The grid of the last step and how it was found to be fine enough."""

    grid: Grid
    smallest_sd: float
    """Smallest posterior sd of a learner."""
    ratio: float
    """Spacing of the nodes over the smallest sd; trapezoids integrate a normal density exactly below about 0.9."""
    refinements: int
    """How often the spacing was halved."""
    edge: float
    """Largest posterior probability of a learner on an outermost node."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """Parameters of J calibrated items, with their uncertainty, and what they were estimated from.

    Parameters
    ----------
    rows : (J,) int
        Which of the I items of the responses.
    group : (J,) int
        Group whose answers alone they are estimated from; -1 for all groups.
    parameters : ItemParameters
        Of the J items.
    working : (J, P) float
        Their working parameters.
    errors : Errors
    covariance : (J, P, P) float
        Covariance of the working parameters of each item, NaN where one is not estimated.
    status : (I,) int
        Codes of :class:`ItemStatus`, of all items.
    counts : (I,) int
        Answers that are evidence.
    population, population_errors : Population
        Means and sds of the abilities of each group, (Q, C); errors are NaN for what is held.
    latent : Latent
    loading_errors : (D + C,) float
        Standard errors of the loadings of a tree, domains first; NaN for what is held; empty without a tree.
    log_likelihood, log_posterior : float
        Marginal log-likelihood; the same with the log priors.
    free : int
        Parameters estimated.
    iterations : int
        E-steps over all learners.
    converged : bool
    gradient : float
        Largest penalised gradient, in standard errors of a parameter if abilities were known.
    check : GridCheck
    learners, silent : int
        Learners, and those of them without any answer that is evidence.
    """

    rows: Ints
    group: Ints
    parameters: ItemParameters
    working: Floats
    errors: Errors
    covariance: Floats
    status: Ints
    counts: Ints
    population: Population
    population_errors: Population
    latent: Latent
    loading_errors: Floats
    log_likelihood: float
    log_posterior: float
    free: int
    iterations: int
    converged: bool
    gradient: float
    check: GridCheck
    learners: int
    silent: int

    @property
    def aic(self) -> float:
        """Akaike's criterion, -2 log L + 2 k."""
        return 2.0 * (self.free - self.log_likelihood)

    @property
    def bic(self) -> float:
        """Bayesian information criterion, -2 log L + k log N, N being the learners with answers."""
        return float(self.free * np.log(max(self.learners - self.silent, 1)) - 2.0 * self.log_likelihood)


def interval(value: Floats, error: Floats, share: float = 0.95) -> tuple[Floats, Floats]:
    """Confidence interval of estimates with normal errors.

    Parameters
    ----------
    value, error : (*batch,) float
    share : float
        Between 0 and 1.

    Returns
    -------
    lower, upper : (*batch,) float

    Examples
    --------
    >>> [end.round(2).tolist() for end in interval(np.array([1.0]), np.array([0.1]))]
    [[0.8], [1.2]]
    """
    reach = ndtri(0.5 + 0.5 * share) * error
    return value - reach, value + reach
