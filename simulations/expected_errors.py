"""Standard errors to expect of a calibration, before any data: what a learner of a design tells on average.

Abilities are not known when items are calibrated, so that the information on the parameters is less than Fisher's
information at known abilities, and all items share what is lost (Louis 1982). The expectation over abilities is exact,
by quadrature on the grid of the calibration; over responses and designs it is the mean over a few thousand simulated
learners, at the true parameters: nothing is estimated. Errors fall as one over the root of the number of learners.

References
----------
Louis, T. A. (1982). Finding the observed information matrix when using the EM algorithm. Journal of the Royal
Statistical Society B, 44, 226-233.
"""

from typing import Final

import numpy as np

from engine.arrays import Floats, Ints
from engine.calibration import structure
from engine.calibration.em import Point, Task
from engine.calibration.entries import start
from engine.calibration.maximisation import Problem
from engine.calibration.observed import uncertainty
from engine.calibration.population import Population
from engine.calibration.priors import NO_PRIORS
from engine.calibration.sample import prepare, tally
from engine.calibration.working import to_working
from engine.latent import LatentTree
from engine.parameters import Model
from simulations.administration import responses_of
from simulations.behaviours import ModelTrue
from simulations.learners import draw
from simulations.replication import Plan, errors_laid, seed_of
from simulations.truth import reported

LEARNERS: Final = 4000
"""Learners whose information is averaged: errors are then right to about 2 %."""
_ASIDE: Final = -1
"""Number of the replication that these learners come from: none of the study."""


def expected_errors(plan: Plan) -> Floats:
    """Standard errors of a calibration from a single learner, (I, P): divide by the root of the number of learners.

    Parameters
    ----------
    plan : Plan
        Neither priors, nor skips and other behaviours than model-true ones, are taken into account.

    Returns
    -------
    (I, P) float
        Columns as :func:`simulations.truth.reported`. NaN for what is not estimated or not told by the responses, and
        everywhere when the models fitted are not the true ones.
    """
    truth = plan.truth
    known = reported(truth.parameters)
    codes = np.array([Model.named(name) for name in plan.models], dtype=np.int64)
    if not np.array_equal(codes, truth.parameters.model):
        return np.full(known.shape, np.nan)
    learners = draw(truth.latent, LEARNERS, seed_of(plan.seed, _ASIDE))
    responses = responses_of(plan.administration, plan.table, learners, (ModelTrue(),))
    tallies = [tally(responses, "unknown", "incorrect")]
    begin = start(tallies, codes, truth.competence, None, None, NO_PRIORS, plan.options.fewest)
    if begin.entries.column.size == 0:
        return np.full(known.shape, np.nan)
    everybody = np.zeros(LEARNERS, dtype=np.int64)
    sample = prepare(responses, begin.entries, everybody, truth.latent.competences)
    problem = Problem(begin.models, begin.free, begin.tie, NO_PRIORS, sample.units)
    nobody = np.zeros((1, truth.latent.competences), dtype=bool)
    task = Task(problem, nobody, truth.latent, _label(plan))
    spread = uncertainty(task, sample, _true_point(plan, begin.entries.column, begin.free.shape[1]), plan.options.grid)
    found = errors_laid(spread.errors, begin.models, begin.entries.column, known.shape)
    return np.sqrt(LEARNERS) * found


def _true_point(plan: Plan, rows: Ints, width: int) -> Point:
    working = to_working(plan.truth.parameters)[rows]
    steps = np.full((rows.size, max(width - 2, 0)), np.nan)
    kept = min(width, working.shape[1]) - 2
    steps[:, :kept] = working[:, :kept]
    shape = (1, plan.truth.latent.competences)
    latent = plan.truth.latent
    loadings = structure.loadings(latent) if isinstance(latent, LatentTree) else np.empty(0)
    return Point(np.column_stack([steps, working[:, -2:]]), Population(np.zeros(shape), np.ones(shape)), loadings)


def _label(plan: Plan) -> Ints:
    """Loadings that are estimated."""
    if not isinstance(plan.truth.latent, LatentTree):
        return np.empty(0, dtype=np.int64)
    label = structure.ties(plan.truth.latent)
    return label if plan.estimate_loadings else np.full(label.size, -1)
