"""Acceleration of fixed-point iterations such as EM.

Anderson (1965) acceleration: the next point is the combination of the last images whose residuals F(x) - x nearly
cancel. For a nearly linear map, this is GMRES; EM, which creeps where much information is missing, then needs a few
steps. Whether an extrapolation is kept is decided by the caller, from the log-likelihood there (Henderson and Varadhan
2019 show that EM so guarded converges).

References
----------
Anderson, D. G. (1965). Iterative procedures for nonlinear integral equations. Journal of the ACM, 12, 547-560.
Henderson, N. C. and Varadhan, R. (2019). Damped Anderson acceleration with restarts and monotonicity control for
accelerating EM and EM-like algorithms. Journal of Computational and Graphical Statistics, 28, 834-846.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.arrays import Floats

MEMORY: Final = 8
"""Earlier points that an extrapolation combines."""
SMALLEST_SINGULAR: Final = 1e-6
"""Directions that the residuals hardly tell apart are left out, relative to the largest."""


@dataclass(frozen=True, eq=False)
class Memory:
    """Last points and their images, oldest first, each (M,)."""

    points: tuple[Floats, ...] = ()
    images: tuple[Floats, ...] = ()

    def remembering(self, point: Floats, image: Floats) -> "Memory":
        """Memory with one more point, the oldest forgotten."""
        return Memory((*self.points, point)[-MEMORY - 1 :], (*self.images, image)[-MEMORY - 1 :])


def extrapolated(memory: Memory, scale: Floats) -> Floats:
    """Point to try next.

    Parameters
    ----------
    memory : Memory
        At least one point.
    scale : (M,) float
        Weight of each coordinate of a residual.

    Returns
    -------
    (M,) float
        The last image itself when there is only one point.

    Examples
    --------
    >>> halve = lambda x: 0.5 * x + np.array([1.0])
    >>> first, second = np.array([0.0]), np.array([1.0])
    >>> extrapolated(Memory((first, second), (halve(first), halve(second))), np.ones(1)).round(9).tolist()
    [2.0]
    """
    image = memory.images[-1]
    if len(memory.points) == 1:
        return image
    images = np.stack(memory.images)
    residuals = (images - np.stack(memory.points)) * scale
    turns = np.diff(residuals, axis=0).T
    weights, *_ = np.linalg.lstsq(turns, residuals[-1], rcond=SMALLEST_SINGULAR)
    return np.asarray(image - np.diff(images, axis=0).T @ weights)
