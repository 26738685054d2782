"""M2 against mirt, against moments and covariances enumerated over all patterns, and against its own law."""

import itertools
import math

import numpy as np
import pytest
from scipy.linalg import null_space
from scipy.stats import ncx2

from engine.arrays import Floats, Ints
from engine.calibration.calibrate import calibrate
from engine.calibration.em import Options
from engine.calibration.fit import discrepancy, moments
from engine.calibration.fit.overall import MOST_ITEMS, OverallStatus, m2
from engine.errors import ParameterError
from engine.parameters import ItemParameters, Model
from engine.responses import NOT_REACHED, SKIPPED
from engine.working import existing, from_working, slopes, to_working
from tests.reference import banks, fit

ONE_OF_EACH = ItemParameters.of(
    ["1PL", "2PL", "3PL", "4PL", "GRM", "GPCM", "1PL"],
    [0.9, 1.3, 1.1, 1.4, 1.2, 0.8, 0.9],
    [-0.5, 0.3, 0.0, 0.2, None, None, 0.8],
    [0, 0, 0.2, 0.15, 0, 0, 0],
    [1, 1, 1, 0.95, 1, 1, 1],
    [None, None, None, None, (-0.7, 0.6), (-1.0, 0.2, 0.9), None],
)


@pytest.mark.parametrize("name", ["Rasch", "1PL", "2PL"])
def test_lsat7_is_that_of_mirt(name: str) -> None:
    """Rasch: slopes held at 1 and the standard deviation of the population free."""
    case = fit.mirt_case(name)
    held = np.zeros((5, 4), dtype=bool)
    held[:, 1] = True
    free, moving = (held, [[False, True]]) if name == "Rasch" else (None, None)
    answers = fit.real_responses("lsat7")
    found = m2(case.bank, answers, fit.GRID, case.log_weights, free=free, free_population=moving)
    expected = case.found["M2"]
    assert (found.status, found.df, found.learners) == (OverallStatus.COMPUTED, expected["df"], 1000)
    for ours, theirs in (
        ("m2", "M2"),
        ("p", "p"),
        ("rmsea", "RMSEA"),
        ("srmsr", "SRMSR"),
        ("tli", "TLI"),
        ("cfi", "CFI"),
    ):
        assert getattr(found, ours) == pytest.approx(expected[theirs], abs=case.tolerance), theirs
    ends = np.array(found.rmsea_interval) * np.sqrt(999 / 1000)
    np.testing.assert_allclose(ends, [expected["RMSEA_5"], expected["RMSEA_95"]], rtol=0, atol=case.tolerance)


def test_a_3pl_of_five_items_has_no_degrees_of_freedom_as_mirt_says() -> None:
    case = fit.mirt_case("3PL_prior")
    found = m2(case.bank, fit.real_responses("lsat7"))
    assert "too few degrees of freedom" in case.found["M2"]["error"]
    assert (found.status, found.df) == (OverallStatus.NO_DEGREES, 0)
    assert math.isnan(found.m2)


def monomials(bank: ItemParameters) -> tuple[Floats, Floats]:
    """What each pattern says of every moment, and the probability of each pattern."""
    chances = fit.patterns(bank)
    rows = [[*p, *(p[i] * p[j] for i, j in itertools.combinations(range(len(bank)), 2))] for p in chances]
    return np.array(rows, dtype=np.float64), np.array(list(chances.values()))


def test_moments_and_covariance_are_those_of_all_patterns() -> None:
    rows, p = monomials(ONE_OF_EACH)
    weights = np.exp(fit.GRID.log_weights)
    curves = slopes(ONE_OF_EACH.model, to_working(ONE_OF_EACH), fit.GRID.nodes)
    given = moments.given_ability(curves.log_p, weights)
    np.testing.assert_allclose(moments.expected(given), p @ rows, rtol=1e-9)
    centred = rows - p @ rows
    np.testing.assert_allclose(moments.covariance(given), (centred.T * p) @ centred, rtol=1e-8, atol=1e-12)


