"""Whole adaptive tests of catR 3.17 (tests/golden/catr_traces.json): items, estimates, standard errors, the end.

Our grid is catR's here, and half a weight at both ends makes a sum its trapezoid rule. catR opens every test with the
most informative item at ability 0, whatever its rule afterwards; only for maximum information do we begin alike.
"""

import numpy as np
import pytest

from engine.adaptive import Decision, Design, begin, step
from engine.grid import Grid
from engine.models import information, log_probability
from engine.ranking import quantised
from engine.scores import InformationAtMean, KullbackLeibler, Score, VarianceReduction
from engine.state import State
from engine.stopping import AnyOf, MaxLength, PreciseEnough, Reason
from engine.table import Table, build_table
from tests.reference import banks
from tests.reference.golden import catr_bank, golden

BANKS = golden("catr_estimates.json")["banks"]
TRACES = golden("catr_traces.json")
TOLERANCE = TRACES["tolerance"]
GRID = Grid(-4.0, 4.0, 33)
HALF_ENDS = np.where(np.isin(np.arange(33), (0, 32)), np.log(0.5), 0.0)[None]


def cases(estimator: str, *criteria: str) -> list[object]:
    chosen = [c for c in TRACES["cases"] if c["estimator"] == estimator and c["select"] in criteria]
    return [pytest.param(c, id=f"{c['model']}, {c['pattern']}, {c['select']}") for c in chosen]


def followed(case: dict, score: Score) -> tuple[list[Decision], list[State], Table]:
    """Our decisions and states while catR's facts are fed in, one more than there are facts."""
    stop = AnyOf((MaxLength(12), PreciseEnough(0.35)))
    design = Design(score=score, stop=stop, grid=GRID)
    table = build_table(catr_bank(BANKS, case["model"]), design)
    state, decision = begin(design, table, 0.0, evidence=HALF_ENDS)
    decisions, states = [decision], [state]
    for item, response in zip(case["items"], case["responses"], strict=True):
        state, decision = step(design, table, state, item - 1, response, np.nan, 0.0)
        decisions.append(decision)
        states.append(state)
    return decisions, states, table


def estimates_are_those_of_catr(case: dict, decisions: list[Decision]) -> None:
    means, sds = ([float(getattr(d, name)[0]) for d in decisions[1:]] for name in ("mean", "sd"))
    np.testing.assert_allclose(means, case["theta_path"], rtol=0, atol=TOLERANCE["theta"])
    np.testing.assert_allclose(sds, case["se_path"], rtol=0, atol=TOLERANCE["se"])
    assert [bool(d.done) for d in decisions] == [False] * len(case["items"]) + [True]
    assert decisions[-1].reason == (Reason.MAX_LENGTH if len(case["items"]) == 12 else Reason.PRECISE_ENOUGH)


def asked(decisions: list[Decision]) -> list[int]:
    return [int(decision.item) + 1 for decision in decisions[:-1]]


@pytest.mark.parametrize("case", cases("EAP", "MFI"))
def test_whole_tests_by_maximum_information_are_those_of_catr(case: dict) -> None:
    decisions, _, _ = followed(case, InformationAtMean())
    estimates_are_those_of_catr(case, decisions)
    assert asked(decisions) == case["items"]


@pytest.mark.parametrize("case", cases("EAP", "KLP"))
def test_whole_tests_by_kullback_leibler_are_those_of_catr_after_the_first_item(case: dict) -> None:
    decisions, _, _ = followed(case, KullbackLeibler("posterior"))
    estimates_are_those_of_catr(case, decisions)
    assert asked(decisions)[1:] == case["items"][1:]


@pytest.mark.parametrize("case", cases("EAP", "MEPV"))
def test_expected_variance_differs_from_catr_only_by_what_an_answer_is_expected_to_be(case: dict) -> None:
    """catR weighs the variances after a right and a wrong answer by P at the posterior mean, we by its average.

    On purpose: the average is the chance of the answer, so that the expected variance never exceeds the current one.
    With catR's weights our variances ask for each of its items; with ours another one is asked now and then.
    """
    decisions, states, table = followed(case, VarianceReduction())
    estimates_are_those_of_catr(case, decisions)
    for place, item in list(enumerate(case["items"]))[1:]:
        variances = banks.variances_after(Design(grid=GRID), table, states[place])
        p = np.exp(log_probability(table.parameters, decisions[place].mean))[:, :, 0]
        values = np.where(states[place].asked, np.inf, quantised(np.sum(p * variances, axis=1)))
        assert int(values.argmin()) + 1 == item
    agreements = [ours == theirs for ours, theirs in zip(asked(decisions)[1:], case["items"][1:], strict=True)]
    assert sum(agreements) >= 8


@pytest.mark.parametrize("case", [case for estimator in ("BM", "EAP", "WL", "ML") for case in cases(estimator, "MFI")])
def test_each_next_item_is_the_most_informative_at_the_estimate_of_catr(case: dict) -> None:
    """Whatever the estimator: our information ranks the bank as catR's does at its own provisional abilities."""
    parameters = catr_bank(BANKS, case["model"])
    at = information(parameters, [case["start_theta"], *case["theta_path"][:-1]])
    for place, item in enumerate(case["items"]):
        values = quantised(at[:, place])
        values[np.array(case["items"][:place], dtype=int) - 1] = -np.inf
        assert int(values.argmax()) + 1 == item


def test_every_trace_is_used() -> None:
    others = sum(len(cases(estimator, "MFI")) for estimator in ("BM", "WL", "ML"))
    assert len(cases("EAP", "MFI", "KLP", "MEPV")) + others == len(TRACES["cases"]) == 54
