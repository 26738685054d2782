"""Fit of a calibration, competence by competence."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.arrays import Floats, Ints
from engine.calibration.itemfit import ItemFit, s_x2
from engine.calibration.overall import OverallFit, m2
from engine.calibration.population import log_weights
from engine.calibration.reliability import InformationCurve, Reliability, reliability, total_information
from engine.calibration.residuals import LocalDependence, MeanSquares, mean_squares, q3
from engine.calibration.result import Calibration, ItemStatus
from engine.calibration.scored import MISSING, scored
from engine.parameters import ItemParameters
from engine.responses import NOT_REACHED, SkipPolicy
from simulations.calibration.plan import Plan

MOST: Final = 20_000
"""Learners from whom fit is computed, evenly spaced among all: with more, every model is rejected."""
BINS: Final = 12
"""Bins of ability in which proportions are observed."""
NODES: Final = np.linspace(-4.0, 4.0, 81)
"""Abilities at which test information is told."""


@dataclass(frozen=True, eq=False)
class Observed:
    """Proportions observed in bins of ability estimated from all answers of the competence.

    Parameters
    ----------
    ability : (B,) float
        Mean ability of each bin.
    score : (J, B) float
        Mean category of the answers, NaN where there are none.
    answers : (J, B) int
    """

    ability: Floats
    score: Floats
    answers: Ints


@dataclass(frozen=True, eq=False)
class Fit:
    """Fit of the J items of one competence.

    Parameters
    ----------
    rows : (J,) int
        Which of the calibrated items.
    parameters : ItemParameters
    items : ItemFit
    squares : MeanSquares
    dependence : LocalDependence
    overall : OverallFit
    reliability : Reliability
    information : InformationCurve
    observed : Observed
    ability : (N,) float
        Of the learners with answers in the competence.
    """

    rows: Ints
    parameters: ItemParameters
    items: ItemFit
    squares: MeanSquares
    dependence: LocalDependence
    overall: OverallFit
    reliability: Reliability
    information: InformationCurve
    observed: Observed
    ability: Floats


def fits(
    calibration: Calibration, plan: Plan, responses: Ints, group: Ints | None, skip: SkipPolicy
) -> tuple[Fit | None, ...]:
    """Fit of each competence, None for one without calibrated items.

    Parameters
    ----------
    calibration : Calibration
    plan : Plan
    responses : (N, I) int
    group : (N,) int, optional
    skip : {"unknown", "incorrect", "ignored"}
    """
    kept = np.linspace(0, responses.shape[0] - 1, min(MOST, responses.shape[0])).astype(np.int64)
    some = responses[kept]
    people = None if group is None else group[kept]
    return tuple(_fit(calibration, plan, some, people, skip, place) for place in range(len(plan.competences)))


def _fit(
    calibration: Calibration, plan: Plan, responses: Ints, group: Ints | None, skip: SkipPolicy, place: int
) -> Fit | None:
    rows = np.flatnonzero(plan.competence[calibration.rows] == place)
    if rows.size == 0:
        return None
    given = responses[:, calibration.rows[rows]]
    own = calibration.group[rows]
    if group is not None and (own >= 0).any():
        given = np.where((own >= 0) & (group[:, None] != own), NOT_REACHED, given)
    parameters, grid = calibration.parameters.take(rows), calibration.check.grid
    weights = log_weights(calibration.population, grid.nodes)[:, place]
    population = {"group": group, "skip": skip}
    free = (
        np.isfinite(calibration.working[rows])
        & (calibration.status[calibration.rows[rows]] != ItemStatus.FIXED)[:, None]
    )
    estimated = ~np.isnan(calibration.population_errors.mean[:, place])
    data = scored(parameters, given, grid, weights, group, skip)
    ability, _ = data.abilities()
    answered = (data.categories != MISSING).any(axis=1)
    return Fit(
        rows,
        parameters,
        s_x2(parameters, given, grid, weights, **population),
        mean_squares(parameters, given, grid, weights, **population),
        q3(parameters, given, grid, weights, **population),
        m2(parameters, given, grid, weights, free=free, free_population=np.column_stack([estimated] * 2), **population),
        reliability(parameters, given, grid, weights, **population),
        total_information(parameters, NODES),
        _observed(data.categories, ability, answered),
        ability[answered],
    )


def _observed(categories: Ints, ability: Floats, answered: Floats) -> Observed:
    some, theta = categories[answered], ability[answered]
    order = np.argsort(theta, kind="stable")
    bins = np.array_split(order, min(BINS, max(theta.size, 1)))
    answers = np.array([(some[rows] != MISSING).sum(axis=0) for rows in bins]).T
    sums = np.array([np.where(some[rows] != MISSING, some[rows], 0).sum(axis=0) for rows in bins]).T
    with np.errstate(invalid="ignore"):
        score = np.where(answers > 0, sums / np.maximum(answers, 1), np.nan)
    return Observed(np.array([theta[rows].mean() for rows in bins]), score, answers)
