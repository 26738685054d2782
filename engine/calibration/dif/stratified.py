"""Statistics of two groups in strata, for all items at once: odds ratios, Mantel's test, mean differences."""

from typing import NamedTuple

import numpy as np

from engine.arrays import Bools, Floats, Ints


class Stratified(NamedTuple):
    """What the tables of I items say; nothing is left out that can be computed."""

    dichotomous: Bools  # (I,) no category above 1
    chi2: Floats  # (I,)
    variance: Floats  # (I,) of the focal group's sum of scores, given the margins
    odds_ratio: Floats  # (I,) dichotomous items
    log_odds_error: Floats  # (I,)
    mean_difference: Floats  # (I,) focal minus reference, weighted by the focal group
    mean_difference_error: Floats  # (I,)
    standardised: Floats  # (I,)
    answers: Ints  # (I, 2)
    highest: Ints  # (I, 2) category of each group
    constant: Bools  # (I, 2) whether a group gave one category alone


def stratified(tables: Floats, correct: bool) -> Stratified:
    """Compare the two groups within the strata.

    Parameters
    ----------
    tables : (I, S, 2, K) float
        Answers of the reference and of the focal group in each stratum and category.
    correct : bool
        Correction for continuity of dichotomous items: 1/2 less in the numerator, never below 0.

    Returns
    -------
    Stratified

    Notes
    -----
    With n learners of a stratum, of whom n_R and n_F of the groups, and scores y: the sum of the focal group's scores
    has expectation n_F sum(y) / n and variance n_R n_F (n sum(y^2) - sum(y)^2) / (n^2 (n - 1)) (Mantel 1963), which for
    two categories is the variance of Mantel and Haenszel. A stratum of one group alone adds nothing.

    Examples
    --------
    >>> one = np.array([[[[10.0, 20.0], [20.0, 10.0]]]])
    >>> stratified(one, correct=False).odds_ratio.tolist()
    [4.0]
    """
    score = np.arange(tables.shape[3], dtype=np.float64)
    each = tables.sum(axis=3)
    reference, focal = each[..., 0], each[..., 1]
    count = reference + focal
    sums, squares = tables @ score, (tables @ score**2).sum(axis=2)
    both = sums.sum(axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = np.where(count > 0, focal * both / count, 0.0)
        spread = reference * focal * (count * squares - both**2) / (count**2 * (count - 1.0))
    spread = np.where(count > 1, spread, 0.0)
    by_category = tables.sum(axis=1)
    dichotomous = by_category[..., 2:].sum(axis=(1, 2)) == 0
    variance = spread.sum(axis=1)
    gap = np.abs((sums[..., 1] - expected).sum(axis=1))
    gap = np.maximum(gap - np.where(dichotomous & correct, 0.5, 0.0), 0.0)
    odds, log_error = _odds(tables, count)
    difference, error = _means(sums, reference, focal, spread)
    answers = by_category.sum(axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        chi2 = gap**2 / variance
        total = answers.sum(axis=1)
        sd = np.sqrt(squares.sum(axis=1) / total - (both.sum(axis=1) / total) ** 2)
        standardised = difference / sd
    some = by_category > 0
    return Stratified(
        dichotomous=dichotomous,
        chi2=chi2,
        variance=variance,
        odds_ratio=odds,
        log_odds_error=log_error,
        mean_difference=difference,
        mean_difference_error=error,
        standardised=standardised,
        answers=answers.astype(np.int64),
        highest=np.max(np.where(some, np.arange(score.size), 0), axis=2),
        constant=some.sum(axis=2) <= 1,
    )


def _odds(tables: Floats, count: Floats) -> tuple[Floats, Floats]:
    """Odds ratio that the strata have in common, with the standard error of its log (Robins et al. 1986)."""
    whole = np.where(count > 0, count, 1.0)
    wrong_reference, right_reference = tables[:, :, 0, 0], tables[:, :, 0, 1]
    wrong_focal, right_focal = tables[:, :, 1, 0], tables[:, :, 1, 1]
    along, across = (right_reference + wrong_focal) / whole, (wrong_reference + right_focal) / whole
    up, down = right_reference * wrong_focal / whole, wrong_reference * right_focal / whole
    ups, downs = up.sum(axis=1), down.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = (
            np.sum(along * up, axis=1) / ups**2
            + np.sum(along * down + across * up, axis=1) / (ups * downs)
            + np.sum(across * down, axis=1) / downs**2
        )
        return ups / downs, np.sqrt(0.5 * variance)


def _means(sums: Floats, reference: Floats, focal: Floats, spread: Floats) -> tuple[Floats, Floats]:
    """Standardised mean difference with its standard error, over the strata that have learners of both groups."""
    shared = (reference > 0) & (focal > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = np.where(shared, focal, 0.0)
        weight = weight / weight.sum(axis=1, keepdims=True)
        gap = np.where(shared, sums[..., 1] / focal - sums[..., 0] / reference, 0.0)
        turn = np.where(shared, 1.0 / focal + 1.0 / reference, 0.0)
    return np.sum(weight * gap, axis=1), np.sqrt(np.sum((weight * turn) ** 2 * spread, axis=1))
