"""Standard errors to expect of a calibration, before any data: from the information that one learner brings.

Abilities are not known when items are calibrated. The score of a learner, the derivative of the marginal log-likelihood
in all parameters, is the mean of the scores at each ability over the learner's posterior; the information is the
covariance of these scores, and ties all items to each other. The mean over abilities is exact, by quadrature; that over
responses and designs is taken over a few thousand simulated learners, at the true parameters: nothing is estimated.
Errors fall as one over the root of the number of learners.

References
----------
Louis, T. A. (1982). Finding the observed information matrix when using the EM algorithm. Journal of the Royal
Statistical Society B, 44, 226-233.
Hartlap, J., Simon, P., and Schneider, P. (2007). Why your model parameter confidences might be too optimistic.
Astronomy and Astrophysics, 464, 399-404. (The inverse of a covariance estimated from M draws is too large by M / (M - F
- 1), F being its size.)
"""

from typing import Final

import numpy as np
from numpy.linalg import LinAlgError

from engine.arrays import Bools, Floats, Ints
from engine.grid import Grid
from engine.latent import posterior
from engine.parameters import Model
from engine.working import existing, jacobian, slopes, to_working
from simulations.behaviours import ModelTrue
from simulations.learners import draw
from simulations.recovery.administration import Answers, responses_of
from simulations.recovery.replication import Plan, seed_of

LEARNERS: Final = 4000
"""Learners whose scores are drawn, at least: errors are then right to about 2 %."""
FOR_EACH: Final = 6
"""Learners for each parameter, at least."""
GRID: Final = Grid(-6.0, 6.0, 61)
_ASIDE: Final = -1
"""Number of the replication that these learners come from: none of the study."""


def expected_errors(plan: Plan) -> Floats:
    """Expect the standard errors (I, P) of a calibration of one learner; divide by the root of the number of learners.

    Parameters
    ----------
    plan : Plan
        Neither priors, nor skips and other behaviours than model-true ones, are taken into account; loadings of a tree
        are as if known.

    Returns
    -------
    (I, P) float
        Columns as :func:`simulations.recovery.truth.reported`. NaN for what is not estimated, for items that
        hardly anybody is asked, and everywhere when the models fitted are not the true ones.
    """
    truth, parameters = plan.truth, plan.truth.parameters
    working = to_working(parameters)
    nothing = np.full(working.shape, np.nan)
    if plan.models != tuple(Model(code).label for code in parameters.model.tolist()):
        return nothing
    free = existing(parameters.model, parameters.categories)
    count = max(LEARNERS, FOR_EACH * int(free.sum()))
    learners = draw(truth.latent, count, seed_of(plan.seed, _ASIDE))
    responses = responses_of(plan.administration, plan.table, learners, (ModelTrue(),))
    free &= (np.count_nonzero(responses >= 0, axis=0) >= plan.options.fewest)[:, None]
    place, size = numbered(parameters.model, truth.competence, free)
    scores = _scores(plan, responses, place, size)
    try:
        inverse = np.linalg.inv(scores.T @ scores) * (count - size - 1)
    except LinAlgError:
        return nothing
    spread = np.pad(inverse, (0, 1))
    turn = jacobian(parameters.model, working)
    variance = np.einsum("irp,ipq,irq->ir", turn, spread[place[:, :, None], place[:, None, :]], turn)
    return np.where(free, np.sqrt(np.maximum(variance, 0.0)), np.nan)


def numbered(models: Ints, competence: Ints, free: Bools) -> tuple[Ints, int]:
    """Give each free parameter (I, P) a number, the others -1; the 1PL items of a competence share their slope."""
    key = np.arange(free.size).reshape(free.shape)
    for c in np.unique(competence[models == Model.ONE_PL]):
        tied = (models == Model.ONE_PL) & (competence == c)
        key[tied, 0] = key[np.argmax(tied), 0]
    place = np.full(free.shape, -1)
    numbers, place[free] = np.unique(key[free], return_inverse=True)
    return place, int(numbers.size)


def _scores(plan: Plan, responses: Answers, place: Ints, size: int) -> Floats:
    """Score of each learner in each parameter, (M, F)."""
    truth, nodes = plan.truth, GRID.nodes
    models, working = truth.parameters.model, to_working(truth.parameters)
    found = [slopes(models[[row]], working[[row]], nodes) for row in range(len(truth))]
    asked = [np.flatnonzero(responses[:, row] >= 0) for row in range(len(truth))]
    likelihood = np.zeros((responses.shape[0], truth.latent.competences, nodes.size))
    for row, who in enumerate(asked):
        likelihood[who, truth.competence[row]] += found[row].log_p[0, responses[who, row]]
    belief = posterior(truth.latent.links(GRID), likelihood)
    scores = np.zeros((responses.shape[0], size))
    for row, who in enumerate(asked):
        slope = found[row].by_parameter[0]
        mean = belief[who, truth.competence[row]] @ slope.reshape(-1, nodes.size).T
        own = mean.reshape(who.size, *slope.shape[:2])[np.arange(who.size), responses[who, row]]
        kept = np.flatnonzero(place[row] >= 0)
        scores[who[:, None], place[row, kept]] += own[:, kept]
    return scores
