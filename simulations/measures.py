"""Figures of merit of a simulation: precision, calibration of the uncertainty, levels, exposure, length.

Precision "overall" pools the simulees and the competences in scope.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.adaptive import Design
from engine.arrays import Bools, Floats, Ints
from engine.levels import level
from engine.profile import gives_evidence, knowledge
from engine.responses import NONE
from engine.table import Table
from simulations.precision import Conditional, Precision, conditional, precision_of
from simulations.run import Result
from simulations.use import Use, exposure_rates, use_of


@dataclass(frozen=True, eq=False)
class Measures:
    """All the figures of one simulation of C competences and I items."""

    scope: tuple[int, ...]
    """Competences that the test is about."""
    precision: Precision
    use: Use
    by_competence: tuple[tuple[Precision, Use], ...]
    """One pair for each of the C competences."""
    conditional: Conditional
    exposure: Floats
    """(I,) share of the simulees who were asked the item."""
    levels: Ints
    """(n, C) levels found."""
    true_levels: Ints
    """(n, C) levels of the true abilities."""
    knowledge: Ints
    """(n, C) codes of engine.profile.Knowledge."""
    confusion: Ints
    """(C, levels + 1, levels + 1) simulees by true level, then by level found."""


def measure(design: Design, table: Table, result: Result) -> Measures:
    """Compute the figures of a simulation.

    Parameters
    ----------
    design, table
        As simulated.
    result : Result

    Returns
    -------
    Measures
    """
    scope = list(design.competences_in_scope)
    true_levels = (result.abilities[..., None] >= table.cuts).sum(axis=-1, dtype=np.int64)
    levels = level(result.levels).level
    known = knowledge(design, result.sd, informed(design, table, result))
    competences = range(design.latent.competences)

    def precision(columns: Sequence[int]) -> Precision:
        return precision_of(result, levels - true_levels, known, columns)

    return Measures(
        scope=tuple(scope),
        precision=precision(scope),
        use=use_of(table, result, np.ones(table.competence.size, dtype=bool)),
        by_competence=tuple((precision([c]), use_of(table, result, table.competence == c)) for c in competences),
        conditional=conditional(result, scope),
        exposure=exposure_rates(result.items, table.competence.size),
        levels=levels,
        true_levels=true_levels,
        knowledge=known,
        confusion=np.stack([confusion(true_levels[:, c], levels[:, c], result.levels.shape[-1]) for c in competences]),
    )


def confusion(true: Ints, found: Ints, count: int) -> Ints:
    """Count pairs of true and found levels, (count, count), the true ones in rows.

    Examples
    --------
    >>> confusion(np.array([0, 1, 1]), np.array([0, 1, 0]), 2).tolist()
    [[1, 0], [1, 1]]
    """
    return np.bincount(true * count + found, minlength=count * count).reshape(count, count).astype(np.int64)


def informed(design: Design, table: Table, result: Result) -> Bools:
    """Whether an item of the competence gave evidence, (n, C); skips that are ignored give none."""
    told = (result.items != NONE) & gives_evidence(design, result.responses)
    run, _ = np.nonzero(told)
    evidence = np.zeros(result.mean.shape, dtype=bool)
    evidence[run, table.competence[result.items[told]]] = True
    return evidence
