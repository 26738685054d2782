"""Answers that are missing: by design, because they were left out, or because a wrong one costs points."""

import pytest

from tests.real_data.figures import credential, omissions, skips
from tests.real_data.sets import with_omissions
from tests.reference.data import real_data
from tests.reference.fit import real_responses


def test_pilot_items_are_calibrated_with_the_others() -> None:
    figures = credential()
    for name, found in figures.items():
        assert found["converged"], name
        assert found["spacing_in_smallest_sds"] <= 0.9, name
    assert figures["2PL, priors"]["nodes"] == 121, "the 61 nodes are not enough there, and are refined"
    assert dict(figures["2PL"]["at a bound"]).keys() == {15, 21}, "two pilot items that do not discriminate"
    assert figures["2PL, priors"]["statuses"] == figures["3PL, priors"]["statuses"] == {"converged": 200}
    assert figures["2PL, priors"]["log_likelihood"] < figures["2PL"]["log_likelihood"]


def test_a_missing_answer_is_a_skip_before_the_last_answer_and_not_reached_after_it() -> None:
    given = real_responses("pirls2011_omit")[:, 1:]
    for row, coded in zip(given[::50].tolist(), with_omissions(given)[::50].tolist(), strict=True):
        last = max((place for place, answer in enumerate(row) if answer >= 0), default=-1)
        assert coded == [a if a >= 0 else -3 if place < last else -1 for place, a in enumerate(row)]


def test_omissions_move_difficulties_and_the_countries_that_omit_less() -> None:
    figures = omissions()
    ignored, wrong, unknown = (figures[policy] for policy in ("ignored", "incorrect", "unknown"))
    assert ignored["converged"]
    assert wrong["converged"]
    assert unknown["log_likelihood"] == pytest.approx(wrong["log_likelihood"], abs=1e-6), "the 2PL has no guessing"
    shift = figures["b, incorrect less ignored"]
    assert shift["to be written"] > 3.0 * shift["to be chosen"] > 0.0
    assert shift["r with the share omitted"] > 0.7
    assert min(figures["omitted by country"], key=figures["omitted by country"].get) == "NLD"
    gained = {name: wrong["means"][name] - ignored["means"][name] for name in wrong["means"]}
    assert max(gained, key=lambda name: gained[name]) == "NLD"
    assert gained["NLD"] > 2.5 * float(ignored["mean errors"][2])
    assert abs(gained["FRA"]) < 0.5 * float(ignored["mean errors"][1])
    rest = figures["rest score by answer"]
    assert rest["silent"] < rest["wrong"] < rest["right"], "who omits knows less than who is wrong"


def test_skips_under_negative_marking_are_not_wrong_answers() -> None:
    real_data("mathexam14w")
    figures = skips()
    assert figures["ignored"]["converged"]
    assert figures["incorrect"]["converged"]
    assert 0.26 < figures["skipped"] < 0.27
    rest = figures["rest score by answer"]
    assert rest["wrong"] + 1.0 < rest["silent"] < rest["right"] - 1.0
    assert figures["r of b"] < 0.9, "the two readings disagree about which items are difficult"
    hardest = max(range(13), key=lambda item: figures["incorrect"]["b"][item])
    names = list(figures["by item"])
    assert names[hardest] == max(names, key=figures["by item"].get) == "payflow"
