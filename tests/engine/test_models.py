import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.models import curves, information, log_probability
from engine.parameters import ItemParameters
from tests.reference import slow
from tests.reference.golden import catr_bank, catr_polytomous_bank, golden

FUNCTIONS, ESTIMATES = golden("catr_item_functions.json"), golden("catr_estimates.json")
POLYTOMOUS = golden("catr_poly.json")
MODELS = ("1PL", "2PL", "3PL", "4PL", "GRM", "GPCM")


@st.composite
def items(draw: st.DrawFn, steepest: float = 3.0) -> slow.Item:
    model = draw(st.sampled_from(MODELS))
    a = 1.0 if model == "1PL" else draw(st.floats(0.2, steepest))
    if model in ("GRM", "GPCM"):
        steps = draw(st.lists(st.floats(0.1, 1.5), min_size=1, max_size=4))
        start = draw(st.floats(-3, 1))
        return slow.Item(a, thresholds=tuple(start + np.cumsum(steps)), graded=model == "GRM")
    c = draw(st.floats(0.0, 0.4)) if model in ("3PL", "4PL") else 0.0
    d = draw(st.floats(0.7, 1.0)) if model == "4PL" else 1.0
    return slow.Item(a, draw(st.floats(-3, 3)), c, d)


def parameters(*given_items: slow.Item) -> ItemParameters:
    return ItemParameters.of(
        ["4PL" if not item.thresholds else "GRM" if item.graded else "GPCM" for item in given_items],
        [item.a for item in given_items],
        [item.b for item in given_items],
        [item.c for item in given_items],
        [item.d for item in given_items],
        [item.thresholds or None for item in given_items],
    )


@pytest.mark.parametrize("case", FUNCTIONS["cases"], ids=lambda c: f"{c['model']} D={c['D']} at {c['theta']}")
def test_dichotomous_item_functions_are_those_of_catr(case: dict) -> None:
    bank = catr_bank(ESTIMATES["banks"], case["model"], case["D"])
    log_p, first, second = (part[:, 1, 0] for part in curves(bank, [case["theta"]]))
    p = np.exp(log_p)
    np.testing.assert_allclose(p, case["P"], atol=1e-13)
    np.testing.assert_allclose(p * first, case["dP"], atol=1e-13)
    np.testing.assert_allclose(p * (second + first**2), case["d2P"], atol=1e-13)
    np.testing.assert_allclose(information(bank, [case["theta"]])[:, 0], case["info"], atol=1e-13)


@pytest.mark.parametrize("case", POLYTOMOUS["item_functions"], ids=lambda c: f"{c['model']} at {c['theta']}")
def test_polytomous_item_functions_are_those_of_catr(case: dict) -> None:
    bank = catr_polytomous_bank(POLYTOMOUS["banks"], case["model"])
    np.testing.assert_allclose(np.exp(log_probability(bank, [case["theta"]]))[:, :, 0], case["P"], atol=1e-13)
    np.testing.assert_allclose(information(bank, [case["theta"]])[:, 0], case["info"], atol=1e-13)


@given(items(), st.floats(-4, 4))
def test_probabilities_are_those_of_the_textbook(item: slow.Item, theta: float) -> None:
    p = np.exp(log_probability(parameters(item), [theta]))[0, :, 0]
    np.testing.assert_allclose(p, slow.probabilities(item, theta), atol=1e-12)


@given(items(), st.floats(-4, 4))
def test_information_is_minus_the_expected_second_derivative(item: slow.Item, theta: float) -> None:
    def log_p(t: float, k: int) -> float:
        return float(log_probability(bank, [t])[0, k, 0])

    bank = parameters(item)
    found = curves(bank, [theta])
    numeric = [slow.second_derivative(lambda t, k=k: log_p(t, k), theta) for k in range(found.log_p.shape[1])]
    np.testing.assert_allclose(found.second[0, :, 0], numeric, atol=2e-7, rtol=1e-7)
    assert information(bank, [theta])[0, 0] == pytest.approx(
        -float(np.exp(found.log_p[0, :, 0]) @ np.array(numeric)), abs=2e-7
    )


