"""Estimates of catR 3.17 and mirt 1.47, with their own settings.

catR searches and integrates on [-4, 4] with 33 nodes and the trapezoid rule. Where the numbers differ on purpose:

* Standard error of the mode under Jeffreys' prior, D = 1.702: not compared. catR takes I - (log I)'' / 2, and so do we;
  at D = 1 all of them agree. At D = 1.702 its second derivative is another number than the derivative of its own
  first one, which the last test of this file shows; the abilities agree.
* mirt's standard errors of ML and MAP for 3PL items: mirt inverts the observed information, we (like catR) the Fisher
  information. Both are compared, the observed one with our second derivatives.
* mirt's "WLE" is the mode under Jeffreys' prior. For 2PL items that is Warm's estimate; for 3PL it is not.
* mirt's ML does not exist for some patterns (null in the file); ours is a bound of the range then, and says so.
"""

import numpy as np
import pytest

from engine.estimators import Estimates, Status, estimate
from engine.likelihood import Answers
from engine.parameters import ItemParameters
from engine.penalties import Jeffreys, Normal, Prior, Uniform
from tests.reference.golden import catr_bank, catr_polytomous_bank, golden

DICHOTOMOUS, POLYTOMOUS = golden("catr_estimates.json"), golden("catr_poly.json")
FUNCTIONS, MIRT = golden("catr_item_functions.json"), golden("mirt_lsat7_scores.json")
CHOICES: dict[str, tuple[str, Prior]] = {
    "ML": ("ml", Normal()),
    "WL": ("wle", Normal()),
    "BM_N01": ("map", Normal()),
    "BM_norm": ("map", Normal()),
    "BM_N0.5_2": ("map", Normal(0.5, 2)),
    "BM_Jeffreys": ("map", Jeffreys()),
    "EAP_N01": ("eap", Normal()),
    "EAP_norm": ("eap", Normal()),
    "EAP_N-0.5_1.5": ("eap", Normal(-0.5, 1.5)),
    "EAP_U-4_4": ("eap", Uniform(-4, 4)),
    "EAP_unif": ("eap", Uniform(-4, 4)),
    "EAP_Jeffreys": ("eap", Jeffreys()),
}


def as_catr(bank: ItemParameters, responses: list[int], name: str) -> Estimates:
    method, prior = CHOICES[name]
    return estimate(bank, responses, method, prior, lower=-4.0, upper=4.0, nodes=33)


@pytest.mark.parametrize(
    "case", DICHOTOMOUS["cases"], ids=lambda c: f"{c['model']} D={c['D']} {c['pattern']} {c['n_items']}"
)
def test_dichotomous_estimates_are_those_of_catr(case: dict) -> None:
    bank = catr_bank(DICHOTOMOUS["banks"], case["model"], case["D"]).take(np.arange(case["n_items"]))
    for name, expected in case["estimates"].items():
        found = as_catr(bank, case["responses"], name)
        assert found.ability == pytest.approx(expected["theta"], abs=DICHOTOMOUS["tolerance"]["theta"]), name
        if name != "BM_Jeffreys" or case["D"] == 1:
            assert found.se == pytest.approx(expected["se"], abs=DICHOTOMOUS["tolerance"]["se"]), name
        assert (found.status == Status.AT_BOUND) == (abs(expected["theta"]) == 4), name


@pytest.mark.parametrize("case", POLYTOMOUS["estimates"], ids=lambda c: f"{c['model']} {c['pattern']}")
def test_polytomous_estimates_are_those_of_catr(case: dict) -> None:
    bank = catr_polytomous_bank(POLYTOMOUS["banks"], case["model"])
    for name, expected in case["estimates"].items():
        found = as_catr(bank, case["responses"], name)
        assert found.ability == pytest.approx(expected["theta"], abs=POLYTOMOUS["tolerance"]["theta"]), name
        assert found.se == pytest.approx(expected["se"], abs=POLYTOMOUS["tolerance"]["se"]), name


