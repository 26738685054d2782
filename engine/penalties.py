"""What is added to a log-likelihood before its highest point or its mean is sought.

Priors that a caller chooses: :class:`Normal`, :class:`Uniform`, :class:`Jeffreys`. Two more make maximum likelihood
(:class:`Flat`) and Warm's weighted likelihood (:class:`Warm`) cases of the same search.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from engine.arrays import Floats
from engine.errors import DesignError
from engine.likelihood import Sums

SMALLEST = 1e-300
"""Information below this counts as this, so that its logarithm exists."""


class Penalty(Protocol):
    """Log density over ability, up to a constant, and its slope.

    ``theta`` broadcasts with the sums: (G,) nodes or (N, 1) abilities give (N, G) or (N, 1).
    """

    def value(self, theta: Floats, sums: Sums) -> Floats:
        """Log density; ``theta`` are the nodes of a grid."""
        ...

    def slope(self, theta: Floats, sums: Sums) -> Floats:
        """Differentiate the log density."""
        ...


@dataclass(frozen=True)
class Normal:
    """Normal prior.

    Parameters
    ----------
    mean, sd : float
        In population standard deviations.
    """

    mean: float = 0.0
    sd: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a density that does not exist."""
        if not (np.isfinite(self.mean) and np.isfinite(self.sd) and self.sd > 0):
            raise DesignError("A normal prior needs a finite mean and a positive standard deviation.")

    def value(self, theta: Floats, sums: Sums) -> Floats:
        """Log density."""
        return np.asarray(-0.5 * ((theta - self.mean) / self.sd) ** 2)

    def slope(self, theta: Floats, sums: Sums) -> Floats:
        """Differentiate the log density."""
        return np.asarray((self.mean - theta) / self.sd**2)


@dataclass(frozen=True)
class Uniform:
    """Uniform prior between two abilities, nothing outside."""

    lower: float = -4.0
    upper: float = 4.0

    def __post_init__(self) -> None:
        """Refuse an empty interval."""
        if not self.lower < self.upper:
            raise DesignError("A uniform prior needs a lower end below its upper end.")

    def value(self, theta: Floats, sums: Sums) -> Floats:
        """Log density."""
        return np.where((theta >= self.lower) & (theta <= self.upper), 0.0, -np.inf)

    def slope(self, theta: Floats, sums: Sums) -> Floats:
        """Differentiate the log density, inside the interval."""
        return np.zeros_like(theta)


@dataclass(frozen=True)
class Jeffreys:
    """Jeffreys' prior of the items that the learner answered: the square root of their information."""

    def value(self, theta: Floats, sums: Sums) -> Floats:
        """Log density."""
        return np.asarray(0.5 * np.log(np.maximum(sums.information, SMALLEST)))

    def slope(self, theta: Floats, sums: Sums) -> Floats:
        """I' / (2 I)."""
        return _half_ratio(sums.information_slope, sums.information)


@dataclass(frozen=True)
class Flat:
    """No penalty: maximum likelihood."""

    def value(self, theta: Floats, sums: Sums) -> Floats:
        """0."""
        return np.zeros_like(theta)

    def slope(self, theta: Floats, sums: Sums) -> Floats:
        """0."""
        return np.zeros_like(theta)


@dataclass(frozen=True)
class Warm:
    """Warm's weight, whose slope J / (2 I) removes the first-order bias of maximum likelihood.

    References
    ----------
    Warm, T. A. (1989). Weighted likelihood estimation of ability in item response theory. Psychometrika, 54, 427-450.
    """

    def value(self, theta: Floats, sums: Sums) -> Floats:
        """Integral of the slope from the first node, by the trapezoid rule (it has no closed form for 3PL and GRM)."""
        slope = self.slope(theta, sums)
        steps = 0.5 * (slope[..., 1:] + slope[..., :-1]) * np.diff(theta)
        return np.concatenate([np.zeros_like(slope[..., :1]), np.cumsum(steps, axis=-1)], axis=-1)

    def slope(self, theta: Floats, sums: Sums) -> Floats:
        """J / (2 I)."""
        return _half_ratio(sums.warm, sums.information)


Prior = Normal | Uniform | Jeffreys


def _half_ratio(numerator: Floats, information: Floats) -> Floats:
    return np.where(information > SMALLEST, 0.5 * numerator / np.maximum(information, SMALLEST), 0.0)
