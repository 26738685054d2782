"""Needs in order of priority, for a group and for one learner, as scores that can be explained.

The score of a competence is the number of levels that a learner lacks to the target, on average:

    score = E max(0, target - level) = share below the target x levels missing of those below,

the expectation being over what the answers leave open and over the learners. A need is great when many are below, or
far below.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from engine.arrays import Bools, Floats, Ints
from engine.errors import DesignError
from engine.levels import level
from engine.ranking import quantised
from engine.responses import NONE


class Needs(NamedTuple):
    """Needs of a group or of a learner; NaN where nobody is known."""

    score: Floats  # (*batch, C) expected levels missing per learner
    share_below: Floats  # (*batch, C) expected share of the learners below the target
    missing_when_below: Floats  # (*batch, C) levels missing, on average, of those below; 0 where nobody is
    learners: Ints  # (*batch, C) learners known
    order: Ints  # (*batch, C) competences, the greatest score first, the lowest row first among equals


class NextSteps(NamedTuple):
    """Competences to work on next, the best first, each (*batch, K); NONE or NaN where there is no more."""

    competence: Ints
    level: Ints  # level to go for
    score: Floats  # missing x reach
    missing: Floats  # expected levels missing to the target
    reach: Floats  # probability of being at or above the level to go for already: how near it is


def needs(probabilities: ArrayLike, targets: ArrayLike) -> Needs:
    """Score how much each competence lacks to its target.

    Parameters
    ----------
    probabilities : (*batch, n, C, L + 1) float, or (C, L + 1) for one learner
        Of each level; NaN where a learner is unknown, who is left out.
    targets : (C,) int
        Level aimed at, 0 to L; -1 where there is none. Nothing lacks to a target of 0 or to none.

    Returns
    -------
    Needs

    Raises
    ------
    DesignError
        When the targets do not go with the levels.

    Examples
    --------
    A quarter of the class far below the target weighs as much as half of it one level below:

    >>> far, near, there = [1, 0, 0], [0, 1, 0], [0, 0, 1]
    >>> of_class = needs([[far, near], [there, near], [there, there], [there, there]], [2, 2])
    >>> of_class.score.tolist(), of_class.share_below.tolist(), of_class.missing_when_below.tolist()
    ([0.5, 0.5], [0.25, 0.5], [2.0, 1.0])
    """
    each, gap = _checked(probabilities, targets)
    each = each[None] if each.ndim == 2 else each
    known = np.asarray(~np.isnan(each).any(axis=-1))
    learners = np.asarray(np.count_nonzero(known, axis=-2), dtype=np.int64)
    total = np.where(known[..., None], each, 0.0).sum(axis=-3)
    missing, below = (total * gap).sum(axis=-1), (total * (gap > 0)).sum(axis=-1)
    counted = learners > 0
    score, share = (_over(part, learners, counted, np.nan) for part in (missing, below))
    of_those = np.where(counted, _over(missing, below, below > 0.0, 0.0), np.nan)
    return Needs(score, share, of_those, learners, _order(score))


def next_steps(probabilities: ArrayLike, targets: ArrayLike, count: int = 3) -> NextSteps:
    """Suggest to a learner which competences to work on next.

    Of the competences whose level is below the target, those come first that have the greatest product of

    - what is missing: the expected number of levels to the target, and
    - reach: the probability that the learner is at or above the next level already. It is below one half, as the level
      would be the learner's otherwise; near one half the next level is at hand, near 0 it is far.

    So a competence far below its target comes first if its next level is as near as that of another, and one whose next
    level is near comes first if as much is missing.

    Parameters
    ----------
    probabilities : (*batch, C, L + 1) float
        Of each level, of one learner; NaN where the competence is unknown, which is then not suggested.
    targets : (C,) int
        Level aimed at, 0 to L; -1 where there is none.
    count : int
        Suggestions, at most.

    Returns
    -------
    NextSteps
        K is the smaller of ``count`` and C.

    Raises
    ------
    DesignError
        When the targets do not go with the levels, or the count is negative.

    Examples
    --------
    The second competence is as near its next level as the first, and further from its target; the third is there.

    >>> steps = next_steps([[0.6, 0.4, 0.0], [0.6, 0.4, 0.0], [0.0, 0.1, 0.9]], [1, 2, 2])
    >>> steps.competence.tolist(), steps.level.tolist(), steps.score.round(2).tolist()
    ([1, 0, -1], [1, 1, -1], [0.64, 0.24, nan])
    """
    each, gap = _checked(probabilities, targets)
    if count < 0:
        raise DesignError(f"A number of suggestions is 0 or more, not {count}; correct it.")
    known = np.asarray(~np.isnan(each).any(axis=-1))
    sure = np.where(known[..., None], each, 0.0)
    reached = level(sure).level
    open_ = known & (reached < np.asarray(targets, dtype=np.int64))
    missing = (sure * gap).sum(axis=-1)
    reach = (sure * (np.arange(each.shape[-1]) > reached[..., None])).sum(axis=-1)
    score = np.where(open_, missing * reach, np.nan)
    best = _order(score)[..., :count]
    exists = np.take_along_axis(open_, best, axis=-1)
    following = np.take_along_axis(reached + 1, best, axis=-1)
    figures = (np.take_along_axis(field, best, axis=-1) for field in (score, missing, reach))
    return NextSteps(
        np.where(exists, best, NONE),
        np.where(exists, following, NONE),
        *(np.where(exists, figure, np.nan) for figure in figures),
    )


def _checked(probabilities: ArrayLike, targets: ArrayLike) -> tuple[Floats, Ints]:
    """Probabilities, and the levels missing at each level, (C, L + 1)."""
    each, aim = np.asarray(probabilities, dtype=np.float64), np.asarray(targets)
    if each.ndim < 2 or aim.shape != each.shape[-2:-1] or not np.issubdtype(aim.dtype, np.integer):
        raise DesignError("Each competence needs its level probabilities and a target, a whole number; align them.")
    top = each.shape[-1] - 1
    if ((aim < -1) | (aim > top)).any():
        raise DesignError(f"Targets are levels from 0 to {top}, or -1 for none; correct them.")
    return each, np.maximum(aim[:, None] - np.arange(top + 1), 0)


def _over(part: Floats, whole: Floats | Ints, where: Bools, otherwise: float) -> Floats:
    """Quotient where it exists."""
    quotient: Floats = np.divide(part, whole, out=np.full(part.shape, otherwise), where=where)
    return quotient


def _order(score: Floats) -> Ints:
    """Columns by falling score, NaN last, the lowest first among equals."""
    return np.argsort(-quantised(np.where(np.isnan(score), -np.inf, score)), axis=-1, kind="stable")
