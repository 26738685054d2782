import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import DesignError
from engine.picks import Best, Pick, Proportional, SympsonHetter, TopK
from engine.ranking import QUANTUM, Ranking, leading, masked, quantised
from engine.responses import NONE
from engine.uniform import uniform

DRAWS = 20_000
GRID_OF_U = (np.arange(DRAWS) + 0.5) / DRAWS
EXPOSURE = (0.5, 0.9, 0.2, 1.0, 0.4, 0.05)
PICKS = (
    Best(),
    TopK(1),
    TopK(3),
    TopK(50),
    Proportional(),
    Proportional(0.0),
    Proportional(4.0),
    SympsonHetter(EXPOSURE),
)
SCORES = np.array([0.3, 1.2, 0.3, 0.8, 0.0, 1.2])
laws = settings(deadline=None, max_examples=60)


def shares(pick: Pick, scores: np.ndarray = SCORES, available: np.ndarray | None = None) -> np.ndarray:
    """How often each item is picked when u runs evenly through [0, 1)."""
    open_ = np.ones(scores.size, dtype=bool) if available is None else available
    ranking = masked(np.tile(quantised(scores), (DRAWS, 1)), open_)
    return np.bincount(pick(ranking, GRID_OF_U), minlength=scores.size) / DRAWS


def test_best_is_the_highest_score_and_the_lowest_row_of_equals() -> None:
    assert shares(Best()).tolist() == [0, 1, 0, 0, 0, 0]
    almost = np.array([0.1 + 0.2, 0.3, 0.1])
    assert Best()(masked(quantised(almost), np.array([False, True, True])), np.float64(0.5)) == 1
    assert Best()(masked(quantised(almost), np.array([True, True, True])), np.float64(0.5)) == 0


def test_top_k_shares_evenly_among_the_best() -> None:
    np.testing.assert_allclose(shares(TopK(3)), [0, 1 / 3, 0, 1 / 3, 0, 1 / 3], atol=1 / DRAWS)
    np.testing.assert_allclose(shares(TopK(4)), [1 / 4, 1 / 4, 0, 1 / 4, 0, 1 / 4], atol=1 / DRAWS)
    assert shares(TopK(1)).tolist() == shares(Best()).tolist()


def test_top_k_with_fewer_items_than_k_shares_among_them() -> None:
    available = np.array([True, False, False, True, True, False])
    np.testing.assert_allclose(shares(TopK(5), available=available), available / 3, atol=1 / DRAWS)
    np.testing.assert_allclose(shares(TopK(50)), 1 / 6, atol=1 / DRAWS)


@pytest.mark.parametrize("power", [0.5, 1.0, 3.0])
def test_proportional_shares_are_powers_of_the_scores(power: float) -> None:
    np.testing.assert_allclose(shares(Proportional(power)), SCORES**power / np.sum(SCORES**power), atol=2 / DRAWS)
    available = np.array([True, False, True, True, True, False])
    left = np.where(available, SCORES, 0.0) ** power
    np.testing.assert_allclose(shares(Proportional(power), available=available), left / left.sum(), atol=2 / DRAWS)


def test_proportional_goes_from_random_to_best() -> None:
    np.testing.assert_allclose(shares(Proportional(0.0)), 1 / 6, atol=1 / DRAWS)
    np.testing.assert_allclose(shares(Proportional(500.0)), [0, 0.5, 0, 0, 0, 0.5], atol=1 / DRAWS)


def test_worthless_items_are_picked_only_among_themselves() -> None:
    scores = np.array([0.0, -1.0, 0.7, 0.0])
    assert shares(Proportional(), scores).tolist() == [0, 0, 1, 0]
    available = np.array([True, True, False, True])
    np.testing.assert_allclose(shares(Proportional(), scores, available), available / 3, atol=1 / DRAWS)


def sympson_hetter(order: list[int]) -> np.ndarray:
    """Chances by the textbook: go down the list, and start again at its top when nothing passed."""
    chance, reached = np.zeros(6), 1.0
    for item in order:
        chance[item] = reached * EXPOSURE[item]
        reached *= 1.0 - EXPOSURE[item]
    return chance / chance.sum()


def test_sympson_hetter_is_the_lottery_down_the_ranking() -> None:
    np.testing.assert_allclose(shares(SympsonHetter(EXPOSURE)), sympson_hetter([1, 5, 3, 0, 2, 4]), atol=2 / DRAWS)
    available = np.array([True, False, True, False, True, True])
    np.testing.assert_allclose(
        shares(SympsonHetter(EXPOSURE), available=available), sympson_hetter([5, 0, 2, 4]), atol=2 / DRAWS
    )


def test_sympson_hetter_always_asks_something() -> None:
    shy = SympsonHetter((1e-15,) * 6)
    np.testing.assert_allclose(shares(shy), 1 / 6, atol=1 / DRAWS)