def expected_at(working: Floats, models: Ints, weights: Floats) -> Floats:
    return moments.expected(moments.given_ability(slopes(models, working, fit.GRID.nodes).log_p, weights))


def test_derivatives_are_differences() -> None:
    """Of every working parameter of every model, and of the mean and standard deviation of the population."""
    working, models = to_working(ONE_OF_EACH), ONE_OF_EACH.model
    weights = normal_weights(0.2, 0.9)
    curves = slopes(models, working, fit.GRID.nodes)
    given = moments.given_ability(curves.log_p, weights)
    found = moments.by_items(given, curves)
    for item, place in np.argwhere(existing(models, ONE_OF_EACH.categories)):
        step = np.zeros_like(working)
        step[item, place] = 1e-5
        change = expected_at(working + step, models, weights) - expected_at(working - step, models, weights)
        np.testing.assert_allclose(found[:, item, place], change / 2e-5, rtol=1e-5, atol=1e-9)
    absent = ~existing(models, ONE_OF_EACH.categories)
    assert not found[:, absent].any()
    of_population = moments.by_population(given, fit.GRID.nodes)
    for column, (mean, sd) in enumerate([(1e-5, 0.0), (0.0, 1e-5)]):
        after = expected_at(working, models, normal_weights(0.2 + mean, 0.9 + sd))
        before = expected_at(working, models, normal_weights(0.2 - mean, 0.9 - sd))
        np.testing.assert_allclose(of_population[:, column], (after - before) / 2e-5, rtol=1e-5, atol=1e-8)


def normal_weights(mean: float, sd: float) -> Floats:
    density = np.exp(-0.5 * ((fit.GRID.nodes - mean) / sd) ** 2)
    return np.asarray(density / density.sum())


def test_m2_is_the_textbook_form() -> None:
    """N e' C e with C = D_o (D_o' X D_o)^-1 D_o', everything of all patterns one by one; the 1PL slope is shared."""
    answers = fit.simulated(ONE_OF_EACH, np.random.default_rng(3).normal(size=700), 3)
    rows, p = monomials(ONE_OF_EACH)
    centred = rows - p @ rows
    covariance = (centred.T * p) @ centred
    observed = np.array([
        [*row, *(row[i] * row[j] for i, j in itertools.combinations(range(7), 2))] for row in answers.tolist()
    ]).mean(axis=0)  # fmt: skip
    working, models = to_working(ONE_OF_EACH), ONE_OF_EACH.model
    columns, shared = [], np.zeros(covariance.shape[0])
    for item, place in np.argwhere(existing(models, ONE_OF_EACH.categories)):
        step = np.zeros_like(working)
        step[item, place] = 1e-4
        slope = (moments_of(models, working + step) - moments_of(models, working - step)) / 2e-4
        if place == 0 and models[item] == Model.ONE_PL:
            shared += slope
        else:
            columns.append(slope)
    outside = null_space(np.column_stack([*columns, shared]).T)
    residual = observed - p @ rows
    middle = outside @ np.linalg.solve(outside.T @ covariance @ outside, outside.T)
    found = m2(ONE_OF_EACH, answers, fit.GRID)
    assert found.df == outside.shape[1] == 28 - (2 + 1 + 2 + 3 + 4 + 3 + 4)
    assert found.m2 == pytest.approx(700 * residual @ middle @ residual, rel=1e-5)


def moments_of(models: Ints, working: Floats) -> Floats:
    rows, p = monomials(from_working(models, working))
    return np.asarray(p @ rows)


