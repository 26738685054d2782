"""Inverse of an information matrix of blocks with a border: competences, and the loadings that link them."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from engine.arrays import Floats

SMALLEST: Final = 1e-9
"""Eigenvalue of a matrix with a unit diagonal below which there is no information in that direction."""
PART: Final = 0.01
"""Squared share in a direction from which a parameter takes part in it."""


class Inverse(NamedTuple):
    """Diagonal blocks of the inverse, that of the border last; NaN for what has no information."""

    blocks: list[Floats]  # each (m, m)
    corner: Floats  # (L, L)
    definite: bool


def inverted(blocks: Sequence[Floats], rows: Sequence[Floats], corner: Floats) -> Inverse:
    """Invert a symmetric matrix of diagonal blocks and a border, by the Schur complement of the blocks.

    Parameters
    ----------
    blocks : sequence of (m, m) float
        Not connected with each other.
    rows : sequence of (L, m) float
        Border of each block.
    corner : (L, L) float
        L may be 0.

    Returns
    -------
    Inverse

    Notes
    -----
    Where a block or the complement is not positive definite, directions without information are left out; parameters
    that take part in them are NaN.

    Examples
    --------
    >>> found = inverted([np.array([[2.0]]), np.array([[4.0]])], [np.array([[1.0]]), np.array([[0.0]])], np.array([[1.0]]))
    >>> [block.tolist() for block in found.blocks], found.corner.tolist(), found.definite
    ([[[1.0]], [[0.25]]], [[2.0]], True)
    """
    inverses = [_inverse(block) for block in blocks]
    known = [np.nan_to_num(inverse) for inverse, _ in inverses]
    turned = [row @ inverse for row, inverse in zip(rows, known, strict=True)]
    complement = corner - sum((turn @ row.T for turn, row in zip(turned, rows, strict=True)), np.zeros(corner.shape))
    found, definite = _inverse(complement)
    whole = [inverse + turn.T @ np.nan_to_num(found) @ turn for (inverse, _), turn in zip(inverses, turned, strict=True)]
    return Inverse(whole, found, definite and all(own for _, own in inverses))


def _inverse(matrix: Floats) -> tuple[Floats, bool]:
    """Inverse of a symmetric matrix, and whether it is positive definite."""
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
