import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.uniform import derive, uniform

WORD = 2**64 - 1
laws = settings(deadline=None)
seeds = st.integers(-(2**63), 2**63 - 1)


def mixed(z: int) -> int:
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & WORD
    return z ^ (z >> 31)


def splitmix(state: int, place: int) -> int:
    """Output number ``place``, from 0, of the generator SplitMix64 started at ``state``."""
    return mixed((state + (place + 1) * 0x9E3779B97F4A7C15) & WORD)


def test_the_reference_here_is_the_published_generator() -> None:
    """First outputs for seed 1234567, as listed by Rosetta Code and by Vigna's C program."""
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    assert [splitmix(1234567, place) for place in range(4)] == published


@laws
@given(seeds, st.integers(0, 10**6))
def test_a_draw_is_an_output_of_the_generator_started_at_the_mixed_seed(seed: int, position: int) -> None:
    word = splitmix(mixed(seed & WORD), position)
    assert float(uniform(seed, position)) == (word >> 11) / 2**53
    assert int(derive(seed, position)) == word >> 1


@laws
@given(st.lists(seeds, min_size=1, max_size=5), st.lists(st.integers(0, 300), min_size=1, max_size=5))
def test_many_draws_are_each_of_them(many: list[int], positions: list[int]) -> None:
    table = uniform(np.array(many)[:, None], np.array(positions))
    assert table.shape == (len(many), len(positions))
    for i, seed in enumerate(many):
        for j, position in enumerate(positions):
            assert table[i, j] == uniform(seed, position)


def test_one_draw_is_a_number_without_an_axis() -> None:
    assert uniform(5, 0).shape == derive(5, 0).shape == ()
    assert uniform([5], 0).shape == uniform(5, [0]).shape == (1,)


def test_every_64_bit_integer_is_a_seed() -> None:
    extremes = [0, -1, 2**63 - 1, -(2**63)]
    assert len({float(uniform(seed, 0)) for seed in extremes}) == 4
    assert uniform(np.uint64(2**64 - 1), 0) == uniform(-1, 0)
    assert uniform(2**64 - 1, 0) == uniform(-1, 0)


@pytest.mark.parametrize("axis", ["seeds", "positions"])
def test_draws_are_uniform_and_unrelated(axis: str) -> None:
    """Sequential seeds and sequential positions are the hard case for a hash, and the usual one for us."""
    counting = np.arange(20_000)
    draws = uniform(counting, 3) if axis == "seeds" else uniform(11, counting)
    assert ((draws >= 0.0) & (draws < 1.0)).all()
    counts = np.bincount((draws * 50).astype(int), minlength=50)
    assert ((counts - 400.0) ** 2 / 400.0).sum() < 100.0  # chi-squared, 49 degrees of freedom: p < 1e-4
    after = uniform(counting, 4) if axis == "seeds" else draws[1:]
    assert abs(np.corrcoef(draws[: after.size], after)[0, 1]) < 0.03


def test_derived_seeds_differ_and_fit_a_signed_column() -> None:
    children = derive(42, np.arange(10_000))
    assert np.unique(children).size == 10_000
    assert (children >= 0).all()
    assert abs(np.corrcoef(uniform(children, 0), uniform(42, np.arange(10_000)))[0, 1]) < 0.04
