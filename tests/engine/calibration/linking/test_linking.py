import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from engine.calibration.linking.curves import Quadrature
from engine.calibration.linking.link import (
    Link,
    drift,
    haebara,
    link,
    mean_mean,
    mean_sigma,
    stocking_lord,
)
from engine.errors import DesignError, ParameterError
from engine.grid import Grid
from engine.likelihood import Answers
from engine.models import log_probability
from engine.parameters import ItemParameters
from tests.reference import banks, slow
from tests.reference.golden import golden

METHODS = ("mean-mean", "mean-sigma", "haebara", "stocking-lord")
STUIRT = golden("kb36_stuirt.json")
SLOPES, SHIFTS = st.floats(0.4, 2.5), st.floats(-2.0, 2.0)


def everything(items: ItemParameters) -> np.ndarray:
    columns = (items.discrimination, items.difficulty, items.guessing, items.slipping, *items.thresholds.T)
    return np.column_stack(columns)


def noisy(seed: int, items: ItemParameters) -> ItemParameters:
    """The same items as another calibration might have found them."""
    rng = np.random.default_rng(seed)
    size = len(items)
    guessing = np.clip(items.guessing + 0.02 * rng.normal(size=size), 0.0, 0.5)
    shift = 0.15 * rng.normal(size=size)
    return ItemParameters(
        items.model.copy(),
        items.discrimination * np.exp(0.1 * rng.normal(size=size)),
        items.difficulty + shift,
        np.where(items.guessing > 0, guessing, 0.0),
        items.slipping.copy(),
        items.thresholds + shift[:, None],
    )


def scalar_items(items: ItemParameters, slope: float, shift: float) -> list[slow.Item]:
    """Linked items of the scalar reference, by the definitions."""
    rows = zip(*everything(items).T[:4], items.thresholds, items.model, strict=True)
    return [
        slow.Item(
            a / slope, slope * b + shift, c, d, tuple(slope * t + shift for t in steps if math.isfinite(t)), model == 5
        )
        for a, b, c, d, steps, model in rows
    ]


def criterion(
    method: str, old: ItemParameters, new: ItemParameters, slope: float, shift: float, nodes: np.ndarray
) -> float:
    """Haebara's or Stocking and Lord's sum on the old scale with N(0, 1) weights, in plain loops."""
    before, after = scalar_items(old, 1.0, 0.0), scalar_items(new, slope, shift)
    total, mass = 0.0, 0.0
    for theta in nodes:
        weight = math.exp(-0.5 * theta**2)
        pairs = [
            (slow.probabilities(x, theta), slow.probabilities(y, theta)) for x, y in zip(before, after, strict=True)
        ]
        if method == "haebara":
            term = sum((p - q) ** 2 for x, y in pairs for p, q in zip(x, y, strict=True))
        else:
            term = sum(k * (p - q) for x, y in pairs for k, (p, q) in enumerate(zip(x, y, strict=True))) ** 2
        total, mass = total + weight * term, mass + weight
    return total / mass


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(2, 30), SLOPES, SHIFTS, st.sampled_from(METHODS))
def test_a_change_of_scale_is_recovered(seed: int, count: int, slope: float, shift: float, method: str) -> None:
    old = banks.mixed(seed, count)
    found = link(old, Link(slope, shift).inverse.apply(old), method)
    assert found.slope == pytest.approx(slope, abs=1e-6)
    assert found.intercept == pytest.approx(shift, abs=1e-6)


@settings(max_examples=20)
@given(st.integers(0, 10**6), SLOPES, SHIFTS, st.booleans())
def test_the_symmetric_and_the_plain_criterion_agree_without_error(
    seed: int, slope: float, shift: float, symmetric: bool
) -> None:
    old = banks.mixed(seed, 9)
    new = Link(slope, shift).inverse.apply(old)
    for method in (haebara, stocking_lord):
        found = method(old, new, symmetric=symmetric, old_abilities=Grid(-5, 5, 41))
        assert (found.slope, found.intercept) == pytest.approx((slope, shift), abs=1e-6)


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.sampled_from(METHODS))
def test_linking_back_is_the_inverse(seed: int, method: str) -> None:
    """A symmetric criterion does not care which calibration is called old; mean-mean and mean-sigma do not either."""
    old = banks.mixed(seed, 24)
    new = Link(1.3, 0.4).inverse.apply(noisy(seed + 1, old))
    there, back = link(old, new, method), link(new, old, method).inverse
    assert (there.slope, there.intercept) == pytest.approx((back.slope, back.intercept), abs=1e-6)


