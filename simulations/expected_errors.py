"""Standard errors to expect of a calibration, before any data: from Fisher information, by quadrature over ability.

If abilities were known, each learner would bring the information I = sum over k of P_k s_k s_k' on the parameters of an
item, s_k being the derivatives of log P_k. They are not known, and what parameters and abilities share is lost (Louis
1982). After a test of information T, ability is about normal with variance V = 1 / (1 + T) and mean m, and where the
score of the item is expanded to second order about m, what is lost is

    V (u u' + D) + V^2 w w' / 2.

Here u is the mean derivative of the scores in ability, all items together, w the mean second derivative, and D the
variance of the derivatives. Answers add up to m, which makes these derivatives a little dependent: their regression on
d log P / d theta is taken out of D and put into u. The terms tie all items to each other: they are what makes an error
in the mean or the spread of the learners an error in every item. On several competences V is the posterior covariance
of the abilities. Errors are roots of the diagonal of the inverse of N times this information.

References
----------
Louis (1982), Finding the observed information matrix when using the EM algorithm, JRSS B 44; Thissen and Wainer (1982),
Some standard errors in item response theory, Psychometrika 47.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.linalg import LinAlgError

from engine.adaptive import Design
from engine.arrays import Bools, Floats, Ints
from engine.calibration.working import existing, jacobian, slopes, to_working
from engine.grid import Grid
from engine.latent import Latent, LatentTree
from engine.models import curves
from engine.models import information as information_of
from engine.parameters import ItemParameters, Model
from engine.responses import NONE, NOT_REACHED
from engine.uniform import derive
from simulations.administration import Adaptive, Administration, AtRandom, responses_of
from simulations.learners import draw
from simulations.replication import Plan
from simulations.truth import Truth

GRID: Final = Grid(-5.0, 5.0, 51)
"""Abilities of a single competence."""
MASKS: Final = 12
"""Sets of items at each ability, where each learner gets a set of its own."""
DRAWN: Final = 1000
"""Learners drawn where abilities have many dimensions, or decide which items are asked."""
_STEP: Final = 5e-3
_TOGETHER: Final = 200


class Situations(NamedTuple):
    """Who answers what, as S abilities (S, C), the items answered there (S, I) and weights (S,) that sum to 1."""

    ability: Floats
    seen: Bools
    weight: Floats


def expected_errors(plan: Plan) -> Floats:
    """Standard errors that one learner would leave, (I, P); divide by the root of the number of learners.

    Parameters
    ----------
    plan : Plan
        Priors, skips and other behaviours than model-true ones are not taken into account.

    Returns
    -------
    (I, P) float
        Columns as :func:`simulations.truth.reported`. NaN for what is not estimated, and everywhere when the models
        fitted are not the true ones or their parameters cannot be told apart.
    """
    truth = plan.truth
    if plan.models != tuple(Model(code).label for code in truth.parameters.model.tolist()):
        return np.full((len(truth), to_working(truth.parameters).shape[1]), np.nan)
    return errors_of_one(truth.parameters, truth.competence, truth.latent, situations(plan))


def situations(plan: Plan) -> Situations:
    """Situations of a plan: exact over ability, but where abilities decide about items or have many dimensions."""
    truth, administration = plan.truth, plan.administration
    count = len(truth)
    if isinstance(administration, Adaptive) or isinstance(truth.latent, LatentTree):
        return _drawn(plan)
    if isinstance(administration, AtRandom):
        sets = administration.items(derive(plan.seed, np.arange(MASKS * GRID.count)), count)
    else:
        sets = np.unique(administration.items(np.arange(count), count), axis=0)
    seen = _seen(sets, count)
    weights = np.exp(GRID.log_weights)
    if isinstance(administration, AtRandom):
        return Situations(np.tile(GRID.nodes, MASKS)[:, None], seen, np.tile(weights, MASKS) / MASKS)
    ability = np.tile(GRID.nodes, len(sets))[:, None]
    return Situations(ability, np.repeat(seen, GRID.count, axis=0), np.tile(weights, len(sets)) / len(sets))


def errors_of_one(parameters: ItemParameters, competence: Ints, latent: Latent, found: Situations) -> Floats:
    """Standard errors that one learner would leave, (I, P)."""
    working = to_working(parameters)
    free = existing(parameters.model, parameters.categories)
    place, size = _places(parameters.model, competence, free)
    information = np.zeros((size, size))
    correlations = latent.correlations() if isinstance(latent, LatentTree) else np.eye(latent.competences)
    for start in range(0, found.weight.size, _TOGETHER):
        part = Situations(*(array[start : start + _TOGETHER] for array in found))
        _add(information, parameters, competence, correlations, part, place, free)
    try:
        np.linalg.cholesky(information)
    except LinAlgError:
        return np.full(working.shape, np.nan)
    spread = np.pad(np.linalg.inv(information), (0, 1))
    covariance = spread[place[:, :, None], place[:, None, :]]
    turn = jacobian(parameters.model, working)
    variance = np.einsum("irp,ipq,irq->ir", turn, covariance, turn)
    return np.where(free, np.sqrt(np.maximum(variance, 0.0)), np.nan)


def _add(
    information: Floats,
    parameters: ItemParameters,
    competence: Ints,
    correlations: Floats,
    part: Situations,
    place: Ints,
    free: Bools,
) -> None:
    """Add the information that some situations bring."""
    chosen = [np.flatnonzero(competence == c) for c in range(part.ability.shape[1])]
    tests = np.zeros(part.ability.shape)
    for c, rows in enumerate(chosen):
        shown = part.seen[:, rows].T
        tests[:, c] = np.sum(information_of(parameters.take(rows), part.ability[:, c]) * shown, axis=0)
    left = _posterior(correlations, tests)
    spread = np.einsum("scc->sc", left)
    mean = part.ability * np.sqrt(1.0 - spread)
    pull = np.linalg.solve(correlations, mean.T).T
    width = free.shape[1]
    own = np.zeros((len(parameters), width, width))
    lost = np.zeros((3, information.shape[0], *part.ability.shape))
    for c, rows in enumerate(chosen):
        items, seen = parameters.take(rows), part.seen[:, rows] * part.weight[:, None]
        own[rows] += _known(items, part.ability[:, c], seen, free[rows])
        terms = _terms(items, mean[:, c], part.seen[:, rows], free[rows])
        own[rows] -= np.einsum("ipqs,s->ipq", terms.variance, part.weight * spread[:, c])
        turning = terms.turning + terms.shared * np.divide(pull[:, c], terms.test, where=terms.test > 0, out=0 * pull[:, c])
        leaning = terms.shared * np.sqrt(np.divide(spread[:, c], terms.test, where=terms.test > 0, out=0 * pull[:, c]))
        for at, term in enumerate((turning, terms.bending, leaning)):
            np.add.at(lost[at, :, :, c], place[rows][free[rows]], (term * np.sqrt(part.weight))[free[rows]])
    for sign, term, root in zip((-1.0, -1.0, 1.0), lost, _roots(left), strict=True):
        half = np.matmul(term.transpose(1, 0, 2), root).transpose(1, 0, 2).reshape(information.shape[0], -1)
        information += sign * half @ half.T
    both = free[:, :, None] & free[:, None, :]
    first, second = np.broadcast_arrays(place[:, :, None], place[:, None, :])
    np.add.at(information, (first[both], second[both]), own[both])


def _roots(left: Floats) -> tuple[Floats, Floats, Floats]:
    """Roots (S, C, C) of what the derivatives, the second derivatives and their regressions are weighted with."""
    one = np.broadcast_to(np.eye(left.shape[-1]), left.shape)
    return np.linalg.cholesky(left), np.linalg.cholesky(0.5 * left**2), one


def _known(parameters: ItemParameters, ability: Floats, seen: Floats, free: Bools) -> Floats:
    """Information if abilities were known, (I, P, P); ``seen`` (S, I) has the weights of the situations."""
    log_p, score = slopes(parameters.model, to_working(parameters), ability)
    root = np.sqrt(np.exp(log_p) * seen.T[:, None, :])
    flat = (root[:, :, None] * score * free[:, None, :, None]).transpose(0, 2, 1, 3).reshape(*free.shape, -1)
    return np.asarray(flat @ flat.transpose(0, 2, 1))


class _Terms(NamedTuple):
    """Terms of what is lost, each of the items that are seen."""

    test: Floats  # (S,) information on ability
    turning: Floats  # (I, P, S) mean derivative of the scores in ability
    bending: Floats  # (I, P, S) mean second derivative
    shared: Floats  # (I, P, S) covariance of the derivative and of d log P / d theta
    variance: Floats  # (I, P, P, S) of the derivative


def _terms(parameters: ItemParameters, ability: Floats, seen: Bools, free: Bools) -> _Terms:
    working, models = to_working(parameters), parameters.model
    below, here, above = (
        slopes(models, working, ability + shift).by_parameter * free[:, None, :, None] for shift in (-_STEP, 0.0, _STEP)
    )
    p = np.exp(slopes(models, working, ability).log_p) * seen.T[:, None, :]
    turn = (above - below) / (2.0 * _STEP)
    first = _widened(curves(parameters, ability).first, p.shape[1])
    turning = np.einsum("iks,ikps->ips", p, turn)
    about = turn - turning[:, None]
    return _Terms(
        test=np.sum(p * first**2, axis=(0, 1)),
        turning=turning,
        bending=np.einsum("iks,ikps->ips", p, (above - 2.0 * here + below) / _STEP**2),
        shared=np.einsum("iks,ikps->ips", p * first, about),
        variance=np.einsum("iks,ikps,ikqs->ipqs", p, about, about, optimize=True),
    )


def _posterior(correlations: Floats, tests: Floats) -> Floats:
    """Posterior covariances (S, C, C) of abilities after tests of information (S, C), to first order."""
    root = np.sqrt(tests)
    inner = np.eye(tests.shape[1]) + root[:, :, None] * correlations * root[:, None, :]
    pull = np.linalg.solve(inner, root[:, :, None] * correlations)
    return np.asarray(correlations - (correlations * root[:, None, :]) @ pull)


def _places(models: Ints, competence: Ints, free: Bools) -> tuple[Ints, int]:
    """Number of each free parameter, -1 for the others; the 1PL items of a competence share their slope."""
    key = np.arange(free.size).reshape(free.shape)
    for c in np.unique(competence[models == Model.ONE_PL]):
        tied = (models == Model.ONE_PL) & (competence == c)
        key[tied, 0] = key[np.argmax(tied), 0]
    place = np.full(free.shape, -1)
    numbers, place[free] = np.unique(key[free], return_inverse=True)
    return place, int(numbers.size)


def _drawn(plan: Plan) -> Situations:
    learners = draw(plan.truth.latent, min(DRAWN, plan.learners), plan.seed)
    if isinstance(plan.administration, Adaptive):
        asked = responses_of(plan.administration, plan.table, learners, plan.behaviours) != NOT_REACHED
    else:
        asked = _seen(plan.administration.items(learners.seeds, len(plan.truth)), len(plan.truth))
    return Situations(learners.abilities, asked, np.full(len(learners), 1.0 / len(learners)))


def _seen(sets: Ints, count: int) -> Bools:
    """Which of the items are in each set, (S, I)."""
    seen = np.zeros((sets.shape[0], count + 1), dtype=bool)
    np.put_along_axis(seen, np.where(sets == NONE, count, sets), True, axis=1)
    return seen[:, :count]


def _widened(array: Floats, width: int) -> Floats:
    """Array (I, K, S) with zeros for categories that these items do not have."""
    return np.pad(array, ((0, 0), (0, width - array.shape[1]), (0, 0)))
