"""S-X2 against mirt, enumeration, a slow table by table reference, and its own law under the model."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.arrays import Ints
from engine.calibration.calibrate import calibrate
from engine.calibration.em import Options
from engine.calibration.fit.items import FitStatus, ItemFit, free_parameters, s_x2
from engine.calibration.fit.summed import joint, score_distribution
from engine.errors import ParameterError, ResponseError
from engine.parameters import ItemParameters
from engine.responses import NOT_REACHED, SKIPPED, TIMED_OUT
from tests.reference import banks, fit, slow

NONE_FREE = np.zeros(12, dtype=np.int64)


def slow_s_x2(bank: ItemParameters, responses: Ints, item: int, smallest: float = 1.0) -> tuple[float, int]:
    """Statistic and cells of one item of complete answers, cell by cell."""
    chances = fit.patterns(bank)
    top = sum(int(k) - 1 for k in bank.categories)
    most = int(bank.categories[item])
    rows = []
    for score in range(1, top):
        total = sum(p for pattern, p in chances.items() if sum(pattern) == score)
        there = responses[responses.sum(axis=1) == score]
        expected = [
            len(there)
            * sum(p for pattern, p in chances.items() if sum(pattern) == score and pattern[item] == k)
            / total
            for k in range(most)
        ]
        rows.append((expected, [int(np.sum(there[:, item] == k)) for k in range(most)]))
    groups: list[tuple[list[float], list[int]]] = []
    waiting = ([0.0] * most, [0] * most)
    for expected, observed in rows:
        waiting = (
            [x + y for x, y in zip(waiting[0], expected, strict=True)],
            [x + y for x, y in zip(waiting[1], observed, strict=True)],
        )
        if len(slow_cells(waiting, smallest)) > 1:
            groups.append(waiting)
            waiting = ([0.0] * most, [0] * most)
    groups[-1] = (
        [x + y for x, y in zip(groups[-1][0], waiting[0], strict=True)],
        [x + y for x, y in zip(groups[-1][1], waiting[1], strict=True)],
    )
    cells = [slow_cells(group, smallest) for group in groups]
    statistic = sum((o - e) ** 2 / e for group in cells for e, o in group)
    return statistic, sum(len(group) - 1 for group in cells)


def slow_cells(row: tuple[list[float], list[int]], smallest: float) -> list[tuple[float, int]]:
    cells, e, o = [], 0.0, 0
    for k, (expected, observed) in enumerate(zip(*row, strict=True)):
        e, o = e + expected, o + observed
        if e >= smallest and sum(row[0][k + 1 :]) >= smallest:
            cells.append((e, o))
            e, o = 0.0, 0
    return [*cells, (e, o)]


@pytest.mark.parametrize("name", ["Rasch", "1PL", "2PL", "3PL_prior"])
def test_lsat7_is_that_of_mirt(name: str) -> None:
    """mirt counts the common slope, or the variance, as a parameter of every item."""
    case = fit.mirt_case(name)
    free = [2] * 5 if name in ("Rasch", "1PL") else None
    found = s_x2(case.bank, fit.real_responses("lsat7"), fit.GRID, case.log_weights, free=free)
    expected = case.found["S_X2"]
    np.testing.assert_allclose(found.statistic, expected["S_X2"], rtol=0, atol=case.tolerance)
    np.testing.assert_array_equal(found.df, expected["df.S_X2"])
    np.testing.assert_allclose(found.p, expected["p.S_X2"], rtol=0, atol=case.tolerance)
    np.testing.assert_allclose(found.rmsea, expected["RMSEA.S_X2"], rtol=0, atol=case.tolerance)


def test_joint_distribution_is_that_of_all_patterns() -> None:
    bank = banks.mixed(3, 6)
    chances = fit.patterns(bank)
    found = joint(bank, fit.GRID.nodes, np.exp(fit.GRID.log_weights))
    expected = np.zeros_like(found)
    for pattern, p in chances.items():
        for item, k in enumerate(pattern):
            expected[item, sum(pattern), k] += p
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-15)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(1, 25))
def test_laws_of_summed_scores(seed: int, count: int) -> None:
    """They sum to 1; their mean is the sum of means; leaving an item out and bringing it back changes nothing."""
    bank = banks.mixed(seed, count)
    nodes = np.array([-6.0, -1.0, 0.5, 6.0])
    whole = score_distribution(bank, nodes)
    np.testing.assert_allclose(whole.sum(axis=0), 1.0, rtol=1e-12)
    means = [
        sum(k * p for item in fit.plain(bank) for k, p in enumerate(slow.probabilities(item, float(node))))
        for node in nodes
    ]
    np.testing.assert_allclose(np.arange(whole.shape[0]) @ whole, means, rtol=1e-9, atol=1e-12)
    weights = np.array([0.1, 0.2, 0.3, 0.4])
    together = joint(bank, nodes, weights)
    np.testing.assert_allclose(together.sum(axis=2), np.tile(whole @ weights, (len(bank), 1)), rtol=1e-10, atol=1e-300)


@pytest.mark.parametrize(("seed", "learners", "smallest"), [(0, 40, 1.0), (1, 150, 1.0), (2, 400, 5.0)])
def test_collapsing_is_that_of_the_slow_reference(seed: int, learners: int, smallest: float) -> None:
    """Few learners for the scores there are: most of the cells are too small on their own."""
    bank = banks.mixed(seed, 6)
    answers = fit.simulated(bank, np.random.default_rng(seed).normal(size=learners), seed)
    found = s_x2(bank, answers, fit.GRID, free=NONE_FREE[:6], fewest=20, smallest=smallest)
    for item in range(6):
        statistic, cells = slow_s_x2(bank, answers, item, smallest)
        assert found.df[item] == cells
        assert found.statistic[item] == pytest.approx(statistic, rel=1e-8)


@pytest.mark.parametrize("bank", [banks.logistic(5, 12, "2PL"), fit.graded(5, 12), fit.graded(6, 12, "GPCM")])
def test_under_the_model_p_values_are_nearly_uniform(bank: ItemParameters) -> None:
    """Twenty replications of twelve items whose parameters are known."""
    rng = np.random.default_rng(11)
    every = [s_x2(bank, fit.simulated(bank, rng.normal(size=1000), seed), free=NONE_FREE) for seed in range(20)]
    p = np.array([one.p for one in every])
    assert np.mean([one.statistic / one.df for one in every]) == pytest.approx(1.0, abs=0.05)
    assert 0.02 <= np.mean(p < 0.05) <= 0.09
    assert np.mean(p) == pytest.approx(0.5, abs=0.06)


def test_a_wrong_item_is_found_and_the_right_ones_are_not() -> None:
    true = banks.logistic(8, 12, "2PL")
    slopes = true.discrimination.copy()
    slopes[4] *= 0.3
    answers = fit.simulated(true, np.random.default_rng(0).normal(size=2000), 0)
    found = s_x2(ItemParameters.of("2PL", slopes, true.difficulty), answers, free=NONE_FREE)
    assert found.p[4] < 1e-4
    assert np.delete(found.p, 4).min() > 0.005
    assert np.argmax(found.rmsea) == 4


def test_booklets_add_up() -> None:
    bank = banks.logistic(2, 12, "3PL")
    answers = fit.simulated(bank, np.random.default_rng(2).normal(size=900), 2)
    first, second = answers[:500], answers[500:]
    first[:, 8:] = NOT_REACHED
    second[:, :4] = NOT_REACHED
    alone = [
        s_x2(bank.take(np.arange(8)), first[:, :8], free=NONE_FREE[:8]),
        s_x2(bank.take(np.arange(4, 12)), second[:, 4:], free=NONE_FREE[:8]),
    ]
    order = np.random.default_rng(3).permutation(900)
    found = s_x2(bank, np.concatenate([first, second])[order], free=NONE_FREE + 3)
    statistic, cells = np.zeros(12), np.zeros(12)
    for part, items in zip(alone, (slice(0, 8), slice(4, 12)), strict=True):
        statistic[items] += part.statistic
        cells[items] += part.df
    np.testing.assert_allclose(found.statistic, statistic, rtol=1e-12)
    np.testing.assert_array_equal(found.df, cells - 3)
    np.testing.assert_array_equal(found.learners, [500] * 4 + [900] * 4 + [400] * 4)


def test_populations_are_blocks_with_their_own_weights() -> None:
    bank, rng = banks.logistic(2, 8, "2PL"), np.random.default_rng(4)
    answers = fit.simulated(bank, np.concatenate([rng.normal(size=400), rng.normal(1.0, 0.7, 300)]), 4)
    group = np.repeat([0, 1], [400, 300])
    weights = np.stack([-0.5 * fit.GRID.nodes**2, -0.5 * ((fit.GRID.nodes - 1.0) / 0.7) ** 2])
    together = s_x2(bank, answers, fit.GRID, weights, group=group, free=NONE_FREE[:8])
    apart = [s_x2(bank, answers[group == q], fit.GRID, weights[q], free=NONE_FREE[:8]) for q in (0, 1)]
    np.testing.assert_allclose(together.statistic, apart[0].statistic + apart[1].statistic, rtol=1e-12)
    np.testing.assert_array_equal(together.df, apart[0].df + apart[1].df)


def test_adaptive_data_have_no_s_x2() -> None:
    bank, rng = banks.logistic(1, 30, "2PL"), np.random.default_rng(1)
    answers = fit.simulated(bank, rng.normal(size=500), 1)
    answers[rng.uniform(size=answers.shape) < 0.6] = NOT_REACHED
    found = s_x2(bank, answers)
    assert set(found.status.tolist()) == {FitStatus.NOT_APPLICABLE}
    assert np.isnan([found.statistic, found.p, found.rmsea]).all()
    assert not found.learners.any()


def test_two_items_leave_no_degrees_of_freedom() -> None:
    bank = banks.logistic(1, 2, "2PL")
    answers = fit.simulated(bank, np.random.default_rng(1).normal(size=300), 1)
    assert s_x2(bank, answers).status.tolist() == [FitStatus.NO_DEGREES] * 2
    assert np.isnan(s_x2(bank, answers).p).all()


def test_skips_and_time_outs_are_wrong_or_missing() -> None:
    bank = banks.logistic(1, 6, "3PL")
    answers = fit.simulated(bank, np.random.default_rng(1).normal(size=600), 1)
    skipped, missing = answers.copy(), answers.copy()
    skipped[answers[:, 2] == 0, 2] = SKIPPED
    skipped[answers[:, 3] == 0, 3] = TIMED_OUT
    missing[answers[:, 2] == 0, 2] = NOT_REACHED
    missing[answers[:, 3] == 0, 3] = NOT_REACHED
    same(s_x2(bank, skipped), s_x2(bank, answers))
    same(s_x2(bank, skipped, skip="incorrect", time_out="unknown"), s_x2(bank, answers))
    same(s_x2(bank, skipped, skip="ignored", time_out="ignored"), s_x2(bank, missing))


def same(found: ItemFit, expected: ItemFit) -> None:
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_free_parameters_of_every_model() -> None:
    bank = ItemParameters.of(
        ["1PL", "2PL", "3PL", "4PL", "GRM", "GPCM"], [1.0] * 6, [0.0] * 4 + [None] * 2,
        [0, 0, 0.1, 0.1, 0, 0], [1, 1, 1, 0.9, 1, 1], [None] * 4 + [(0.0, 1.0), (0.0, 1.0, 2.0)],
    )  # fmt: skip
    assert free_parameters(bank).tolist() == [1, 2, 3, 4, 3, 4]


def test_what_does_not_fit_together_is_refused() -> None:
    bank = banks.logistic(1, 3)
    answers = np.zeros((5, 3), dtype=np.int64)
    with pytest.raises(ParameterError, match="each of the 3 items"):
        s_x2(bank, answers, free=[1, 2])
    with pytest.raises(ResponseError, match="categories are 0 to 1"):
        s_x2(bank, answers + 2)
    with pytest.raises(ResponseError, match="one weight for each of the 61 nodes"):
        s_x2(bank, answers, log_weights=np.zeros(5))
    with pytest.raises(ResponseError, match="which one each learner is from"):
        s_x2(bank, answers, log_weights=np.zeros((2, 61)))
    with pytest.raises(ResponseError, match="numbered 0 to 1"):
        s_x2(bank, answers, log_weights=np.zeros((2, 61)), group=[0, 1, 2, 0, 0])
    with pytest.raises(ResponseError, match="one population for each of the 5"):
        s_x2(bank, answers, group=[0, 0])
    with pytest.raises(ResponseError, match="not all 0"):
        s_x2(bank, answers, log_weights=np.full(61, -np.inf))
    with pytest.raises(ResponseError, match="one column for each item"):
        s_x2(bank, answers[0])


def test_nobody_and_nothing() -> None:
    found = s_x2(banks.logistic(1, 3), np.empty((0, 3), dtype=np.int64))
    assert found.status.tolist() == [FitStatus.NOT_APPLICABLE] * 3
    assert s_x2(banks.logistic(1, 3).take(np.arange(0)), np.empty((4, 0), dtype=np.int64)).statistic.size == 0


def test_sapa_misfits_where_the_rotations_are() -> None:
    """The learners who answered everything are the one block; a rotation is solved by a strategy or not at all."""
    answers = fit.real_responses("sapa_ability16")
    found = s_x2(calibrate(answers, "2PL", options=Options(errors=False)).parameters, answers)
    assert set(found.learners.tolist()) == {int(np.count_nonzero((answers >= 0).all(axis=1)))}
    assert set(np.argsort(found.p)[:3].tolist()) <= {12, 13, 14, 15}
    assert np.all(found.df >= 8)


def test_verbal_aggression_fits_item_by_item() -> None:
    """Three categories, 316 learners, 47 scores: nearly every cell is too small on its own."""
    answers = fit.real_responses("verbagg_poly")
    found = s_x2(calibrate(answers, "GRM", options=Options(errors=False)).parameters, answers)
    assert np.all(found.df > 10)
    assert np.mean(found.statistic / found.df) == pytest.approx(1.0, abs=0.25)
    assert np.count_nonzero(found.p < 0.01) <= 2