@given(SLOPES, SHIFTS, st.integers(0, 10**6))
def test_the_inverse_undoes_the_link(slope: float, shift: float, seed: int) -> None:
    by, items = Link(slope, shift), banks.mixed(seed, 8)
    np.testing.assert_allclose(everything(by.inverse.apply(by.apply(items))), everything(items), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(by.inverse.abilities(by.abilities([-1.0, 2.0])), [-1.0, 2.0], rtol=0, atol=1e-12)


@given(SLOPES, SHIFTS, st.integers(0, 10**6))
def test_linked_items_say_the_same_of_linked_abilities(slope: float, shift: float, seed: int) -> None:
    by, items, nodes = Link(slope, shift), banks.mixed(seed, 8), np.linspace(-3, 3, 7)
    linked = log_probability(by.apply(items), by.abilities(nodes))
    np.testing.assert_allclose(np.exp(linked), np.exp(log_probability(items, nodes)), rtol=0, atol=1e-12)
    responses = np.array([(seed >> k) & 1 for k in range(8)])[None, :]
    here, there = Answers.of(items, responses), Answers.of(by.apply(items), responses)
    same = here.at(np.array([0.3])).log_likelihood
    np.testing.assert_allclose(there.at(by.abilities([0.3])).log_likelihood, same, rtol=1e-10)


@pytest.mark.parametrize("method", ["haebara", "stocking-lord"])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_curves_are_as_close_as_a_blind_search_brings_them(method: str, seed: int) -> None:
    old = banks.mixed(seed, 6)
    new = Link(0.8, -0.5).inverse.apply(noisy(seed, old))
    nodes = Grid(-5, 5, 41).nodes
    search = minimize(
        lambda point: criterion(method, old, new, point[0], point[1], nodes),
        [1.0, 0.0],
        method="Nelder-Mead",
        options={"xatol": 1e-7, "fatol": 1e-14},
    )
    function = haebara if method == "haebara" else stocking_lord
    found = function(old, new, symmetric=False, old_abilities=Grid(-5, 5, 41))
    assert search.fun > 1e-6, "the two calibrations must differ for this to be a test"
    assert (found.slope, found.intercept) == pytest.approx(tuple(search.x), abs=2e-6)


def mixed_format(form: dict, scaling: float) -> ItemParameters:
    logistic, steps = form["3PL"], form["GPCM"]
    return ItemParameters.of(
        ["3PL"] * len(logistic) + ["GPCM"] * len(steps),
        [scaling * row[0] for row in logistic + steps],
        [row[1] for row in logistic] + [None] * len(steps),
        [row[2] for row in logistic] + [0.0] * len(steps),
        None,
        [None] * len(logistic) + [row[1:] for row in steps],
    )


def even(lower: float, upper: float, count: int) -> Quadrature:
    return Quadrature.weighted(np.linspace(lower, upper, count), np.ones(count))


@pytest.mark.parametrize("example", STUIRT["mixed"], ids=lambda example: example["name"])
def test_mixed_formats_are_linked_as_stuirt_links_them(example: dict) -> None:
    old, new = (mixed_format(example[form], example["scaling"]) for form in ("old", "new"))
    points = even(*example["grid"])
    found = {
        "mean-mean": mean_mean(old, new),
        "mean-sigma": mean_sigma(old, new),
        "haebara": haebara(old, new, old_abilities=points, new_abilities=points),
        "stocking-lord": stocking_lord(old, new, old_abilities=points, new_abilities=points),
    }
    for method, published in example["links"].items():
        assert (found[method].slope, found[method].intercept) == pytest.approx(tuple(published), abs=2e-6), method


def test_rasch_items_are_linked_as_sirt_links_them() -> None:
    example = STUIRT["rasch"]
    old, new = (ItemParameters.of("1PL", np.ones(8), example[form]) for form in ("old", "new"))
    points = even(*example["grid"])
    # sirt compares on the new scale: the plain criterion of the link from old to new
    found = {
        "mean-mean": mean_mean(old, new),
        "mean-sigma": mean_sigma(old, new),
        "haebara": haebara(new, old, symmetric=False, old_abilities=points).inverse,
        "stocking-lord": stocking_lord(new, old, symmetric=False, old_abilities=points).inverse,
    }
    for method, intercept in example["intercepts"].items():
        assert found[method].slope == 1.0
        assert found[method].intercept == pytest.approx(intercept, abs=1e-5), method


def test_one_common_item_is_enough_except_for_the_spread() -> None:
    old = ItemParameters.of("3PL", [1.4], [0.3], [0.2])
    new = Link(1.5, -0.2).inverse.apply(old)
    for method in (mean_mean, haebara, stocking_lord):
        found = method(old, new)
        assert (found.slope, found.intercept) == pytest.approx((1.5, -0.2), abs=1e-6)
    with pytest.raises(ParameterError, match="do not differ in difficulty"):
        mean_sigma(old, new)


def test_a_far_scale_is_found_in_spite_of_one_odd_item() -> None:
    """The odd item ruins mean-sigma, from which the search would start in vain."""
    old = banks.logistic(3, 20)
    difficulty = old.difficulty.copy()
    difficulty[0] = 60.0
    odd = ItemParameters(old.model, old.discrimination, difficulty, old.guessing, old.slipping, old.thresholds)
    new = Link(1.2, 8.0).inverse.apply(odd)
    spoilt = new.difficulty.copy()
    spoilt[0] = -60.0
    new = ItemParameters(new.model, new.discrimination, spoilt, new.guessing, new.slipping, new.thresholds)
    found = haebara(old, new)
    assert (found.slope, found.intercept) == pytest.approx((1.2, 8.0), abs=0.2)


def test_drift_is_the_distance_of_the_curves_and_finds_the_item_that_moved() -> None:
    old = banks.logistic(5, 15, "3PL")
    moved = old.difficulty.copy()
    moved[4] += 0.8
    shifted = ItemParameters(old.model, old.discrimination, moved, old.guessing, old.slipping, old.thresholds)
    by = Link(1.2, 0.5)
    new = by.inverse.apply(shifted)
    distance = drift(old, new, by, Grid(-6, 6, 241))
    assert np.argmax(distance) == 4
    np.testing.assert_allclose(np.delete(distance, 4), 0.0, atol=1e-10)
    items = [slow.Item(float(old.discrimination[4]), b, float(old.guessing[4])) for b in (old.difficulty[4], moved[4])]
    exact = slow.integral(
        lambda t: slow.normal()(t) * (slow.probabilities(items[0], t)[1] - slow.probabilities(items[1], t)[1]) ** 2,
        -6,
        6,
    )
    assert distance[4] == pytest.approx(math.sqrt(exact), abs=1e-6)
    assert np.argmax(drift(old, new, link(old, new))) == 4


def test_drift_of_items_with_several_categories_is_at_most_one() -> None:
    old = ItemParameters.of("GRM", [40.0], thresholds=[(-30.0, 30.0)])
    new = ItemParameters.of("GRM", [40.0], thresholds=[(20.0, 30.0)])
    assert drift(old, new, Link(1.0, 0.0)).tolist() == pytest.approx([1.0])


@pytest.mark.parametrize("method", METHODS)
def test_items_that_are_not_the_same_are_refused(method: str) -> None:
    two, three = banks.logistic(1, 4), banks.logistic(1, 4, "3PL")
    with pytest.raises(ParameterError, match="number 1 has another model"):
        link(two, three, method)
    with pytest.raises(ParameterError, match="4 common items in the old calibration and 3 in the new"):
        link(two, two.take([0, 1, 2]), method)
    nobody = np.zeros(0, dtype=np.int64)
    with pytest.raises(ParameterError, match="at least one"):
        link(two.take(nobody), two.take(nobody), method)
    short, long = (ItemParameters.of("GRM", [1.0], thresholds=[t]) for t in ((0.0, 1.0), (0.0, 1.0, 2.0)))
    with pytest.raises(ParameterError, match="number of categories"):
        link(short, long, method)


def test_flat_curves_are_not_linked_in_silence() -> None:
    """Flat where they are compared: every change of scale is as good as another."""
    old, new = ItemParameters.of("2PL", [1.0, 2.0], [0.0, 1.0]), ItemParameters.of("2PL", [1.0, 2.0], [0.0, -1.0])
    far = Quadrature.weighted([-400.0, 380.0, 400.0], [1.0, 1.0, 1.0])
    with pytest.raises(ParameterError, match="flat where they are compared"):
        haebara(old, new, old_abilities=far, new_abilities=far)


def test_names_and_weights_that_do_not_exist_are_refused() -> None:
    items = banks.logistic(1, 4)
    with pytest.raises(DesignError, match="mean-mean, mean-sigma, haebara, stocking-lord"):
        link(items, items, "median")  # type: ignore[arg-type]
    for nodes, weights in (([0.0, 1.0], [1.0]), ([0.0, math.nan], [1.0, 1.0])):
        with pytest.raises(DesignError, match="one finite weight"):
            Quadrature.weighted(nodes, weights)
    for weights in ([1.0, -1.0], [0.0, 0.0]):
        with pytest.raises(DesignError, match="0 or more"):
            Quadrature.weighted([0.0, 1.0], weights)
    for slope, intercept in ((0.0, 0.0), (-1.0, 0.0), (1.0, math.inf), (math.nan, 0.0)):
        with pytest.raises(ParameterError, match="positive slope"):
            Link(slope, intercept)


def test_items_in_another_order_do_not_make_a_link() -> None:
    old = banks.logistic(1, 4)
    with pytest.raises(ParameterError, match="same items in the same order"):
        haebara(old, old.take(np.arange(4)[::-1]), symmetric=False)
