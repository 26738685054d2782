"""Infit, outfit and Q3 against mirt, enumeration and numpy's correlations, and their own laws under the model.

mirt's infit and outfit compare with the EAP ability (``against="ability"``); ours by default with what the other items
make likely, whose expectations under the model are checked by enumerating all patterns.
"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.arrays import Floats, Ints
from engine.calibration.calibrate import calibrate
from engine.calibration.em import Options
from engine.calibration.fit.residuals import mean_squares, q3
from engine.calibration.fit.scored import CELLS
from engine.errors import DesignError, ResponseError
from engine.estimators import estimate
from engine.parameters import ItemParameters
from engine.responses import NOT_REACHED, SKIPPED, TIMED_OUT
from tests.reference import banks, fit, slow

NAMES = ["Rasch", "1PL", "2PL", "3PL_prior"]


@pytest.mark.parametrize("name", NAMES)
def test_mean_squares_of_lsat7_are_those_of_mirt(name: str) -> None:
    case, expected = fit.mirt_case(name), fit.mirt_case(name).found["infit"]
    found = mean_squares(case.bank, fit.real_responses("lsat7"), fit.GRID, case.log_weights, against="ability")
    for ours, theirs in (("infit", "infit"), ("infit_z", "z.infit"), ("outfit", "outfit"), ("outfit_z", "z.outfit")):
        np.testing.assert_allclose(getattr(found, ours), expected[theirs], rtol=0, atol=case.tolerance, err_msg=ours)


@pytest.mark.parametrize("name", NAMES)
def test_q3_of_lsat7_is_that_of_mirt(name: str) -> None:
    case = fit.mirt_case(name)
    expected = np.array(case.found["Q3"])
    found = q3(case.bank, fit.real_responses("lsat7"), fit.GRID, case.log_weights)
    np.testing.assert_allclose(found.q3, expected, rtol=0, atol=case.tolerance)
    assert found.mean == pytest.approx(expected[~np.eye(5, dtype=bool)].mean(), abs=case.tolerance)
    assert not found.flagged.any()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_model_expects_one_and_knows_the_variance(seed: int) -> None:
    """Over all patterns with their probabilities, one learner at a time: both are exact, and mirt's is far below 1."""
    bank = banks.mixed(seed, 6)
    chances = fit.patterns(bank)
    p = np.array(list(chances.values()))
    ratio, squares, information, variance = (np.empty((p.size, 6)) for _ in range(4))
    for row, pattern in enumerate(chances):
        for item in range(6):
            likely = swapped(chances, pattern, item, int(bank.categories[item]))
            mean = sum(k * q for k, q in enumerate(likely))
            information[row, item] = sum((k - mean) ** 2 * q for k, q in enumerate(likely))
            squares[row, item] = (pattern[item] - mean) ** 2
            ratio[row, item] = squares[row, item] / information[row, item]
            fourth = sum((k - mean) ** 4 * q for k, q in enumerate(likely))
            variance[row, item] = fourth / information[row, item] ** 2 - 1.0
    np.testing.assert_allclose(p @ ratio, 1.0, rtol=1e-9)
    np.testing.assert_allclose(p @ squares, p @ information, rtol=1e-9)
    np.testing.assert_allclose(p @ (ratio - 1.0) ** 2, p @ variance, rtol=1e-9)
    drawn = np.random.default_rng(seed).choice(p.size, 300, p=p / p.sum())
    answers = np.array(list(chances))[drawn]
    found = mean_squares(bank, answers, fit.GRID)
    np.testing.assert_allclose(found.outfit, ratio[drawn].mean(axis=0), rtol=1e-8)
    np.testing.assert_allclose(found.infit, squares[drawn].sum(axis=0) / information[drawn].sum(axis=0), rtol=1e-8)
    spread = np.sqrt(variance[drawn].sum(axis=0)) / 300
    z = 3.0 * (np.cbrt(found.outfit) - 1.0) / spread + spread / 3.0
    np.testing.assert_allclose(found.outfit_z, z, rtol=1e-7, atol=1e-7)


def swapped(chances: dict[tuple[int, ...], float], pattern: tuple[int, ...], item: int, count: int) -> list[float]:
    """Probability of each answer to one item given the others."""
    each = [chances[(*pattern[:item], k, *pattern[item + 1 :])] for k in range(count)]
    return [q / math.fsum(each) for q in each]


@pytest.mark.parametrize("bank", [banks.logistic(3, 12, "3PL"), fit.graded(3, 12), fit.graded(4, 12, "GPCM")])
def test_standardised_mean_squares_are_nearly_standard_normal(bank: ItemParameters) -> None:
    rng = np.random.default_rng(1)
    every = [mean_squares(bank, fit.simulated(bank, rng.normal(size=1000), seed)) for seed in range(20)]
    for z in (np.array([one.infit_z for one in every]), np.array([one.outfit_z for one in every])):
        assert np.mean(z) == pytest.approx(0.0, abs=0.25)
        assert np.std(z) == pytest.approx(1.0, abs=0.15)