def test_certain_exposure_is_the_best_item() -> None:
    assert shares(SympsonHetter((1.0,) * 6)).tolist() == shares(Best()).tolist()


@laws
@given(
    st.sampled_from(PICKS),
    st.lists(st.sampled_from([-0.5, 0.0, 1e-12, 0.25, 0.5, 1e6]), min_size=6, max_size=6),
    st.lists(st.booleans(), min_size=6, max_size=6),
    st.one_of(st.floats(0.0, 1.0, exclude_max=True), st.just(np.nextafter(1.0, 0.0))),
)
def test_a_pick_is_an_available_item_or_none_where_there_is_none(
    pick: Pick, scores: list[float], available: list[bool], u: float
) -> None:
    item = pick(masked(quantised(np.array(scores)), np.array(available)), np.asarray(u))
    assert item.shape == ()
    assert available[int(item)] if any(available) else item == NONE


@laws
@given(st.sampled_from(PICKS[:4]), st.integers(0, 2**32 - 1), st.integers(1, 20))
def test_a_ranking_that_names_its_rows_gives_the_same_item(pick: Pick, seed: int, count: int) -> None:
    """Such is a shortlist: any order of the columns, any ties, empty places at -inf."""
    rng = np.random.default_rng(seed)
    values = quantised(rng.integers(0, 4, (30, count)) / 4)
    available = rng.uniform(size=(30, count)) < rng.uniform(size=(30, 1))
    whole = masked(values, available)
    rows = rng.permuted(np.tile(np.arange(count), (30, 1)), axis=1)
    named = Ranking(
        np.concatenate([rows, np.zeros((30, 3), dtype=np.int64)], axis=1),
        np.concatenate([np.take_along_axis(whole.scores, rows, axis=1), np.full((30, 3), -np.inf)], axis=1),
    )
    u = uniform(seed, np.arange(30))
    np.testing.assert_array_equal(pick(named, u), pick(whole, u))


@laws
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 15))
def test_leading_items_are_the_sorted_ones(seed: int, count: int, depth: int) -> None:
    scores = quantised(np.random.default_rng(seed).integers(0, 4, (2, 5, count)) / 4)
    best = leading(masked(scores, np.ones(scores.shape, dtype=bool)), depth)
    for index in np.ndindex(2, 5):
        expected = sorted(range(count), key=lambda row: (-scores[index][row], row))[:depth]
        assert best.rows is not None
        assert best.rows[index].tolist() == expected
        assert best.scores[index].tolist() == scores[index][expected].tolist()


@pytest.mark.parametrize("pick", [Proportional(), Proportional(3.0), SympsonHetter(EXPOSURE)])
def test_the_lowest_draw_is_not_the_first_item_but_the_first_that_may_be_drawn(pick: Pick) -> None:
    scores = quantised(np.array([0.0, 0.5, 0.5, 0.0, 0.1, 0.2]))
    available = np.array([False, False, True, True, True, True])
    assert pick(masked(scores, available), np.float64(0.0)) == 2
    worthless_first = np.array([True, False, True, True, True, True])
    assert pick(masked(scores, worthless_first), np.float64(0.0)) == 2


def test_scores_closer_than_a_quantum_are_equal() -> None:
    assert quantised(np.array([0.1 + 0.2]))[0] == quantised(np.array([0.3]))[0] == 0.3 * QUANTUM
    assert quantised(np.array([1e-9]))[0] > quantised(np.array([4e-10]))[0]


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: TopK(0), "k of at least 1"),
        (lambda: SympsonHetter(()), "one for each item"),
        (lambda: SympsonHetter((0.5, 0.0)), r"\]0, 1\]"),
        (lambda: SympsonHetter((0.5, 1.1)), r"\]0, 1\]"),
        (lambda: SympsonHetter((float("nan"),)), r"\]0, 1\]"),
    ],
)
def test_picks_that_make_no_sense_are_refused(build: object, words: str) -> None:
    with pytest.raises(DesignError, match=words):
        build()  # type: ignore[operator]


def test_few_runs_and_many_have_the_same_leaders() -> None:
    """Few runs are sorted and many are passed over; the scores say where nothing is left."""
    rng = np.random.default_rng(4)
    scores = np.where(rng.random((40, 9)) < 0.5, -np.inf, rng.integers(0, 4, (40, 9)).astype(float))
    many = leading(Ranking(None, scores), 6)
    for run in range(40):
        alone = leading(Ranking(None, scores[run]), 6)
        usable = np.isfinite(alone.scores)
        np.testing.assert_array_equal(many.scores[run], alone.scores)
        assert alone.rows is not None
        assert many.rows is not None
        np.testing.assert_array_equal(many.rows[run][usable], alone.rows[usable])
