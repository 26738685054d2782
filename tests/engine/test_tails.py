import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, norm, pearson3

from engine.tails import count_at_least, skewed_below
from tests.reference import plausibility as slow

CHANCES = st.lists(st.floats(0.0, 1.0), min_size=0, max_size=9)


@given(CHANCES, st.integers(-1, 11))
def test_a_count_is_the_sum_over_every_outcome(chances: list[float], count: int) -> None:
    assert count_at_least(chances, count) == pytest.approx(slow.count_at_least(chances, count), abs=1e-12)


@given(st.integers(1, 60), st.floats(0.01, 0.99), st.integers(0, 60))
def test_equal_chances_are_binomial_to_the_last_digits_of_a_small_tail(trials: int, p: float, count: int) -> None:
    found = count_at_least(np.full(trials, p), count)
    assert found == pytest.approx(binom.sf(count - 1, trials, p), rel=1e-9, abs=1e-300)


def test_counts_of_many_are_those_of_one_and_padding_changes_nothing() -> None:
    rng = np.random.default_rng(1)
    chances, count = rng.uniform(size=(3, 4, 7)), rng.integers(0, 8, (3, 4))
    many = count_at_least(np.concatenate([chances, np.zeros((3, 4, 2))], axis=-1), count)
    for index in np.ndindex(3, 4):
        assert many[index] == count_at_least(chances[index], count[index])


@given(st.floats(-8.0, 8.0), st.floats(-1.99, 1.99))
def test_the_skewed_tail_is_pearsons_type_three(z: float, skewness: float) -> None:
    assert skewed_below(z, skewness) == pytest.approx(pearson3.cdf(z, skewness), abs=2e-4, rel=1e-6)
    if abs(skewness) > 0.01:
        assert skewed_below(z, skewness) == pytest.approx(pearson3.cdf(z, skewness), abs=1e-9)


@pytest.mark.parametrize("skewness", [0.0, 9e-4, -9e-4, 1.1e-3, -1.1e-3])
def test_without_skewness_it_is_normal(skewness: float) -> None:
    z = np.linspace(-5.0, 5.0, 41)
    np.testing.assert_allclose(skewed_below(z, skewness), norm.cdf(z), atol=1e-4)