def test_independence_is_m2_of_flat_items() -> None:
    """The general computation with items that do not depend on ability at all."""
    answers = fit.simulated(fit.graded(2, 5), np.random.default_rng(2).normal(size=400), 2).astype(np.float64)
    flat = moments.Given(np.ones(1), answers.mean(axis=0)[:, None], answers.var(axis=0)[:, None])
    first, second = moments.pairs(5)
    rise = np.zeros((15, 5))
    rise[np.arange(5), np.arange(5)] = 1.0
    rise[5 + np.arange(10), first], rise[5 + np.arange(10), second] = flat.mean[second, 0], flat.mean[first, 0]
    block = discrepancy.Block(answers, flat, rise)
    statistic, df = discrepancy.statistic([block])
    alone, alone_df = discrepancy.independence([block])
    assert alone == pytest.approx(statistic, rel=1e-9)
    assert alone_df == df == 10


@pytest.mark.parametrize("bank", [banks.logistic(5, 10, "2PL"), fit.graded(5, 10), fit.graded(6, 10, "GPCM")])
def test_under_the_model_m2_is_nearly_chi_square(bank: ItemParameters) -> None:
    """Sixty replications with known parameters: as many degrees of freedom as moments."""
    rng = np.random.default_rng(2)
    nothing = np.zeros(existing(bank.model, bank.categories).shape, dtype=bool)
    every = [m2(bank, fit.simulated(bank, rng.normal(size=800), seed), free=nothing) for seed in range(60)]
    values, p = np.array([one.m2 for one in every]), np.array([one.p for one in every])
    assert {one.df for one in every} == {55}
    assert np.mean(values) == pytest.approx(55.0, abs=4.0)
    assert np.std(values) == pytest.approx(np.sqrt(110.0), rel=0.25)
    assert np.mean(p < 0.05) <= 0.12
    assert np.mean(p) == pytest.approx(0.5, abs=0.12)


def test_free_parameters_take_their_degrees_of_freedom_away() -> None:
    """Answers of the true items; a projection on what the free parameters cannot explain is still chi-square."""
    bank, rng = banks.logistic(5, 10, "2PL"), np.random.default_rng(2)
    every = [m2(bank, fit.simulated(bank, rng.normal(size=800), seed)) for seed in range(60)]
    assert {one.df for one in every} == {35}
    assert np.mean([one.m2 for one in every]) == pytest.approx(35.0, abs=4.0)


def test_two_dimensions_are_found_out() -> None:
    bank, rng = banks.logistic(1, 10, "2PL"), np.random.default_rng(0)
    first, second = rng.normal(size=(2, 1500))
    answers = fit.simulated(bank, first, 0)
    answers[:, 5:] = fit.simulated(bank, second, 1)[:, 5:]
    found = m2(bank, answers)
    assert found.p < 1e-10
    assert found.rmsea_interval.lower > 0.05
    assert found.srmsr > 0.08
    assert found.cfi < 0.8


def test_populations_are_stacked() -> None:
    """Items held and a free mean: two populations have twice the moments less one parameter."""
    bank, rng = banks.logistic(5, 8, "2PL"), np.random.default_rng(5)
    group = np.repeat([0, 1], [600, 500])
    answers = fit.simulated(bank, rng.normal(size=1100) + 0.8 * group, 5)
    weights = np.log(np.stack([normal_weights(0.0, 1.0), normal_weights(0.8, 1.0)]))
    nothing = np.zeros((8, 4), dtype=bool)
    together = m2(bank, answers, fit.GRID, weights, group=group, free=nothing)
    apart = [m2(bank, answers[group == q], fit.GRID, weights[q], free=nothing) for q in (0, 1)]
    assert together.m2 == pytest.approx(apart[0].m2 + apart[1].m2)
    assert together.df == 72
    assert together.independence == pytest.approx(apart[0].independence + apart[1].independence)
    squares = np.average([one.srmsr**2 for one in apart], weights=[600, 500])
    assert together.srmsr == pytest.approx(np.sqrt(squares))
    moving = m2(bank, answers, fit.GRID, weights, group=group, free=nothing, free_population=[[0, 0], [1, 0]])
    assert moving.df == 71
    shifted = np.log(np.stack([normal_weights(0.0, 1.0), normal_weights(0.0, 1.0)]))
    wrong = m2(bank, answers, fit.GRID, shifted, group=group, free=nothing)
    forgiving = m2(bank, answers, fit.GRID, shifted, group=group, free=nothing, free_population=[[0, 0], [1, 1]])
    assert wrong.p < 1e-6
    assert forgiving.m2 < 0.7 * wrong.m2
    assert forgiving.df == 70


