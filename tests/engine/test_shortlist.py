import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.adaptive import Design, begin, decide
from engine.grid import Grid
from engine.models import information
from engine.parameters import ItemParameters
from engine.picks import Best, Pick, TopK
from engine.ranking import quantised
from engine.shortlist import SPARE, build_shortlist, shortlisted
from engine.stopping import MaxLength
from engine.table import build_table
from tests.reference import banks

NEVER = MaxLength(10**6)


def bank(seed: int, count: int, kind: str) -> ItemParameters:
    return banks.tied(seed, count) if kind == "tied" else banks.logistic(seed, count, kind)


def same_decisions(design: Design, parameters: ItemParameters, seed: int, most_asked: float, spread: float) -> None:
    table = build_table(parameters, design)
    assert table.shortlist is not None
    state = banks.states(design, table, seed, (60,), most_asked, spread)
    u = np.random.default_rng(seed).uniform(size=60)
    short = decide(design, table, state, u)
    dense = decide(design, table._replace(shortlist=None), state, u)
    np.testing.assert_array_equal(short.item, dense.item)
    np.testing.assert_array_equal(short.reason, dense.reason)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 200),
    st.sampled_from(["1PL", "2PL", "3PL", "4PL", "tied"]),
    st.sampled_from([Best(), TopK(2), TopK(5), TopK(30)]),
    st.sampled_from([0.3, 0.9, 1.0]),
    st.sampled_from([1.0, 3.0, 8.0]),
)
def test_decisions_are_those_of_the_whole_bank(
    seed: int, count: int, kind: str, pick: Pick, most_asked: float, spread: float
) -> None:
    same_decisions(Design(pick=pick, stop=NEVER), bank(seed, count, kind), seed, most_asked, spread)


@pytest.mark.parametrize("pick", [Best(), TopK(1), TopK(5)])
@pytest.mark.parametrize("count", [1, 2, 3, 6, 63, 64, 65, 66])
@pytest.mark.parametrize("kind", ["2PL", "tied"])
def test_banks_around_the_length_of_the_list(pick: Pick, count: int, kind: str) -> None:
    for most_asked in (0.0, 0.9, 1.0):
        same_decisions(Design(pick=pick, stop=NEVER), bank(count, count, kind), count, most_asked, 2.0)


def test_identical_items_are_asked_in_the_order_of_their_rows() -> None:
    """Two hundred times the same item: nothing can be proved by bounds, and the lowest free row wins."""
    design = Design(stop=NEVER)
    same = ItemParameters.of("2PL", np.full(200, 1.3), np.full(200, 0.4))
    table = build_table(same, design)
    state = banks.states(design, table, 4, (80,), 1.0)
    free = ~state.asked & state.allowed
    expected = np.where(free.any(axis=1), free.argmax(axis=1), -1)
    np.testing.assert_array_equal(decide(design, table, state, np.zeros(80)).item, expected)


@pytest.mark.parametrize("a", [0.05, 12.0, 50.0])
def test_very_flat_and_very_steep_items(a: float) -> None:
    rng = np.random.default_rng(8)
    flat_or_steep = ItemParameters.of("2PL", a * rng.uniform(0.9, 1.0, 120), rng.uniform(-3.0, 3.0, 120))
    for pick in (Best(), TopK(4)):
        same_decisions(Design(pick=pick, stop=NEVER), flat_or_steep, 8, 0.7, 2.0)


def test_items_closer_than_a_quantum_are_asked_in_the_order_of_their_rows() -> None:
    """Items so flat that all scores round to one number, though their bounds are in another order."""
    design = Design(stop=NEVER)
    flat = ItemParameters.of("2PL", np.full(120, 0.004), np.random.default_rng(8).uniform(-3.0, 3.0, 120))
    for pick in (Best(), TopK(4)):
        same_decisions(Design(pick=pick, stop=NEVER), flat, 8, 0.9, 2.0)
    assert begin(design, build_table(flat, design), 0.0)[1].item == 0


@pytest.mark.parametrize("kind", ["1PL", "2PL", "3PL", "4PL"])
def test_bounds_hold_everywhere_in_their_cells(kind: str) -> None:
    parameters = bank(11, 150, kind)
    shortlist = build_shortlist(parameters, Grid())
    ability = np.linspace(-4.0, 4.0, 40_001)[:-1]
    cell = ((ability - shortlist.lower) * shortlist.scale).astype(int)
    exact = quantised(information(parameters, ability)).T
    listed = np.take_along_axis(exact, shortlist.rows[cell].astype(int), axis=1)
    assert (listed <= shortlist.bounds[cell, :-1]).all()
    np.put_along_axis(exact, shortlist.rows[cell].astype(int), -np.inf, axis=1)
    assert (exact.max(axis=1) <= shortlist.bounds[cell, -1]).all()


def test_most_decisions_are_proved_and_none_outside_the_range() -> None:
    """Without this, the tests above would hold for a shortlist that is never believed."""
    parameters = bank(2, 500, "2PL")
    shortlist = build_shortlist(parameters, Grid())
    ability = np.random.default_rng(0).normal(size=2_000)
    available = np.random.default_rng(1).uniform(size=(2_000, 500)) < 0.9
    for depth in (1, 5):
        ranking, proved = shortlisted(shortlist, ability, available, depth)
        assert ranking.scores.shape == (2_000, depth + SPARE)
        assert proved.mean() > 0.9
    _, proved = shortlisted(shortlist, np.array([-4.0001, 4.0001, np.nextafter(4.0, 5.0)]), available[:3], 1)
    assert not proved.any()


@pytest.mark.parametrize("available", [False, True])
def test_an_item_is_ranked_once(available: bool) -> None:
    shortlist = build_shortlist(bank(3, 4, "2PL"), Grid())
    ranking, proved = shortlisted(shortlist, np.zeros(1), np.full((1, 4), available), 5)
    assert proved.all()
    found = ranking.rows[0, np.isfinite(ranking.scores[0])]
    assert sorted(found.tolist()) == ([0, 1, 2, 3] if available else [])