@pytest.mark.parametrize("case", MIRT["cases"], ids=lambda c: c["model"])
def test_scores_are_those_of_mirt(case: dict) -> None:
    tolerance, patterns = MIRT["tolerance"], np.array(MIRT["patterns"])
    three = case["model"].startswith("3PL")
    bank = ItemParameters.of("3PL" if three else "2PL", case["a"], case["b"], case["g"] if three else None)
    answers = Answers.of(bank, patterns)
    choices: dict[str, tuple[str, Prior]] = {
        "EAP": ("eap", Normal()),
        "MAP": ("map", Normal()),
        "ML": ("ml", Normal()),
        "WLE": ("map", Jeffreys()),
    }
    for name, (method, prior) in choices.items():
        found = estimate(bank, patterns, method, prior)
        theta, se = (np.array(case["scores"][name][field], dtype=np.float64) for field in ("theta", "se"))
        exists = np.isfinite(theta)
        assert (found.status[~exists] == Status.AT_BOUND).all()
        np.testing.assert_allclose(found.ability[exists], theta[exists], atol=tolerance[f"{name} theta"], rtol=0)
        if not three or name == "EAP":
            np.testing.assert_allclose(found.se[exists], se[exists], atol=tolerance[f"{name} se"], rtol=0)
        if three and name in ("MAP", "ML"):
            observed = -answers.at(found.ability).second[:, 0] + (name == "MAP")
            np.testing.assert_allclose(observed[exists] ** -0.5, se[exists], atol=tolerance[f"{name} se"], rtol=0)
    if not three:
        theta = np.array(case["scores"]["WLE"]["theta"])
        np.testing.assert_allclose(estimate(bank, patterns, "wle").ability, theta, atol=tolerance["WLE theta"], rtol=0)


@pytest.mark.parametrize("case", FUNCTIONS["cases"], ids=lambda c: f"{c['model']} D={c['D']} at {c['theta']}")
def test_slopes_of_information_and_the_weights_of_warm_are_those_of_catr(case: dict) -> None:
    bank = catr_bank(DICHOTOMOUS["banks"], case["model"], case["D"])
    each = Answers.of(bank, np.where(np.eye(len(bank), dtype=bool), 1, -1)).at(np.full(len(bank), case["theta"]))
    np.testing.assert_allclose(each.information[:, 0], case["info"], atol=1e-12)
    np.testing.assert_allclose(each.information_slope[:, 0], case["dInfo"], atol=1e-12)
    np.testing.assert_allclose(each.warm[:, 0], case["J"], atol=1e-12)


@pytest.mark.parametrize("scaling", [1, 1.702])
def test_the_error_of_the_jeffreys_mode_is_the_curvature_of_the_penalised_information(scaling: float) -> None:
    """What catR gives is this curvature at D = 1 and another number at D = 1.702."""
    cases = [c for c in DICHOTOMOUS["cases"] if c["D"] == scaling and abs(c["estimates"]["BM_Jeffreys"]["theta"]) < 4]
    gaps = []
    for case in cases:
        bank = catr_bank(DICHOTOMOUS["banks"], case["model"], scaling).take(np.arange(case["n_items"]))
        answers = Answers.of(bank, np.array([case["responses"]]))
        found = as_catr(bank, case["responses"], "BM_Jeffreys")

        def log_information(shift: float, answers: Answers = answers, at: float = float(found.ability)) -> float:
            return float(np.log(answers.at(np.array([at + shift])).information[0, 0]))

        h = 1e-3
        bend = (log_information(h) - 2 * log_information(0.0) + log_information(-h)) / h**2
        exact = (np.exp(log_information(0.0)) - 0.5 * bend) ** -0.5
        assert found.se == pytest.approx(exact, abs=1e-5)
        gaps.append(abs(case["estimates"]["BM_Jeffreys"]["se"] - exact))
    assert len(cases) > 20
    assert max(gaps) < 1e-5 if scaling == 1 else max(gaps) > 0.1