def test_a_flat_item_is_seen_where_the_estimated_ability_hides_it() -> None:
    """One slope of 0.5 among ten of 1: infit above 1 against the others, and nothing against the EAP ability."""
    true = np.ones(10)
    true[5] = 0.5
    difficulty = np.linspace(-1.5, 1.5, 10)
    answers = fit.simulated(ItemParameters.of("2PL", true, difficulty), np.random.default_rng(0).normal(size=1000), 0)
    rasch = ItemParameters.of("1PL", np.ones(10), difficulty)
    assert mean_squares(rasch, answers).infit_z[5] > 4.0
    assert np.argmax(mean_squares(rasch, answers).infit) == 5
    assert mean_squares(rasch, answers, against="ability").infit_z[5] < 1.0
    assert np.mean(np.delete(mean_squares(rasch, answers, against="ability").infit_z, 5)) < -2.0


def slow_residuals(bank: ItemParameters, answers: Ints) -> Floats:
    """Answers less their expectations at the EAP ability, NaN where there is no answer."""
    ability = estimate(bank, answers).ability
    items = fit.plain(bank)
    expected = [
        [sum(k * p for k, p in enumerate(slow.probabilities(item, float(t)))) for item in items] for t in ability
    ]
    return np.where(answers >= 0, answers - np.array(expected), np.nan)


@pytest.mark.parametrize("share", [0.0, 0.4, 0.92])
def test_q3_is_the_correlation_of_pairs_with_both_answers(share: float) -> None:
    """Of all answers, and of few: with 92 % missing the products are sparse."""
    bank, rng = banks.mixed(7, 8), np.random.default_rng(7)
    answers = fit.simulated(bank, rng.normal(size=3000), 7)
    answers[rng.uniform(size=answers.shape) < share] = NOT_REACHED
    found = q3(bank, answers, fit.GRID, fewest=8)
    residual = slow_residuals(bank, answers)
    for i in range(8):
        for j in range(8):
            both = np.isfinite(residual[:, i]) & np.isfinite(residual[:, j])
            assert found.learners[i, j] == both.sum()
            if both.sum() < 8:
                assert np.isnan(found.q3[i, j])
            else:
                expected = np.corrcoef(residual[both, i], residual[both, j])[0, 1]
                assert found.q3[i, j] == pytest.approx(expected, abs=2e-7)
    off = ~np.eye(8, dtype=bool)
    assert found.mean == pytest.approx(np.nanmean(found.q3[off]))
    np.testing.assert_allclose(found.above[off], found.q3[off] - found.mean)
    np.testing.assert_array_equal(found.flagged[off], found.above[off] > 0.2)


def test_twins_are_flagged() -> None:
    bank = banks.logistic(9, 15, "2PL")
    answers = fit.simulated(bank, np.random.default_rng(9).normal(size=1500), 9)
    copies = np.random.default_rng(1).uniform(size=1500) < 0.6
    answers[copies, 6] = answers[copies, 2]
    found = q3(bank, answers)
    assert [tuple(pair) for pair in np.argwhere(found.flagged)] == [(2, 6), (6, 2)]


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(2, 9), st.integers(2, 60))
def test_learners_may_come_in_any_order_and_items_too(seed: int, items: int, learners: int) -> None:
    bank, rng = banks.mixed(seed, items), np.random.default_rng(seed)
    answers = fit.simulated(bank, rng.normal(size=learners), seed)
    answers[rng.uniform(size=answers.shape) < 0.3] = NOT_REACHED
    rows, columns = rng.permutation(learners), rng.permutation(items)
    for against in ("others", "ability"):
        found = mean_squares(bank, answers, against=against)
        moved = mean_squares(bank.take(columns), answers[rows][:, columns], against=against)
        for one, other in zip(found, moved, strict=True):
            np.testing.assert_allclose(other, one[columns], rtol=1e-9, atol=1e-9)
    found, moved = q3(bank, answers, fewest=5), q3(bank.take(columns), answers[rows][:, columns], fewest=5)
    np.testing.assert_allclose(moved.q3, found.q3[np.ix_(columns, columns)], rtol=1e-6, atol=1e-9)


def test_learners_are_worked_on_a_few_at_a_time_with_the_same_result() -> None:
    bank = banks.logistic(4, 40)
    answers = fit.simulated(bank, np.random.default_rng(4).normal(size=300), 4)
    times = CELLS // (80 * 300) + 2
    once, often = mean_squares(bank, answers), mean_squares(bank, np.tile(answers, (times, 1)))
    np.testing.assert_allclose(often.outfit, once.outfit, rtol=1e-11)
    np.testing.assert_allclose(often.infit, once.infit, rtol=1e-11)
    np.testing.assert_array_equal(often.learners, times * once.learners)


