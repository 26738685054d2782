"""How well the loadings of the tree are recovered, where they are estimated."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from engine.arrays import Bools, Floats
from engine.calibration import structure
from engine.calibration.structure import with_loadings
from engine.latent import LatentTree
from simulations.recovery.figures import ByItem, by_item
from simulations.recovery.replication import Replication


class LoadingFigures(NamedTuple):
    """Figures of the D + C loadings, domains first, and of the correlations between competences that they imply.

    Loadings that no data can tell apart (:func:`engine.calibration.structure.ties`) are not ``apart``: their figures
    say how far the tie is from the truth, and they are left out of the summary.
    """

    names: tuple[str, ...]
    each: ByItem  # (D + C, 1)
    apart: Bools  # (D + C,)
    bias: float
    rmse: float
    coverage: float
    rmse_correlations: float


def loading_figures(tree: LatentTree, names: Sequence[str], replications: Sequence[Replication]) -> LoadingFigures:
    """Hold estimated loadings against those of a tree, over the replications that converged."""
    used = [each for each in replications if each.converged]
    truth, label = structure.loadings(tree), structure.ties(tree)
    found = np.array([each.loadings for each in used]).reshape(-1, truth.size)
    errors = np.array([each.loading_errors for each in used]).reshape(-1, truth.size)
    each = by_item(truth[:, None], found[:, :, None], errors[:, :, None])
    apart = np.array([code >= 0 and np.count_nonzero(label == code) == 1 for code in label.tolist()])
    off = [with_loadings(tree, row).correlations() - tree.correlations() for row in found]
    above = np.triu_indices(tree.competences, 1)
    squares = np.array([matrix[above] ** 2 for matrix in off])
    return LoadingFigures(
        tuple(names),
        each,
        apart,
        bias=_over(each.bias[apart]),
        rmse=float(np.sqrt(_over(each.rmse[apart] ** 2))),
        coverage=_over(each.coverage[apart]),
        rmse_correlations=float(np.sqrt(_over(squares))),
    )


def _over(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else float("nan")
