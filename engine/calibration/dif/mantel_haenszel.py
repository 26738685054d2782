"""DIF without a model: the tests of Mantel and Haenszel, and of Mantel, with their effect sizes.

Signs are those of the focal group: a negative D-DIF or mean difference means that the item is harder for the focal
group than for learners of the reference group with the same score. The odds ratio is that of the reference group, as
everywhere.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from engine.arrays import Bools, Floats, Ints
from engine.calibration.calibrate import calibrate
from engine.calibration.dif.matching import (
    Ability,
    Categories,
    Criterion,
    Given,
    SummedScore,
    evidence,
    tables,
    two_groups,
)
from engine.calibration.dif.multiplicity import USUAL, DifStatus, FlagRule, ets_classes
from engine.calibration.dif.stratified import Stratified, stratified
from engine.calibration.em import Options
from engine.calibration.fit.scored import MISSING
from engine.errors import DesignError, ResponseError
from engine.responses import SkipPolicy

DELTA: Final = -2.35
"""MH D-DIF over the log odds ratio: 4 / 1.7, the sd of the delta scale of ETS over that of a logit."""
LARGEST_SHARE: Final = 0.5
"""Purification leaves out no more of the items, those of the largest effects: which half differs could not be told."""


class MantelHaenszel(NamedTuple):
    """What the tests say of I items; NaN where there is nothing to say."""

    chi2: Floats  # (I,) with one degree of freedom
    p: Floats  # (I,)
    adjusted_p: Floats  # (I,) for the number of items tested
    odds_ratio: Floats  # (I,) common odds ratio, odds of the reference group over those of the focal group
    log_odds_error: Floats  # (I,) standard error of its logarithm
    delta: Floats  # (I,) MH D-DIF = -2.35 log(odds ratio)
    delta_error: Floats  # (I,)
    mean_difference: Floats  # (I,) standardised mean difference, focal minus reference, in score points
    mean_difference_error: Floats  # (I,)
    standardised: Floats  # (I,) the same over the sd of the item score
    ets: Ints  # (I,) EtsClass
    flagged: Bools  # (I,)
    status: Ints  # (I,) DifStatus
    answers: Ints  # (I, 2) of the reference group and of the focal group
    matched_on: str  # score, ability or given
    kept: Bools  # (I,) items that learners are matched on
    rounds: int  # of purification
    settled: bool  # whether purification came to rest


def mantel_haenszel(
    responses: ArrayLike,
    group: ArrayLike,
    *,
    reference: int = 0,
    focal: int = 1,
    models: Sequence[str] | str | None = None,
    criterion: ArrayLike | None = None,
    strata: int = 20,
    correct: bool = True,
    purify: bool = True,
    most_rounds: int = 10,
    rule: FlagRule = USUAL,
    fewest: int = 20,
    skip: SkipPolicy = "unknown",
    time_out: SkipPolicy = "incorrect",
) -> MantelHaenszel:
    """Test whether learners of two groups with the same score answer each item alike.

    Parameters
    ----------
    responses : (N, I) int
        Categories, or the codes of :mod:`engine.responses`.
    group : (N,) int
    reference, focal : int
        The two groups compared; learners of others are left out. With several focal groups, call once for each.
    models : name, or sequence of I names, optional
        Models by which ability is estimated where answers are missing; 2PL, and GPCM for items of more than two
        categories, when left out.
    criterion : (N,) float, optional
        What to match on instead of the score, e.g. abilities from an adaptive test; there is no purification then.
    strata : int
        Strata of equal numbers in which abilities, or a criterion of more different values, are matched.
    correct : bool
        Correction for continuity of dichotomous items.
    purify : bool
        Match again without the items flagged, at most half of them, until the same ones are left out again. A studied
        item always counts in its own score.
    most_rounds : int
        Rounds of purification at most.
    rule : FlagRule
    fewest : int
        Answers that an item needs in each group.
    skip, time_out : {"unknown", "incorrect", "ignored"}

    Returns
    -------
    MantelHaenszel

    Raises
    ------
    ResponseError
        When the responses are no table of responses, or answers are missing and no item can be calibrated.
    DesignError
        When the groups or another argument make no sense.

    Notes
    -----
    Learners are matched on the items that both groups have: on the summed score when nobody misses any of them, else on
    EAP ability, from a calibration of the two groups as one. Matching on ability is as good as the abilities: where the
    groups had booklets of different reliability, read small effects with care. Learners without answers are left out.

    Dichotomous items have the test of Mantel and Haenszel (1959; Holland and Thayer 1988) with the standard error of
    Robins, Breslow and Greenland (1986), others that of Mantel (1963). The mean difference is that of Dorans and
    Schmitt (1991), weighted by the focal group, with the standard error of Zwick and Thayer (1996). Classes follow
    Zwick (2012) and Zwick, Thayer and Mazzeo (1997), from the p value of the item alone at 5 %: A when not significant
    or abs(D-DIF) < 1; C when abs(D-DIF) >= 1.5 and significantly above 1; B else. AA when not significant or
    abs(standardised) <= 0.17; CC above 0.25; BB else. Flags follow ``rule``.

    References
    ----------
    Dorans, N. J. and Schmitt, A. P. (1991). Constructed response and differential item functioning: a pragmatic
    approach. ETS Research Report RR-91-47.
    Holland, P. W. and Thayer, D. T. (1988). Differential item performance and the Mantel-Haenszel procedure. In Wainer
    and Braun, Test validity, 129-145.
    Mantel, N. (1963). Chi-square tests with one degree of freedom. Journal of the American Statistical Association, 58,
    690-700.
    Robins, J., Breslow, N. and Greenland, S. (1986). Estimators of the Mantel-Haenszel variance consistent in both
    sparse data and large-strata limiting models. Biometrics, 42, 311-323.
    Zwick, R. and Thayer, D. T. (1996). Evaluating the magnitude of differential item functioning in polytomous items.
    Journal of Educational and Behavioral Statistics, 21, 187-201.
    """
    categories = evidence(responses, skip, time_out)
    chosen = two_groups(group, categories.shape[0], reference, focal)
    chosen &= (categories != MISSING).any(axis=1)
    categories, is_focal = categories[chosen], np.asarray(group)[chosen] == focal
    if strata < 1 or most_rounds < 1 or categories.size == 0:
        raise DesignError("Matching needs learners with answers, at least one stratum and at least one round.")
    present = categories != MISSING
    shared = np.minimum(*(present[is_focal == who].sum(axis=0) for who in (False, True))) >= max(fewest, 1)
    if criterion is None:
        matched = _criterion(categories, shared, models, strata)
    else:
        values = np.asarray(criterion, dtype=np.float64)
        if values.shape != chosen.shape or not np.isfinite(values[chosen]).all():
            raise DesignError("The criterion is one finite number for each learner; correct it.")
        matched, purify = Given(values[chosen], categories, strata), False
    kept, seen = shared, set[bytes]()
    for rounds in range(1, most_rounds + 1 if purify else 2):
        found = stratified(tables(categories, is_focal, matched.matching(kept)), correct)
        result = _judged(found, rule, fewest, matched.name, kept, rounds)
        seen.add(kept.tobytes())
        left = _left(result, shared, rule)
        if not purify or np.array_equal(left, kept):
            return result._replace(settled=True)
        if left.tobytes() in seen:
            break
        kept = left
    return result


def _criterion(categories: Categories, shared: Bools, models: Sequence[str] | str | None, strata: int) -> Criterion:
    """Match on the summed score when nobody misses any of the items that both groups have, else on ability."""
    if (categories[:, shared] != MISSING).all():
        return SummedScore(categories)
    if models is None:
        models = ["GPCM" if highest > 1 else "2PL" for highest in categories.max(axis=0).tolist()]
    try:
        found = calibrate(np.where(shared, categories, MISSING), models, options=Options(errors=False))
    except ResponseError as error:
        raise ResponseError(f"Answers are missing, so that learners are matched on ability, and: {error}") from None
    return Ability(found, categories, strata)


def _left(result: MantelHaenszel, shared: Bools, rule: FlagRule) -> Bools:
    """Items to match on next."""
    size = np.where(result.flagged & shared, _ratio(result.delta, result.standardised, rule), 0.0)
    worst = np.argsort(-size, kind="stable")[: int(LARGEST_SHARE * np.count_nonzero(shared))]
    left = shared.copy()
    left[worst[size[worst] > 0]] = False
    return left


def _ratio(delta: Floats, standardised: Floats, rule: FlagRule) -> Floats:
    """Effects over their thresholds: of the D-DIF where there is one, else of the standardised mean difference."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(np.isnan(delta), np.abs(standardised) / rule.standardised, np.abs(delta) / rule.delta)
    return np.asarray(ratio)


