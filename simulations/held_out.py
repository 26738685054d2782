"""How well a model predicts answers that it has not seen.

Answers of a response table are hidden at random, the model is calibrated on the others, and each hidden answer is
predicted from the remaining answers of its learner. Models of the same responses are compared answer by answer: of two
latent structures, the better one gives higher probabilities to what learners really answered.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from engine.arrays import Floats, Ints
from engine.calibration.calibrate import calibrate
from engine.calibration.em import Options
from engine.calibration.priors import NO_PRIORS, Priors
from engine.calibration.result import Calibration
from engine.errors import DesignError, ResponseError
from engine.latent import Independent, Latent, posterior
from engine.likelihood import Answers, Sums
from engine.models import curves
from engine.responses import NOT_REACHED, SkipPolicy
from engine.uniform import derive, uniform

ROUGH: Final = Options(gradient=1e-3, errors=False)
"""Estimates nearer to the maximum than this predict no better, and standard errors are not needed."""
TOGETHER: Final = 512
"""Learners whose posteriors are held at once."""


class Scores(NamedTuple):
    """Hidden answers and how well they were predicted, each (A,), ordered by fold, learner and item.

    ``log_score`` is log P(answer), ``brier`` the sum over categories of (P - 1 if answered so, else 0)^2;
    ``plain_log_score`` and ``plain_brier`` are those of the shares of the item among the other learners, which know
    nothing of the learner.
    """

    fold: Ints
    learner: Ints
    item: Ints
    category: Ints
    log_score: Floats
    brier: Floats
    plain_log_score: Floats
    plain_brier: Floats


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Prediction of hidden answers.

    Parameters
    ----------
    scores : Scores
        Of the hidden answers, one entry each.
    unpredicted : int
        Hidden answers to items, or in categories, that could not be calibrated without them; they are not scored.
    calibrations : tuple of Calibration
        That of each fold.
    """

    scores: Scores
    unpredicted: int
    calibrations: tuple[Calibration, ...]


class Difference(NamedTuple):
    """Mean of a score over answers, or of a difference of scores, with its uncertainty over learners."""

    value: float
    error: float
    lower: float
    upper: float
    answers: int
    learners: int


def folds_of(responses: ArrayLike, folds: int, seed: int) -> tuple[Ints, Ints, Ints]:
    """Put every answer into one of ``folds`` parts at random.

    Parameters
    ----------
    responses : (N, I) int
    folds : int
    seed : int

    Returns
    -------
    fold, learner, item : (A,) int
        Of the answers, which are the categories; silences are never hidden.
    """
    learner, item = np.nonzero(np.asarray(responses) >= 0)
    return (uniform(derive(seed, learner), item) * folds).astype(np.int64), learner, item


def held_out_scores(
    responses: ArrayLike,
    models: Sequence[str] | str = "2PL",
    *,
    competence: ArrayLike | None = None,
    latent: Latent = Independent(),
    estimate_loadings: bool = False,
    folds: int = 10,
    hidden: int | None = None,
    seed: int = 1,
    priors: Priors = NO_PRIORS,
    skip: SkipPolicy = "unknown",
    options: Options = ROUGH,
) -> HeldOut:
    """Hide a part of the answers, calibrate on the others, predict the hidden ones; once for each part.

    Parameters
    ----------
    responses : (N, I) int
        Categories, or the codes of :mod:`engine.responses`.
    models, competence, latent, estimate_loadings, priors, skip, options
        As for :func:`engine.calibration.calibrate.calibrate`.
    folds : int
        Parts into which the answers are put at random.
    hidden : int, optional
        How many of them are hidden in turn; all when left out.
    seed : int
        The same seed hides the same answers, whatever the model.

    Returns
    -------
    HeldOut

    Raises
    ------
    DesignError
        When there are not two folds, or more are to be hidden than there are.
    ResponseError, ParameterError
        As calibration does.

    Notes
    -----
    The prediction is P(k) = sum over nodes of P_k(node) P(node | other answers of the learner), at the estimated
    parameters and loadings; it never sees the hidden answer. What says anything about the competence of the item is
    used: with independent competences its own answers, on a tree those of the others too.
    """
    given = np.asarray(responses)
    turns = folds if hidden is None else hidden
    if folds < 2 or not 1 <= turns <= folds:
        raise DesignError(f"Hide 1 to {folds} parts of at least 2; {turns} of {folds} were asked for.")
    places = np.zeros(given.shape[-1], dtype=np.int64) if competence is None else np.asarray(competence)
    if given.ndim != 2 or given.size == 0:
        raise ResponseError("Prediction needs a table of whole numbers, one row for each learner, one column an item.")
    fold, learner, item = folds_of(given, folds, seed)
    parts: list[Scores] = []
    calibrations = []
    for turn in range(turns):
        here = fold == turn
        rest = given.copy()
        rest[learner[here], item[here]] = NOT_REACHED
        found = calibrate(
            rest,
            models,
            competence=places,
            latent=latent,
            estimate_loadings=estimate_loadings,
            priors=priors,
            skip=skip,
            options=options,
        )
        parts.append(_predicted(found, places, rest, given, Cells(turn, learner[here], item[here]), skip))
        calibrations.append(found)
    scores = Scores._make(np.concatenate(column) for column in zip(*parts, strict=True))
    return HeldOut(scores, int(np.count_nonzero(fold < turns)) - scores.item.size, tuple(calibrations))


