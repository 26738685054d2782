"""Graded answers, two countries and web ability items: models compared, and estimates against other methods."""

import math
from functools import lru_cache

import numpy as np
import pytest
from scipy.optimize import minimize

from engine.arrays import Floats
from engine.calibration.calibrate import calibrate
from tests.real_data.figures import ability, countries, graded
from tests.reference import slow
from tests.reference.data import real_data
from tests.reference.fit import plain, real_responses


@pytest.mark.parametrize("model", ["GRM", "GPCM"])
def test_the_log_likelihood_is_that_of_the_formulas_on_another_grid(model: str) -> None:
    given = real_responses("verbagg_poly")
    found = calibrate(given, model)
    assert found.converged
    assert (found.status == 0).all()
    nodes = np.linspace(-7.0, 7.0, 141)
    tables = [
        np.array([slow.probabilities(item, theta) for theta in nodes.tolist()]) for item in plain(found.parameters)
    ]
    weights = np.array([slow.normal()(theta) for theta in nodes.tolist()])
    weights /= weights.sum()
    total = 0.0
    for answers in given.tolist():
        at = weights.copy()
        for table, answer in zip(tables, answers, strict=True):
            at *= table[:, answer]
        total += math.log(at.sum())
    assert found.log_likelihood == pytest.approx(total, abs=1e-4)


def test_graded_responses_fit_better_than_partial_credit_here() -> None:
    """Both have 72 parameters, so that log-likelihoods compare."""
    figures = graded()
    assert figures["GRM"]["parameters"] == figures["GPCM"]["parameters"] == 72
    assert figures["GRM"]["log_likelihood"] - figures["GPCM"]["log_likelihood"] == pytest.approx(12.68, abs=0.05)


def conditional(given: np.ndarray) -> Floats:
    """Rasch difficulties by conditional maximum likelihood, mean 0: nothing is assumed of the population."""
    right = given.sum(axis=0)
    scores = np.bincount(given.sum(axis=1), minlength=given.shape[1] + 1)

    def lost(b: Floats) -> float:
        symmetric = np.zeros(b.size + 1)
        symmetric[0] = 1.0
        for ease in np.exp(-(b - b.mean())):
            symmetric[1:] = symmetric[1:] + ease * symmetric[:-1]
        return float(right @ (b - b.mean()) + scores @ np.log(symmetric)) / given.shape[0]

    best = minimize(lost, np.zeros(right.size), method="BFGS", options={"gtol": 1e-7}).x
    return np.asarray(best - best.mean())


def test_rasch_difficulties_are_those_of_conditional_maximum_likelihood() -> None:
    """Of FIMS: a normal population for each country is enough for the two to agree."""
    given = real_responses("tam_fims")[:, 1:15]
    found = countries()["1PL"]
    b = found["a"] * found["b"]
    assert found["converged"]
    np.testing.assert_allclose(b - b.mean(), conditional(given), atol=0.02)


def test_japan_is_above_australia_whatever_the_model() -> None:
    figures = countries()
    for model, least in (("1PL", 1.0), ("2PL", 1.1)):
        found = figures[model]
        assert found["converged"]
        assert found["mean of Japan"] - 1.96 * found["mean error"] > least
        assert found["sd of Japan"] - 1.96 * found["sd error"] > 1.2
    assert figures["2PL"]["bic"] < figures["1PL"]["bic"] - 2000.0
    assert sorted(np.argsort(figures["2PL"]["a"])[:3].tolist()) == [6, 7, 11], (
        "M1PTI12, M1PTI14 and M1PTI21 hardly scale"
    )


@lru_cache(1)
def families() -> dict:
    real_data("sapa_ability16")
    return ability()


def test_one_ability_is_reliable_and_leaves_families_of_items_dependent() -> None:
    figures = families()
    one = figures["one"]
    assert one["converged"]
    assert one["marginal reliability"] == pytest.approx(0.83, abs=0.01)
    assert one["empirical"] == pytest.approx(one["marginal reliability"], abs=0.02)
    inside, between = figures["mean Q3 inside and between families"]
    assert inside - between > 0.1
    assert 0.05 < figures["M2"]["rmsea"] < 0.07


def test_four_families_hang_on_one_ability() -> None:
    figures = families()
    tree, one, four = figures["tree"], figures["one"], figures["four"]
    assert tree["converged"]
    assert tree["bic"] < one["bic"] - 300.0 < four["bic"] - 1000.0
    loadings, errors = tree["loadings"], tree["loading errors"]
    assert np.isnan(errors[0]), "with one domain its loading on the root means nothing and is held"
    assert (loadings[1:] + 1.96 * errors[1:] < 1.0).all()
    assert int(np.argmin(loadings[1:])) == 3, "rotations"