def _judged(
    found: Stratified, rule: FlagRule, fewest: int, matched_on: str, kept: Bools, rounds: int
) -> MantelHaenszel:
    status = _statuses(found, fewest)
    tested = status <= DifStatus.SEPARATED
    has_odds = (status == DifStatus.TESTED) & found.dichotomous
    chi2 = np.where(tested, found.chi2, np.nan)
    p = np.asarray(chdtrc(1.0, chi2), dtype=np.float64)
    odds, log_error = (np.where(has_odds, part, np.nan) for part in (found.odds_ratio, found.log_odds_error))
    delta, delta_error = DELTA * np.log(odds), -DELTA * log_error
    mean, error, standardised = (
        np.where(tested, part, np.nan)
        for part in (found.mean_difference, found.mean_difference_error, found.standardised)
    )
    adjusted = rule.adjusted(p)
    return MantelHaenszel(
        chi2=chi2,
        p=p,
        adjusted_p=adjusted,
        odds_ratio=odds,
        log_odds_error=log_error,
        delta=delta,
        delta_error=delta_error,
        mean_difference=mean,
        mean_difference_error=error,
        standardised=standardised,
        ets=ets_classes(p, delta, delta_error, standardised),
        flagged=rule.flagged(adjusted, _ratio(delta, standardised, rule)),
        status=status,
        answers=found.answers,
        matched_on=matched_on,
        kept=kept,
        rounds=rounds,
        settled=False,
    )


def _statuses(found: Stratified, fewest: int) -> Ints:
    return np.select(
        [
            (found.answers < max(fewest, 1)).any(axis=1),
            found.constant.all(axis=1) & (found.highest[:, 0] == found.highest[:, 1]),
            ~(found.variance > 0),
            found.constant.any(axis=1) | ~np.isfinite(found.log_odds_error) & found.dichotomous,
        ],
        [DifStatus.ONE_GROUP, DifStatus.CONSTANT, DifStatus.NO_MATCH, DifStatus.SEPARATED],
        DifStatus.TESTED,
    )