def advantage(scores: ArrayLike, others: ArrayLike, learner: ArrayLike, share: float = 0.95) -> Difference:
    """Mean difference of two scores of the same answers, with an interval that takes learners as the sample.

    Parameters
    ----------
    scores, others : (A,) float
    learner : (A,) int
        Who gave each answer.
    share : float
        Of the interval.

    Returns
    -------
    Difference
        Standard error of a ratio of sums over N learners, sqrt(N / (N - 1) sum of (D_i - m n_i)^2) / A: answers of one
        learner are not independent.

    Examples
    --------
    >>> advantage([0.2, 0.4], [0.1, 0.1], [0, 1]).value
    0.2
    """
    gap = np.asarray(scores, dtype=np.float64) - np.asarray(others, dtype=np.float64)
    _, person = np.unique(np.asarray(learner), return_inverse=True)
    answers, learners = gap.size, int(person.max(initial=-1)) + 1
    if learners < 2:
        raise ResponseError("A standard error needs answers of two learners or more; bring more responses.")
    mean = float(gap.mean())
    sums = np.bincount(person, gap) - mean * np.bincount(person)
    error = float(np.sqrt(learners / (learners - 1.0) * np.sum(sums**2))) / answers
    reach = float(ndtri(0.5 + 0.5 * share)) * error
    return Difference(mean, error, mean - reach, mean + reach, answers, learners)


def compared(one: HeldOut, other: HeldOut, share: float = 0.95) -> tuple[Difference, Difference]:
    """How much better ``one`` predicts than ``other``: differences of log scores, then of Brier scores.

    A better prediction has a higher log score and a lower Brier score.

    Raises
    ------
    DesignError
        When they did not predict the same answers.
    """
    mine, theirs = one.scores, other.scores
    if not all(np.array_equal(a, b) for a, b in zip(mine[:4], theirs[:4], strict=True)):
        raise DesignError("The two models did not predict the same answers; use the same responses, folds and seed.")
    return (
        advantage(mine.log_score, theirs.log_score, mine.learner, share),
        advantage(mine.brier, theirs.brier, mine.learner, share),
    )


class Cells(NamedTuple):
    """Hidden answers of one fold, each (A,)."""

    fold: int
    learner: Ints
    item: Ints


def _predicted(
    found: Calibration, competence: Ints, rest: Ints, given: Ints, hidden: Cells, skip: SkipPolicy
) -> Scores:
    """Scores of the hidden answers to calibrated items, in categories that they have."""
    fold, learner, item = hidden
    row = np.full(given.shape[1], -1)
    row[found.rows] = np.arange(found.rows.size)
    kept = (row[item] >= 0) & (given[learner, item] < found.parameters.categories[row[item]])
    learner, item = learner[kept], item[kept]
    category, at = given[learner, item].astype(np.int64), row[item]
    p = np.empty((item.size, int(found.parameters.categories.max())))
    chances = np.exp(curves(found.parameters, found.check.grid.nodes).log_p)
    for start in range(0, given.shape[0], TOGETHER):
        low, high = np.searchsorted(learner, [start, start + TOGETHER])
        belief = _beliefs(found, competence, rest[start : start + TOGETHER], skip)
        own = belief[learner[low:high] - start, competence[item[low:high]]]
        p[low:high] = np.matmul(chances[at[low:high]], own[:, :, None])[:, :, 0]
    shares = _shares(rest[:, found.rows], p.shape[1])[at]
    return Scores(np.full(item.size, fold), learner, item, category, *_scored(p, category), *_scored(shares, category))


def _beliefs(found: Calibration, competence: Ints, rest: Ints, skip: SkipPolicy) -> Floats:
    """Posterior of every competence from the answers that were not hidden, (n, C, G)."""
    answers = Answers.of(found.parameters, rest[:, found.rows], skip)
    grid, count = found.check.grid, found.latent.competences
    table = curves(answers.items, grid.nodes)
    place = np.tile(competence[found.rows], 2)[answers.item]
    log_likelihood = np.empty((answers.learners, count, grid.count))
    for c in range(count):
        own = place == c
        sums = Sums(table, answers.learner[own], answers.item[own], answers.category[own], answers.learners)
        log_likelihood[:, c] = sums.log_likelihood
    return posterior(found.latent.links(grid), log_likelihood)


def _shares(rest: Ints, categories: int) -> Floats:
    """Shares of the categories of each item among the answers that were not hidden, (J, K)."""
    counts = np.stack([np.count_nonzero(rest == k, axis=0) for k in range(categories)], axis=1)
    return np.asarray(counts / counts.sum(axis=1, keepdims=True))


def _scored(p: Floats, category: Ints) -> tuple[Floats, Floats]:
    chosen = p[np.arange(category.size), category]
    brier = np.sum(p**2, axis=1) - 2.0 * chosen + 1.0
    return np.log(chosen), brier
