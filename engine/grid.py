"""The grid of abilities on which beliefs live."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.arrays import Floats
from engine.errors import DesignError


@dataclass(frozen=True)
class Grid:
    """Equally spaced nodes of ability with the weights of the standard normal population.

    Parameters
    ----------
    lower, upper : float
        First and last node, in population standard deviations.
    count : int
        Number of nodes G.

    Examples
    --------
    >>> Grid(-4, 4, 5).nodes.tolist()
    [-4.0, -2.0, 0.0, 2.0, 4.0]
    """

    lower: float = -4.0
    upper: float = 4.0
    count: int = 41

    def __post_init__(self) -> None:
        """Refuse a grid on which nothing can be integrated."""
        if not self.lower < self.upper or self.count < 3:
            raise DesignError("A grid needs at least 3 nodes and a lower end below its upper end.")

    @cached_property
    def nodes(self) -> Floats:
        """Abilities, (G,)."""
        nodes = np.linspace(self.lower, self.upper, self.count)
        nodes.setflags(write=False)
        return nodes

    @cached_property
    def log_weights(self) -> Floats:
        """Log probabilities of the nodes under N(0, 1), normalised over the grid, (G,)."""
        density = -0.5 * self.nodes**2
        weights: Floats = density - np.log(np.sum(np.exp(density)))
        weights.setflags(write=False)
        return weights

    @property
    def spacing(self) -> float:
        """Distance between two nodes."""
        return (self.upper - self.lower) / (self.count - 1)
