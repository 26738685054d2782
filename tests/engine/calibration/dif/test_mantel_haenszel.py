"""Mantel-Haenszel and Mantel against textbook loops, R, identities, planted DIF and two countries."""

import csv
import math
from collections import defaultdict

import numpy as np
import pytest
from scipy.stats import chi2 as chi_square

from engine.calibration.dif.mantel_haenszel import MantelHaenszel, mantel_haenszel
from engine.calibration.dif.multiplicity import DifStatus, EtsClass, FlagRule
from engine.calibration.dif.stratified import stratified
from engine.errors import DesignError, ResponseError
from engine.responses import NOT_REACHED, SKIPPED, TIMED_OUT
from tests.reference.data import real_data

NO_DIF = {"purify": False, "rule": FlagRule(adjustment="none")}


def answers(seed: int, learners: int, items: int, impact: float = 0.0, shift: np.ndarray | float = 0.0) -> tuple:
    """2PL answers of two groups; the items are harder by ``shift`` for group 1."""
    rng = np.random.default_rng(seed)
    group = np.arange(learners) % 2
    ability = rng.normal(size=learners) - impact * group
    slope, difficulty = rng.lognormal(0.0, 0.25, items), rng.normal(size=items)
    z = slope * (ability[:, None] - difficulty - shift * group[:, None])
    return (rng.random((learners, items)) < 1 / (1 + np.exp(-z))).astype(np.int8), group


