"""LSAT7 by the R package mirt, at the same 61 nodes."""

import numpy as np
import pytest

from engine.calibration.calibrate import calibrate
from engine.calibration.em import Options
from engine.calibration.priors import LogitNormal, Priors
from engine.calibration.result import Calibration, ItemStatus
from tests.reference.golden import golden

MIRT = golden("mirt_lsat7_calibration.json")
RASCH_VARIANCE = golden("mirt_lsat7_fit.json")["rasch_variance"]
RESPONSES = np.repeat(np.array(MIRT["patterns"]), MIRT["counts"], axis=0)
GUESSING = Priors(guessing=LogitNormal(-1.386294, 0.5))
EXACT = Options(refine=False, errors=False, gradient=1e-9, most_iterations=3000)
MODELS = {"1PL": ("1PL", Priors()), "2PL": ("2PL", Priors()), "3PL_prior": ("3PL", GUESSING)}


def found_by(name: str, options: Options = EXACT) -> Calibration:
    model, priors = MODELS[name]
    return calibrate(RESPONSES, model, priors=priors, options=options)


@pytest.mark.parametrize("name", list(MODELS))
def test_mirt_finds_the_same(name: str) -> None:
    found, mirt, near = found_by(name), MIRT["models"][name], MIRT["tolerance"][name]
    assert found.converged
    assert (found.status == ItemStatus.CONVERGED).all()
    assert found.log_likelihood == pytest.approx(mirt["logLik"], abs=near["logLik"])
    if "logPost" in mirt:
        assert found.log_posterior == pytest.approx(mirt["logPost"], abs=near["logPost"])
        assert found.log_posterior >= mirt["logPost"]
    slope, usual = mirt["slope_intercept"], mirt["irt_pars"]
    np.testing.assert_allclose(found.working[:, 0], slope["a1"], atol=near["parameters"])
    np.testing.assert_allclose(found.working[:, 1], slope["d"], atol=near["parameters"])
    np.testing.assert_allclose(found.parameters.discrimination, usual["a"], atol=near["parameters"])
    np.testing.assert_allclose(found.parameters.difficulty, usual["b"], atol=near["parameters"])
    np.testing.assert_allclose(found.parameters.guessing, usual["g"], atol=near["parameters"])
    assert found.free == {"1PL": 6, "2PL": 10, "3PL_prior": 15}[name]


@pytest.mark.parametrize("name", list(MODELS))
def test_the_options_that_nobody_changes_come_as_near_as_optimisers_allow(name: str) -> None:
    found, mirt = found_by(name, Options(errors=False)), MIRT["models"][name]
    assert found.log_likelihood == pytest.approx(mirt["logLik"], abs=0.01)
    np.testing.assert_allclose(found.working[:, 0], mirt["slope_intercept"]["a1"], atol=0.005)
    np.testing.assert_allclose(found.working[:, 1], mirt["slope_intercept"]["d"], atol=0.005)
    np.testing.assert_allclose(found.parameters.guessing, mirt["slope_intercept"]["g"], atol=0.005)


def test_a_rasch_model_is_our_1pl_on_another_scale() -> None:
    """mirt holds the slope and estimates the variance of abilities; we hold the variance and estimate the slope."""
    found, mirt, near = found_by("1PL"), MIRT["models"]["Rasch"], MIRT["tolerance"]["Rasch"]["parameters"]
    slope = found.parameters.discrimination
    assert np.unique(slope).size == 1
    assert slope[0] == pytest.approx(RASCH_VARIANCE**0.5, abs=near)
    np.testing.assert_allclose(slope * found.parameters.difficulty, mirt["irt_pars"]["b"], atol=near)
    assert found.log_likelihood == pytest.approx(mirt["logLik"], abs=MIRT["tolerance"]["Rasch"]["logLik"])
