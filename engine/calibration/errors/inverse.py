"""Inverse of an information matrix, with what to do where there is no information."""

from typing import Final

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from engine.arrays import Floats

SMALLEST: Final = 1e-9
"""Eigenvalue of a matrix with a unit diagonal below which there is no information in that direction."""
PART: Final = 0.01
"""Squared share in a direction from which a parameter takes part in it."""


def inverted(matrix: Floats) -> tuple[Floats, bool]:
    """Inverse of a symmetric matrix, and whether the matrix is positive definite.

    Parameters
    ----------
    matrix : (M, M) float

    Returns
    -------
    inverse : (M, M) float
    definite : bool

    Notes
    -----
    When it is not positive definite, directions without information are left out; parameters that take part in them
    are NaN.

    Examples
    --------
    >>> inverted(np.array([[4.0, 0.0], [0.0, 16.0]]))[0].tolist()
    [[0.25, 0.0], [0.0, 0.0625]]
    >>> inverted(np.array([[2.0, 0.0, 0.0], [0.0, 1.0, 1.0], [0.0, 1.0, 1.0]]))[0].round(9).tolist()
    [[0.5, nan, nan], [nan, nan, nan], [nan, nan, nan]]
    """
    scale = np.sqrt(np.maximum(np.abs(np.diag(matrix)), np.finfo(np.float64).tiny))
    scaled = matrix / scale[:, None] / scale
    try:
        inverse = np.asarray(cho_solve(cho_factor(scaled, lower=True), np.eye(scale.size)))
        definite = bool((np.diag(inverse) < 1.0 / SMALLEST).all())
    except LinAlgError:
        definite = False
    if not definite:
        values, vectors = np.linalg.eigh(scaled)
        told = values > SMALLEST
        inverse = (vectors[:, told] / values[told]) @ vectors[:, told].T
        apart = np.sum(vectors[:, ~told] ** 2, axis=1) > PART
        inverse[apart] = inverse[:, apart] = np.nan
    return inverse / scale[:, None] / scale, definite