def graded(seed: int, learners: int, items: int) -> tuple:
    """Answers in 2 to 4 categories."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 2, learners)
    ability = rng.normal(size=(learners, 1)) + 0.4 * group[:, None]
    highest = np.arange(items) % 3 + 1
    return np.clip(np.round(highest / 2 + ability + rng.normal(size=(learners, items))), 0, highest).astype(int), group


def slow(responses: np.ndarray, group: np.ndarray, item: int, correct: bool) -> dict[str, float]:
    """One item by the formulas of the papers, learner by learner."""
    strata = defaultdict(lambda: ([], []))
    for row, who in zip(responses.tolist(), group.tolist(), strict=True):
        strata[sum(row)][who].append(row[item])
    gap = variance = up = down = phillips = focal = 0.0
    for one, other in strata.values():
        everybody, count = one + other, len(one) + len(other)
        focal += len(other) if one and other else 0
        if count > 1:
            squares, total = count * sum(y * y for y in everybody), sum(everybody) ** 2
            variance += len(one) * len(other) * (squares - total) / (count**2 * (count - 1))
        gap += sum(other) - len(other) * sum(everybody) / count
        up += one.count(1) * other.count(0) / count
        down += one.count(0) * other.count(1) / count
    difference = error = 0.0
    for one, other in strata.values():
        if not (one and other):
            continue
        everybody, count = one + other, len(one) + len(other)
        share = len(other) / focal
        difference += share * (sum(other) / len(other) - sum(one) / len(one))
        spread = (count * sum(y * y for y in everybody) - sum(everybody) ** 2) / (count**2 * (count - 1))
        error += share**2 * (1 / len(one) + 1 / len(other)) ** 2 * len(one) * len(other) * spread
    found = {"mean_difference": difference, "mean_difference_error": math.sqrt(error)}
    found["standardised"] = difference / float(np.std(responses[:, item]))
    dichotomous = responses[:, item].max() <= 1
    found["chi2"] = max(abs(gap) - (0.5 if correct and dichotomous else 0.0), 0.0) ** 2 / variance
    if dichotomous:
        alpha = up / down
        for one, other in strata.values():  # Phillips and Holland (1987), the same variance in another form
            a, b, c, d, t = one.count(1), one.count(0), other.count(1), other.count(0), len(one) + len(other)
            phillips += (a * d + alpha * b * c) * (a + d + alpha * (b + c)) / t**2
        found |= {"odds_ratio": alpha, "log_odds_error": math.sqrt(phillips / (2 * up**2))}
        found["delta"] = -2.35 * math.log(alpha)
    return found


@pytest.mark.parametrize("correct", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_the_formulas_of_the_papers(seed: int, correct: bool) -> None:
    responses, group = graded(seed, 400, 6)
    found = mantel_haenszel(responses, group, correct=correct, **NO_DIF)
    assert found.matched_on == "score"
    for item in range(6):
        for name, value in slow(responses, group, item, correct).items():
            assert getattr(found, name)[item] == pytest.approx(value, rel=1e-9), (item, name)
    assert found.p == pytest.approx(chi_square.sf(found.chi2, 1), rel=1e-9)
    assert np.isnan(found.delta).tolist() == [False, True, True] * 2


def test_the_two_tables_of_agresti_as_r_prints_them() -> None:
    """mantelhaen.test of R: penicillin and rabbits, AZT and AIDS symptoms (Agresti 2002)."""
    rabbits = [[[6, 0], [5, 0]], [[3, 3], [6, 0]], [[2, 4], [4, 2]], [[1, 5], [0, 6]], [[0, 2], [0, 5]]]
    rabbits = [[[0, 6], [0, 5]], [[3, 3], [0, 6]], [[6, 0], [2, 4]], [[5, 1], [6, 0]], [[2, 0], [5, 0]]]
    aids = [[[14, 93], [32, 81]], [[11, 52], [12, 43]]]
    printed = [(rabbits, 3.9286, 7.0, (1.026713, 47.725133)), (aids, 6.0799, 0.4869955, (0.2818621, 0.8414208))]
    for rows, chi2, odds, limits in printed:
        # R compares row 1 with row 2 and column 1 with column 2; column 1 is the right answer here.
        table = np.array(rows, dtype=float)[None, :, :, ::-1]
        found = stratified(table, correct=True)
        assert found.chi2[0] == pytest.approx(chi2, abs=5e-5)
        assert found.odds_ratio[0] == pytest.approx(odds, abs=5e-7)
        reach = 1.959964 * found.log_odds_error[0]
        assert odds * np.exp([-reach, reach]) == pytest.approx(limits, rel=2e-6)


def test_in_one_stratum_mantels_statistic_is_a_correlation() -> None:
    rng = np.random.default_rng(3)
    group = rng.integers(0, 2, 200)
    responses = np.clip(rng.integers(0, 4, (200, 1)) + group[:, None], 0, 3)
    found = mantel_haenszel(responses, group, criterion=np.zeros(200))
    r = np.corrcoef(group, responses[:, 0])[0, 1]
    assert found.chi2[0] == pytest.approx(199 * r**2, rel=1e-9)
    assert found.matched_on == "given"


def test_what_changes_when_groups_change_places_and_what_does_not() -> None:
    responses, group = graded(5, 500, 6)
    one, other = mantel_haenszel(responses, group, **NO_DIF), mantel_haenszel(responses, 1 - group, **NO_DIF)
    assert one.chi2 == pytest.approx(other.chi2, rel=1e-9)
    assert one.delta == pytest.approx(-other.delta, rel=1e-9, nan_ok=True)
    assert one.delta_error == pytest.approx(other.delta_error, rel=1e-9, nan_ok=True)
    shuffled = np.random.default_rng(0).permutation(500)
    again = mantel_haenszel(responses[shuffled], group[shuffled], **NO_DIF)
    named = mantel_haenszel(responses, np.where(group == 1, 7, 3), reference=3, focal=7, **NO_DIF)
    for result in (again, named):
        assert np.array_equal(one.chi2, result.chi2)
    third = np.concatenate([group, np.full(100, 9)])
    with_others = mantel_haenszel(np.concatenate([responses, np.zeros((100, 6), dtype=int)]), third, **NO_DIF)
    assert np.array_equal(one.chi2, with_others.chi2)


def test_without_dif_the_rate_of_false_alarms_is_the_nominal_one() -> None:
    whole, holes = [], []
    for seed in range(12):
        responses, group = answers(seed, 1200, 25, impact=0.6)
        whole.append(mantel_haenszel(responses, group, correct=False, **NO_DIF).p)
        lacking = np.where(np.random.default_rng(seed).random(responses.shape) < 0.4, NOT_REACHED, responses)
        holes.append(mantel_haenszel(lacking, group, correct=False, **NO_DIF).p)
    for p in (np.concatenate(whole), np.concatenate(holes)):
        assert 0.025 < np.mean(p < 0.05) < 0.08
        assert 0.4 < np.mean(p < 0.5) < 0.6


def test_purification_finds_what_was_planted_and_nothing_else() -> None:
    shift = np.where(np.arange(20) < 6, 0.8, 0.0)
    responses, group = answers(11, 3000, 20, shift=shift)
    plain = mantel_haenszel(responses, group, purify=False, rule=FlagRule(delta=0.4))
    pure = mantel_haenszel(responses, group, rule=FlagRule(delta=0.4))
    assert plain.flagged[6:].sum() >= 3
    assert np.array_equal(pure.flagged, shift > 0)
    assert np.array_equal(pure.kept, shift == 0)
    assert (pure.settled, plain.rounds) == (True, 1)
    assert 2 <= pure.rounds <= 10
    assert (pure.delta[:6] < -1.0).all()
    assert np.abs(pure.delta[6:]).max() < np.abs(plain.delta[6:]).max()


def test_an_item_left_out_of_the_score_is_matched_with_itself_in() -> None:
    responses, group = answers(2, 1500, 12, shift=np.where(np.arange(12) == 0, 1.5, 0.0))
    pure = mantel_haenszel(responses, group)
    assert np.flatnonzero(~pure.kept).tolist() == [0]
    assert pure.chi2[0] == pytest.approx(slow(responses, group, 0, True)["chi2"], rel=1e-9)
    rest = np.column_stack([responses[:, 1:]])
    assert pure.chi2[3] == pytest.approx(slow(rest, group, 2, True)["chi2"], rel=1e-9)


def test_booklets_are_matched_on_ability() -> None:
    responses, group = answers(4, 4000, 30, impact=0.5, shift=np.where(np.arange(30) == 12, 0.9, 0.0))
    booklet = np.random.default_rng(1).integers(0, 3, 4000)
    block = np.arange(30) // 10
    seen = (block[None, :] == booklet[:, None]) | (block[None, :] == (booklet[:, None] + 1) % 3)
    found = mantel_haenszel(np.where(seen, responses, NOT_REACHED), group)
    assert found.matched_on == "ability"
    assert np.flatnonzero(found.flagged).tolist() == [12]
    assert found.delta[12] < -1.2
    assert np.array_equal(found.answers.sum(axis=1), seen.sum(axis=0))


def test_on_complete_data_ability_and_score_say_the_same() -> None:
    responses, group = answers(8, 2500, 25, impact=0.5, shift=np.where(np.arange(25) == 3, 1.0, 0.0))
    one_missing = responses.copy()
    one_missing[0, 0] = NOT_REACHED
    by_score = mantel_haenszel(responses, group)
    by_ability = mantel_haenszel(one_missing, group, models="1PL", strata=26)
    assert (by_score.matched_on, by_ability.matched_on) == ("score", "ability")
    assert np.corrcoef(by_score.delta, by_ability.delta)[0, 1] > 0.98
    assert np.array_equal(by_score.flagged, by_ability.flagged)


def test_silences_are_read_by_their_policies() -> None:
    responses, group = answers(9, 600, 8)
    silent = responses.copy()
    silent[::7, 2], silent[::5, 4] = SKIPPED, TIMED_OUT
    wrong = np.where(silent < 0, 0, silent)
    assert np.array_equal(mantel_haenszel(silent, group).chi2, mantel_haenszel(wrong, group).chi2)
    ignored = mantel_haenszel(silent, group, skip="ignored", time_out="ignored", **NO_DIF)
    assert ignored.matched_on == "ability"
    assert ignored.answers.sum(axis=1).tolist() == (silent >= 0).sum(axis=0).tolist()


def test_what_cannot_be_tested_has_its_status_and_does_not_stop_the_rest() -> None:
    responses, group = answers(10, 800, 10)
    responses[group == 1, 1] = NOT_REACHED
    responses[:, 2] = NOT_REACHED
    responses[:, 3] = 1
    responses[group == 1, 4] = 0
    found = mantel_haenszel(responses, group)
    expected = [DifStatus.ONE_GROUP, DifStatus.ONE_GROUP, DifStatus.CONSTANT, DifStatus.SEPARATED]
    assert found.status.tolist() == [DifStatus.TESTED, *expected, *[DifStatus.TESTED] * 5]
    assert np.isnan(found.p).tolist() == [False, True, True, True, *[False] * 6]
    assert np.isnan(found.delta).tolist() == [False, True, True, True, True, *[False] * 5]
    assert found.flagged.tolist() == [row == 4 for row in range(10)]
    assert found.ets[:5].tolist() == [EtsClass.A, EtsClass.NONE, EtsClass.NONE, EtsClass.NONE, EtsClass.C]
    apart = mantel_haenszel(responses[:, 5:], group, criterion=group.astype(float))
    assert (apart.status == DifStatus.NO_MATCH).all()
    assert not apart.flagged.any()
    few = np.flatnonzero(np.concatenate([group[:400] == 0, group[400:] == 0]))
    few = np.concatenate([few, np.flatnonzero(group == 1)[:10]])
    assert (mantel_haenszel(responses[few, 5:], group[few]).status == DifStatus.ONE_GROUP).all()


def test_classes_of_ets() -> None:
    """|D-DIF| 1.2 significant, 1.2 not, 2 surely above 1, 2 not surely, 0.9 significant."""
    cases = [(600, 1.2, EtsClass.B), (30, 1.2, EtsClass.A), (600, 2.0, EtsClass.C), (50, 2.0, EtsClass.B)]
    for half, delta, wanted in [*cases, (3000, 0.9, EtsClass.A)]:
        odds = math.exp(delta / 2.35)
        right = round(2 * half * math.sqrt(odds) / (1 + math.sqrt(odds)))
        one, other = np.zeros(2 * half, dtype=int), np.zeros(2 * half, dtype=int)
        one[:right], other[: 2 * half - right] = 1, 1
        found = mantel_haenszel(
            np.concatenate([one, other])[:, None], np.repeat([0, 1], 2 * half), criterion=np.zeros(4 * half)
        )
        assert found.delta[0] == pytest.approx(-delta, abs=0.15)
        assert found.ets[0] == wanted


def test_what_is_refused() -> None:
    responses, group = answers(0, 100, 4)
    for wrong in (group[:-1], group.astype(float), np.zeros(100, dtype=int)):
        with pytest.raises(DesignError):
            mantel_haenszel(responses, wrong)
    with pytest.raises(DesignError, match="two groups"):
        mantel_haenszel(responses, group, reference=1, focal=1)
    with pytest.raises(DesignError, match="criterion"):
        mantel_haenszel(responses, group, criterion=np.full(100, np.nan))
    with pytest.raises(DesignError, match="stratum"):
        mantel_haenszel(responses, group, strata=0)
    for wrong in (responses.astype(float), responses[0], responses - 9):
        with pytest.raises(ResponseError):
            mantel_haenszel(wrong, group)
    hopeless = np.full((100, 2), NOT_REACHED)
    hopeless[:50, 0], hopeless[50:, 1] = 1, 0
    with pytest.raises(ResponseError, match="Answers are missing"):
        mantel_haenszel(hopeless, group)


@pytest.fixture(scope="module")
def fims() -> MantelHaenszel:
    with real_data("tam_fims").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    items = [name for name in rows[0] if name not in ("SEX", "country")]
    responses = np.array([[int(row[name]) for name in items] for row in rows])
    return mantel_haenszel(responses, np.array([int(row["country"]) for row in rows]), reference=1, focal=2)


def test_between_two_countries_half_of_the_items_differ(fims: MantelHaenszel) -> None:
    assert fims.matched_on == "score"
    assert fims.settled
    assert (fims.status == DifStatus.TESTED).all()
    assert 5 <= fims.flagged.sum() <= 9
    assert (np.sign(fims.delta) == np.sign(fims.mean_difference))[fims.flagged].all()
    assert fims.odds_ratio[7] == pytest.approx(3.4, abs=0.2)