def test_the_interval_is_that_of_the_noncentral_chi_square() -> None:
    bank = banks.logistic(1, 6, "2PL")
    answers = fit.simulated(bank, np.random.default_rng(0).normal(0.0, 1.6, 1500), 0)
    found = m2(bank, answers, free=np.zeros((6, 4), dtype=bool))
    assert found.rmsea_interval.lower > 0.0
    for end, share in zip(found.rmsea_interval, (0.95, 0.05), strict=True):
        assert ncx2.cdf(found.m2, found.df, end**2 * found.df * 1499) == pytest.approx(share, abs=1e-6)
    good = m2(bank, fit.simulated(bank, np.random.default_rng(1).normal(size=500), 1))
    assert good.rmsea_interval.lower == 0.0
    assert good.rmsea <= good.rmsea_interval.upper


def test_only_complete_rows_count() -> None:
    bank = banks.logistic(1, 6, "2PL")
    answers = fit.simulated(bank, np.random.default_rng(0).normal(size=600), 0)
    answers[:100, 2] = NOT_REACHED
    assert m2(bank, answers) == m2(bank, answers[100:])
    answers[:, 2] = NOT_REACHED
    none = m2(bank, answers)
    assert none.status == OverallStatus.NO_COMPLETE_ROWS
    assert none.learners == 0
    assert "every item" in none.status.words


def test_skips_are_wrong_or_missing() -> None:
    bank = banks.logistic(1, 6, "3PL")
    answers = fit.simulated(bank, np.random.default_rng(1).normal(size=500), 1)
    skipped = answers.copy()
    skipped[answers[:, 2] == 0, 2] = SKIPPED
    assert m2(bank, skipped) == m2(bank, answers)
    assert m2(bank, skipped, skip="ignored").status == OverallStatus.SINGULAR
    assert m2(bank, skipped, skip="ignored").learners == np.count_nonzero(answers[:, 2])


def test_reasons_why_there_is_none() -> None:
    many = banks.logistic(1, MOST_ITEMS + 1)
    assert m2(many, np.zeros((5, MOST_ITEMS + 1), dtype=np.int64)).status == OverallStatus.TOO_MANY_ITEMS
    assert m2(many.take([0]), np.zeros((5, 1), dtype=np.int64)).status == OverallStatus.NO_DEGREES
    five = fit.graded(1, 5)
    answers = fit.simulated(five, np.random.default_rng(1).normal(size=500), 1)
    assert m2(five, answers).status == OverallStatus.NO_DEGREES
    assert all(str(status.words).endswith(".") for status in OverallStatus)
    with pytest.raises(ParameterError, match="5 by 6 for the items and of 1 by 2"):
        m2(five, answers, free=[True])
    with pytest.raises(ParameterError, match="1 by 2"):
        m2(five, answers, free_population=[[True, False]] * 2)


@pytest.mark.parametrize(
    ("name", "model", "df"), [("verbagg_poly", "GRM", 300 - 72), ("sapa_ability16", "2PL", 136 - 32)]
)
def test_real_tests_of_several_facets_do_not_fit_one_dimension(name: str, model: str, df: int) -> None:
    """Yet one dimension explains most of what independent items leave."""
    answers = fit.real_responses(name)
    found = m2(calibrate(answers, model, options=Options(errors=False)).parameters, answers)
    assert found.df == df
    assert found.learners == np.count_nonzero((answers >= 0).all(axis=1))
    assert found.p < 1e-10
    assert 0.04 < found.rmsea < 0.15
    assert 0.75 < found.tli < found.cfi < 0.97
