import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import DesignError
from engine.exposure import held_back

laws = settings(deadline=None, max_examples=60)
SIZES = (1, 2, 3, 4, 7, 8, 20)
TOPIC = np.random.default_rng(0).permutation(np.repeat(np.arange(len(SIZES)), SIZES))
CANDIDATES = 40_000


@pytest.mark.parametrize("share", [0.1, 0.25, 1 / 3, 0.7])
def test_every_item_is_eligible_with_the_share_as_its_probability(share: float) -> None:
    eligible = ~held_back(np.arange(CANDIDATES), TOPIC, share)
    error = np.sqrt(share * (1.0 - share) / CANDIDATES)
    assert np.abs(eligible.mean(axis=0) - share).max() < 4.5 * error
    for topic, size in enumerate(SIZES):
        number = eligible[:, topic == TOPIC].sum(axis=1)
        assert set(number) <= {int(np.floor(np.round(share * size, 9))), int(np.ceil(np.round(share * size, 9)))}
        spread = max(number.std(), 1e-12) / np.sqrt(CANDIDATES)
        assert abs(number.mean() - share * size) < 4.5 * spread + 1e-9


def test_a_quarter_of_eight_is_two_for_everybody() -> None:
    eligible = ~held_back(np.arange(500), TOPIC, 0.25)
    assert (eligible[:, TOPIC == SIZES.index(8)].sum(axis=1) == 2).all()
    assert (eligible[:, TOPIC == SIZES.index(4)].sum(axis=1) == 1).all()


def test_topics_and_pairs_of_items_are_drawn_independently() -> None:
    eligible = ~held_back(np.arange(CANDIDATES), TOPIC, 0.3)
    number = np.stack([eligible[:, topic == TOPIC].sum(axis=1) for topic in range(len(SIZES))], axis=1)
    moving = number[:, number.std(axis=0) > 0]
    correlation = np.corrcoef(moving, rowvar=False)
    assert np.abs(correlation - np.eye(len(correlation))).max() < 5.0 / np.sqrt(CANDIDATES)
    inside = eligible[:, TOPIC == SIZES.index(20)]  # 6 of 20: the same chance for each pair
    together = (inside[:, :, None] & inside[:, None]).mean(axis=0)[np.triu_indices(20, 1)]
    chance = 6 * 5 / (20 * 19)
    assert np.abs(together - chance).max() < 5.0 * np.sqrt(chance * (1 - chance) / CANDIDATES)


@laws
@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=6), st.floats(0.01, 1.0))
def test_a_candidate_gets_the_same_items_alone_and_among_others(seeds: list[int], share: float) -> None:
    many = held_back(np.array(seeds).reshape(1, -1), TOPIC, share)
    assert many.shape == (1, len(seeds), TOPIC.size)
    for place, seed in enumerate(seeds):
        np.testing.assert_array_equal(held_back(seed, TOPIC, share), many[0, place])


def test_a_share_of_one_holds_nothing_back_and_other_numbers_are_refused() -> None:
    assert not held_back(np.arange(9), TOPIC, 1.0).any()
    for share in (0.0, -0.1, 1.5, float("nan")):
        with pytest.raises(DesignError, match="above 0 and at most 1"):
            held_back(1, TOPIC, share)


def test_other_candidates_and_other_shares_are_other_draws_but_a_larger_share_holds_back_no_more() -> None:
    seeds = np.arange(300)
    small, large = held_back(seeds, TOPIC, 0.25), held_back(seeds, TOPIC, 0.5)
    assert (small | ~large).all()
    assert len({row.tobytes() for row in small}) > 290
