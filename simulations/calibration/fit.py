"""Fit of a calibration, competence by competence."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Floats, Ints
from engine.calibration.fit.items import ItemFit, s_x2
from engine.calibration.fit.overall import OverallFit, m2
from engine.calibration.fit.reliability import InformationCurve, Reliability, reliability, total_information
from engine.calibration.fit.residuals import LocalDependence, MeanSquares, mean_squares, q3
from engine.calibration.fit.scored import MISSING, Scored, scored
from engine.calibration.population import log_weights
from engine.calibration.result import Calibration, ItemStatus
from engine.parameters import ItemParameters
from engine.responses import NOT_REACHED, SkipPolicy
from simulations.calibration.plan import Plan

MOST: Final = 20_000
"""Learners from whom fit is computed, evenly spaced among all: with more, every model is rejected."""
EDGES: Final = np.arange(-3.25, 3.5, 0.5)
"""Ends of the bins of ability in which proportions are observed."""
NODES: Final = np.linspace(-4.0, 4.0, 81)
"""Abilities at which test information is told."""


@dataclass(frozen=True, eq=False)
class Observed:
    """Proportions observed in bins of ability, each learner counted where the answers leave it possible (Stone 2000).

    When the model is right, the proportions lie on the curves, however short the test: unlike proportions at estimated
    abilities, which are drawn to the middle.

    Parameters
    ----------
    ability : (B,) float
        Mean ability in each bin.
    score : (J, B) float
        Mean category of the answers, NaN where there are none.
    answers : (J, B) float
        Answers, counted in shares.

    References
    ----------
    Stone, C. A. (2000). Monte Carlo based null distribution for an alternative goodness-of-fit test statistic in IRT
    models. Journal of Educational Measurement, 37, 58-75.
    """

    ability: Floats
    score: Floats
    answers: Floats


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
    calibration: Calibration, plan: Plan, responses: NDArray[np.int8], group: Ints | None, skip: SkipPolicy
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
    calibration: Calibration, plan: Plan, responses: NDArray[np.int8], group: Ints | None, skip: SkipPolicy, place: int
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
        s_x2(parameters, given, grid, weights, group=group, skip=skip),
        mean_squares(parameters, given, grid, weights, group=group, skip=skip),
        q3(parameters, given, grid, weights, group=group, skip=skip),
        m2(
            parameters,
            given,
            grid,
            weights,
            free=free,
            free_population=np.column_stack([estimated] * 2),
            group=group,
            skip=skip,
        ),
        reliability(parameters, given, grid, weights, group=group, skip=skip),
        total_information(parameters, NODES),
        _observed(data),
        ability[answered],
    )


def _observed(data: Scored) -> Observed:
    nodes = data.grid.nodes
    at = np.digitize(nodes, EDGES)
    bins = np.zeros((nodes.size, EDGES.size + 1))
    bins[np.arange(nodes.size), at] = 1.0
    count = len(data.parameters)
    score, answers = np.zeros((2, count, bins.shape[1]))
    mass, ability = np.zeros((2, bins.shape[1]))
    for part in data.parts():
        weights = part.posterior @ bins
        there = part.categories != MISSING
        answers += there.T.astype(np.float64) @ weights
        score += np.where(there, part.categories, 0).T.astype(np.float64) @ weights
        mass += weights.sum(axis=0)
        ability += part.posterior.sum(axis=0) * nodes @ bins
    with np.errstate(invalid="ignore", divide="ignore"):
        return Observed(ability / mass, score / answers, answers)
