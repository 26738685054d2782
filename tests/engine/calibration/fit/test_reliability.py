"""Reliability against mirt, the textbook formulas, Cronbach's alpha of real data, and simulated abilities."""

import math

import numpy as np
import pytest
from scipy.integrate import quad

from engine.calibration.calibrate import calibrate
from engine.calibration.em import Options
from engine.calibration.fit.reliability import (
    empirical_reliability,
    marginal_reliability,
    reliability,
    total_information,
)
from engine.errors import ResponseError
from engine.estimators import estimate
from engine.parameters import ItemParameters
from engine.responses import NOT_REACHED, SKIPPED
from tests.reference import banks, fit, slow

NAMES = ["Rasch", "1PL", "2PL", "3PL_prior"]


@pytest.mark.parametrize("name", NAMES)
def test_information_and_marginal_reliability_are_those_of_mirt(name: str) -> None:
    """mirt's marginal_rxx of the Rasch model, whose variance is not 1, is not a reliability: see the golden file."""
    case = fit.mirt_case(name)
    expected = case.found["testinfo"]
    found = total_information(case.bank, expected["theta"])
    np.testing.assert_allclose(found.information, expected["info"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.se, np.array(expected["info"]) ** -0.5, rtol=1e-8)
    if name != "Rasch":
        assert marginal_reliability(case.bank)[0] == pytest.approx(case.found["marginal_rxx"], abs=1e-7)


def test_marginal_reliability_does_not_depend_on_the_unit_of_ability() -> None:
    """Rasch with the variance estimated and 1PL with the slope estimated are one model; mirt gives 0.415 and 0.425."""
    rasch, one = fit.mirt_case("Rasch"), fit.mirt_case("1PL")
    of_rasch = marginal_reliability(rasch.bank, fit.GRID, rasch.log_weights)[0]
    assert of_rasch == pytest.approx(one.found["marginal_rxx"], abs=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_empirical_reliability_is_that_of_mirt(name: str) -> None:
    case = fit.mirt_case(name)
    found = reliability(case.bank, fit.real_responses("lsat7"), fit.GRID, case.log_weights)
    assert found.empirical[0] == pytest.approx(case.found["empirical_rxx"], abs=case.tolerance)
    assert found.learners.tolist() == [1000]


def test_information_is_the_sum_of_those_of_the_slow_items() -> None:
    bank = banks.mixed(3, 8)
    nodes = [-2.0, 0.0, 1.5]
    found = total_information(bank, nodes)
    expected = [sum(slow.information(item, node) for item in fit.plain(bank)) for node in nodes]
    np.testing.assert_allclose(found.information, expected, rtol=1e-6)


def test_no_items_have_no_information() -> None:
    found = total_information(banks.logistic(0, 3).take(np.arange(0)), [0.0, 1.0])
    assert found.information.tolist() == [0.0, 0.0]
    assert np.isinf(found.se).all()


def test_marginal_reliability_is_its_integral_in_each_population() -> None:
    bank, items = banks.mixed(4, 6), fit.plain(banks.mixed(4, 6))
    populations = [(0.0, 1.0), (0.5, 0.8)]
    weights = np.stack([-0.5 * ((fit.GRID.nodes - mean) / sd) ** 2 for mean, sd in populations])
    found = marginal_reliability(bank, fit.GRID, weights)
    for (mean, sd), ours in zip(populations, found, strict=True):
        density = slow.normal(mean, sd)

        def share(theta: float, sd: float = sd, density: slow.Density = density) -> float:
            total = sum(slow.information(item, theta) for item in items)
            return density(theta) * total / (total + sd**-2)

        # The five-point differences of the reference lose digits far out, where nobody is.
        expected, _ = quad(share, mean - 5 * sd, mean + 5 * sd, epsabs=1e-7)
        assert ours == pytest.approx(expected, abs=2e-5)


def test_empirical_reliability_is_the_squared_correlation_with_the_truth() -> None:
    """What reliability means: of 20,000 simulated learners of two populations."""
    bank, rng = banks.logistic(6, 15, "2PL"), np.random.default_rng(6)
    group = np.repeat([0, 1], 10_000)
    ability = np.where(group == 0, rng.normal(size=20_000), rng.normal(0.7, 0.6, 20_000))
    weights = np.stack([-0.5 * fit.GRID.nodes**2, -0.5 * ((fit.GRID.nodes - 0.7) / 0.6) ** 2])
    answers = fit.simulated(bank, ability, 6)
    found = reliability(bank, answers, fit.GRID, weights, group=group)
    eap = estimate(bank, answers[group == 0]).ability
    assert found.empirical[0] == pytest.approx(np.corrcoef(eap, ability[group == 0])[0, 1] ** 2, abs=0.01)
    assert found.empirical[1] < found.empirical[0]
    np.testing.assert_allclose(found.empirical, found.marginal, atol=0.04)


def test_skips_are_wrong_or_missing_and_the_silent_are_left_out() -> None:
    bank = banks.logistic(6, 8, "2PL")
    answers = fit.simulated(bank, np.random.default_rng(6).normal(size=200), 6)
    whole = reliability(bank, answers)
    skipped = np.where(answers == 0, SKIPPED, answers)
    assert reliability(bank, skipped).empirical == whole.empirical
    missing = reliability(bank, np.where(answers == 0, NOT_REACHED, answers))
    assert reliability(bank, skipped, skip="ignored").empirical == missing.empirical
    silent = np.full((50, 8), NOT_REACHED)
    among = reliability(bank, np.concatenate([answers, silent]))
    assert among.empirical == whole.empirical
    assert among.learners.tolist() == [200]
    assert math.isnan(reliability(bank, silent).empirical[0])


def test_estimates_that_do_not_exist_are_left_out() -> None:
    assert empirical_reliability([-1.0, 0.0, 1.0, np.nan], [0.5, 0.5, 0.5, 0.1]) == pytest.approx(0.8)
    assert math.isnan(empirical_reliability([1.0, np.nan], [0.5, 0.5]))
    with pytest.raises(ResponseError, match="one for each"):
        empirical_reliability([1.0, 2.0], [0.5])


@pytest.mark.parametrize(("name", "model"), [("verbagg_poly", "GRM"), ("sapa_ability16", "2PL")])
def test_real_data_are_about_as_reliable_as_cronbach_says(name: str, model: str) -> None:
    """Alpha is of the summed score and bounds its reliability from below; EAP weighs the items better."""
    answers = fit.real_responses(name)
    answers = answers[(answers >= 0).all(axis=1)]
    parameters = calibrate(answers, model, options=Options(errors=False)).parameters
    count = answers.shape[1]
    alpha = count / (count - 1) * (1 - answers.var(axis=0, ddof=1).sum() / answers.sum(axis=1).var(ddof=1))
    found = reliability(parameters, answers)
    assert alpha - 0.02 <= found.empirical[0] <= alpha + 0.05
    assert found.marginal[0] == pytest.approx(found.empirical[0], abs=0.02)


def test_a_long_test_is_nearly_certain_and_an_easy_one_is_not() -> None:
    grows = [marginal_reliability(ItemParameters.of("2PL", np.full(n, 1.5), np.zeros(n)))[0] for n in (1, 10, 100)]
    assert grows == sorted(grows)
    assert grows[2] > 0.93
    easy = ItemParameters.of("2PL", np.full(10, 1.5), np.full(10, -3.0))
    assert marginal_reliability(easy)[0] < grows[1] / 2