def test_populations_have_their_own_weights() -> None:
    bank, rng = banks.logistic(2, 8), np.random.default_rng(4)
    ability = np.concatenate([rng.normal(size=3000), rng.normal(2.0, 0.5, 3000)])
    group = np.repeat([0, 1], 3000)
    weights = np.stack([-0.5 * fit.GRID.nodes**2, -0.5 * ((fit.GRID.nodes - 2.0) / 0.5) ** 2])
    answers = fit.simulated(bank, ability, 4)
    right = mean_squares(bank, answers, fit.GRID, weights, group=group)
    wrong = mean_squares(bank, answers, fit.GRID, weights, group=1 - group)
    assert np.abs(right.infit_z).max() < 3.5
    assert np.abs(wrong.infit_z).max() > 5.0


def test_skips_and_time_outs_are_wrong_or_missing() -> None:
    bank = banks.logistic(1, 6, "3PL")
    answers = fit.simulated(bank, np.random.default_rng(1).normal(size=200), 1)
    skipped, missing = answers.copy(), answers.copy()
    skipped[answers[:, 2] == 0, 2], skipped[answers[:, 3] == 0, 3] = SKIPPED, TIMED_OUT
    missing[answers[:, 2] == 0, 2], missing[answers[:, 3] == 0, 3] = NOT_REACHED, NOT_REACHED
    for statistic in (mean_squares, q3):
        np.testing.assert_array_equal(statistic(bank, skipped)[0], statistic(bank, answers)[0])
        ignored = statistic(bank, skipped, skip="ignored", time_out="ignored")
        np.testing.assert_array_equal(ignored[0], statistic(bank, missing)[0])


def test_items_without_answers_have_no_fit() -> None:
    bank = banks.logistic(1, 4)
    answers = fit.simulated(bank, np.random.default_rng(1).normal(size=100), 1)
    answers[:, 1] = NOT_REACHED
    found, pairs = mean_squares(bank, answers), q3(bank, answers)
    assert np.isnan([found.infit[1], found.infit_z[1], found.outfit[1], found.outfit_z[1]]).all()
    assert found.learners.tolist() == [100, 0, 100, 100]
    assert np.isnan(pairs.q3[1]).all()
    assert np.isfinite(np.delete(np.delete(pairs.q3, 1, 0), 1, 1)).all()
    nobody = q3(bank, answers[:0])
    assert math.isnan(nobody.mean)
    assert not nobody.flagged.any()


def test_extreme_items_and_abilities_stay_finite() -> None:
    """Nodes at which an answer has a probability below the smallest double."""
    bank = ItemParameters.of(
        ["GRM", "2PL", "GPCM", "2PL"], [50.0, 50.0, 20.0, 1.0], [None, 0.0, None, 0.0],
        thresholds=[(-2.0, 0.0, 2.0), None, (-1.0, 1.0), None],
    )  # fmt: skip
    answers = np.array([[0, 1, 0, 1], [3, 0, 2, 0], [1, 1, 1, 1], [2, 0, 0, 1]])
    for against in ("others", "ability"):
        found = mean_squares(bank, answers, against=against)
        assert not np.isnan([found.infit, found.outfit]).any()


def test_what_does_not_fit_together_is_refused() -> None:
    bank = banks.logistic(1, 3)
    with pytest.raises(DesignError, match="others, ability"):
        mean_squares(bank, np.zeros((5, 3), dtype=np.int64), against="truth")  # type: ignore[arg-type]
    with pytest.raises(ResponseError, match="correct the response"):
        q3(bank, np.full((5, 3), 2))


def test_verbal_aggression_is_dependent_where_items_share_their_words() -> None:
    """Four situations, wanting and doing, three behaviours: what depends shares the situation or the behaviour."""
    answers = fit.real_responses("verbagg_poly")
    found = q3(calibrate(answers, "GRM", options=Options(errors=False)).parameters, answers)
    item = np.arange(24)
    situation, behaviour = item // 3 % 4, item % 3
    related = (situation[:, None] == situation) | (behaviour[:, None] == behaviour)
    assert found.flagged.sum() > 20
    assert not found.flagged[~related].any()


def test_rotations_of_sapa_hang_together() -> None:
    """Reasoning, letters, matrices and rotations, four items each; with real skips."""
    answers = fit.real_responses("sapa_ability16")
    parameters = calibrate(answers, "2PL", options=Options(errors=False)).parameters
    above = q3(parameters, answers).above
    kind = np.arange(16) // 4
    same = (kind[:, None] == kind) & ~np.eye(16, dtype=bool)
    other = kind[:, None] != kind
    assert above[same].mean() > above[other].mean() + 0.05
    np.testing.assert_allclose(mean_squares(parameters, answers).infit, 1.0, atol=0.1)
