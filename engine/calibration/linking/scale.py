"""A change of scale: what takes item parameters and abilities of one calibration to the scale of another."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from engine.arrays import Floats
from engine.errors import ParameterError
from engine.parameters import ItemParameters


@dataclass(frozen=True)
class Link:
    """Change of scale theta_old = slope * theta_new + intercept.

    Parameters
    ----------
    slope, intercept : float
        A, positive, and B, in standard deviations of the old scale.

    Examples
    --------
    >>> link = Link(2.0, 1.0)
    >>> link.abilities([0.0, 0.5]).tolist()
    [1.0, 2.0]
    >>> link.inverse
    Link(slope=0.5, intercept=-0.5)
    """

    slope: float
    intercept: float

    def __post_init__(self) -> None:
        """Refuse what is not an increasing change of scale."""
        if not (np.isfinite(self.slope) and self.slope > 0 and np.isfinite(self.intercept)):
            raise ParameterError("A link needs a positive slope and a finite intercept; correct them.")

    def apply(self, items: ItemParameters) -> ItemParameters:
        """Put items of the new calibration, common or not, on the old scale."""
        return replace(
            items,
            discrimination=items.discrimination / self.slope,
            difficulty=self.abilities(items.difficulty),
            thresholds=self.abilities(items.thresholds),
        )

    def abilities(self, new: ArrayLike) -> Floats:
        """Put abilities of the new scale on the old one, any shape; standard deviations are multiplied by ``slope``."""
        return np.asarray(self.slope * np.asarray(new, dtype=np.float64) + self.intercept)

    @property
    def inverse(self) -> "Link":
        """From the old scale to the new one."""
        return Link(1.0 / self.slope, -self.intercept / self.slope)