@given(items(), st.floats(-4, 4))
def test_the_first_derivative_is_that_of_the_log_probability(item: slow.Item, theta: float) -> None:
    bank = parameters(item)
    found = curves(bank, [theta])
    for k in range(found.log_p.shape[1]):
        numeric = slow.derivative(lambda t, k=k: float(log_probability(bank, [t])[0, k, 0]), theta)
        assert found.first[0, k, 0] == pytest.approx(numeric, abs=1e-9)


@given(st.lists(items(steepest=50.0), min_size=1, max_size=6), st.lists(st.floats(-8, 8), min_size=1, max_size=4))
def test_laws_of_every_model_at_every_slope(some: list[slow.Item], nodes: list[float]) -> None:
    bank = parameters(*some)
    log_p, first, second = curves(bank, nodes)
    p = np.exp(log_p)
    exists = np.broadcast_to((np.arange(log_p.shape[1]) < bank.categories[:, None])[:, :, None], log_p.shape)
    assert np.isfinite(log_p[exists]).all()
    assert np.isneginf(log_p[~exists]).all()
    assert np.isfinite(first).all()
    assert np.isfinite(second).all()
    np.testing.assert_allclose(p.sum(axis=1), 1.0, atol=1e-12)
    np.testing.assert_allclose((p * first).sum(axis=1), 0.0, atol=1e-10)
    known = information(bank, nodes)
    assert (known >= 0).all()
    np.testing.assert_allclose(known, (p * first**2).sum(axis=1), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("theta", [-8.0, 8.0])
@pytest.mark.parametrize("model", MODELS)
def test_the_steepest_items_at_extreme_abilities(model: str, theta: float) -> None:
    item = {
        "3PL": slow.Item(50.0, 0.0, 0.2),
        "4PL": slow.Item(50.0, 0.0, 0.2, 0.9),
        "GRM": slow.Item(50.0, thresholds=(-1.0, 0.0, 1.0)),
        "GPCM": slow.Item(50.0, thresholds=(-1.0, 0.0, 1.0), graded=False),
    }.get(model, slow.Item(50.0))
    log_p, first, second = (part[0, :, 0] for part in curves(parameters(item), [theta]))
    assert np.isfinite([log_p, first, second]).all()
    assert 0.0 <= information(parameters(item), [theta])[0, 0] < 1e-10
    exact = {
        ("1PL", -8.0): [0.0, -400.0],
        ("2PL", 8.0): [-400.0, 0.0],
        ("3PL", -8.0): np.log([0.8, 0.2]),
        ("4PL", 8.0): np.log([0.1, 0.9]),
        ("GRM", -8.0): [0.0, -350.0, -400.0, -450.0],
        ("GPCM", 8.0): [-1200.0, -750.0, -350.0, 0.0],
    }.get((model, theta))
    if exact is not None:
        np.testing.assert_allclose(log_p, exact, rtol=1e-13, atol=1e-13)


@settings(max_examples=30)
@given(st.lists(items(), min_size=2, max_size=6), st.lists(st.floats(-4, 4), min_size=1, max_size=5))
def test_an_item_among_others_is_the_item_alone(some: list[slow.Item], nodes: list[float]) -> None:
    together = log_probability(parameters(*some), nodes)
    for row, item in enumerate(some):
        alone = log_probability(parameters(item), nodes)[0]
        np.testing.assert_allclose(together[row, : alone.shape[0]], alone, rtol=1e-12, atol=1e-12)


def test_items_taken_from_a_bank_with_more_categories_are_themselves() -> None:
    bank = parameters(slow.Item(1.0, thresholds=(-1.0, 0.0, 1.0)), slow.Item(0.8, thresholds=(0.0, 0.5)))
    taken = bank.take([1])
    np.testing.assert_array_equal(log_probability(taken, [0.3])[0], log_probability(bank, [0.3])[1, :3])


def test_a_steep_item_is_finite_beside_one_with_more_categories() -> None:
    long = slow.Item(1.0, thresholds=(-1.0, 0.0, 1.0, 2.0), graded=False)
    bank = parameters(slow.Item(50.0, thresholds=(1.0,), graded=False), long)
    np.testing.assert_allclose(log_probability(bank, [8.0])[0, :2, 0], [-350.0, 0.0], atol=1e-12)
