"""How far moments observed are from moments expected: M2, that of independent items, and SRMSR."""

from typing import Final, NamedTuple

import numpy as np
from scipy.linalg import cholesky, qr, solve_triangular

from engine.arrays import Floats
from engine.calibration.fit import moments

SINGULAR: Final = 1e-8
"""Part of a derivative, as a share of its length, below which it adds nothing to those before it."""


class Block(NamedTuple):
    """One population: its complete rows (n, J), what the items do in it, and derivatives of the moments (M, F)."""

    categories: Floats
    given: moments.Given
    derivatives: Floats


def statistic(blocks: list[Block]) -> tuple[float, int]:
    """M2 and its degrees of freedom.

    Raises
    ------
    scipy.linalg.LinAlgError
        When the moments have a singular covariance.

    Notes
    -----
    With X = L L', M2 is the squared length of L^-1 e outside the space of the columns of L^-1 D.
    """
    residuals, columns = [], []
    for block in blocks:
        size = np.sqrt(block.categories.shape[0])
        residual = moments.observed(block.categories) - moments.expected(block.given)
        factor = cholesky(moments.covariance(block.given), lower=True, overwrite_a=True, check_finite=False)
        white = solve_triangular(factor, np.column_stack([residual, block.derivatives]), lower=True, check_finite=False)
        residuals.append(size * white[:, 0])
        columns.append(size * white[:, 1:])
    residual, derivatives = np.concatenate(residuals), np.concatenate(columns)
    space = _space(derivatives)
    outside = residual - space @ (space.T @ residual)
    return float(outside @ outside), residual.size - space.shape[1]


def independence(blocks: list[Block]) -> tuple[float, int]:
    """M2 of items that have nothing in common, each with its own mean in each population, and its degrees of freedom.

    M2 is the same for any linear change of the moments; products of standardised categories are uncorrelated under
    independence, and the means have no part in them: what is left is N times the sum of the squared correlations.
    """
    total, df = 0.0, 0
    for block in blocks:
        seen = moments.observed(block.categories)
        part = moments.correlations(seen, block.categories.var(axis=0))
        total += block.categories.shape[0] * float(part @ part)
        df += part.size
    return total, df


def srmsr(blocks: list[Block]) -> float:
    """Root mean square difference of observed and expected correlations, populations weighted by their learners."""
    squares: list[Floats] = []
    for block in blocks:
        spread = block.given.variance @ block.given.weights
        of_model = moments.expected(block.given)
        count = spread.size
        total = spread + block.given.mean**2 @ block.given.weights - of_model[:count] ** 2
        seen = moments.correlations(moments.observed(block.categories), block.categories.var(axis=0))
        squares.append((seen - moments.correlations(of_model, total)) ** 2)
    weights = [block.categories.shape[0] for block in blocks]
    return float(np.sqrt(np.average([part.mean() for part in squares], weights=weights)))


def _space(columns: Floats) -> Floats:
    """Orthonormal base of the space of some columns."""
    length = np.linalg.norm(columns, axis=0)
    some = length > 0
    if not some.any():
        return columns[:, :0]
    base, triangle, _ = qr(columns[:, some] / length[some], mode="economic", pivoting=True)
    return np.asarray(base[:, : np.count_nonzero(np.abs(np.diag(triangle)) > SINGULAR)])
