import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from engine.errors import DesignError
from engine.groups.shares import count_distribution, level_distribution, share
from engine.tails import count_at_least
from tests.reference import plausibility as slow

CHANCES = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=9)
MANY = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=70)
COVERAGES = st.floats(0.05, 0.99)


@given(CHANCES)
def test_the_number_is_the_sum_over_every_outcome(chances: list[float]) -> None:
    mass = count_distribution(chances)
    assert mass.shape == (len(chances) + 1,)
    for count in range(len(chances) + 1):
        assert mass[count:].sum() == pytest.approx(slow.count_at_least(chances, count), abs=1e-12)


@given(MANY)
def test_it_is_a_distribution_with_the_mean_and_variance_of_the_sum(chances: list[float]) -> None:
    mass, p = count_distribution(chances), np.array(chances)
    count = np.arange(mass.size)
    assert (mass >= 0.0).all()
    assert mass.sum() == pytest.approx(1.0, abs=1e-12)
    assert mass @ count == pytest.approx(p.sum(), abs=1e-9)
    assert mass @ (count - p.sum()) ** 2 == pytest.approx((p * (1 - p)).sum(), abs=1e-9)


@pytest.mark.parametrize("learners", [1, 2, 3, 64, 65, 1000, 3000])
def test_equal_chances_are_binomial(learners: int) -> None:
    mass = count_distribution(np.full(learners, 0.3))
    np.testing.assert_allclose(mass, binom.pmf(np.arange(learners + 1), learners, 0.3), atol=1e-13)


def test_a_school_is_as_the_sum_taken_one_after_the_other() -> None:
    p = np.random.default_rng(3).uniform(size=700)
    above = count_at_least(np.tile(p, (701, 1)), np.arange(701))
    np.testing.assert_allclose(np.cumsum(count_distribution(p)[::-1])[::-1], above, atol=1e-12)


@given(MANY, COVERAGES)
def test_the_interval_is_central_and_as_narrow_as_counts_allow(chances: list[float], coverage: float) -> None:
    found, mass, learners = share(chances, coverage), count_distribution(chances), len(chances)
    assert 0.0 <= found.lower <= found.estimate <= found.upper <= 1.0
    assert found.estimate == pytest.approx(np.mean(chances), abs=1e-12)
    count, tail = np.arange(learners + 1), 0.5 * (1.0 - coverage)
    assert mass[count < found.lower * learners - 1e-6].sum() <= tail + 1e-8
    assert mass[count > found.upper * learners + 1e-6].sum() <= tail + 1e-8
    if found.lower < found.estimate:  # one learner fewer left out would be too many
        assert mass[count < found.lower * learners + 0.5].sum() >= tail - 1e-8
    if found.upper > found.estimate:
        assert mass[count > found.upper * learners - 0.5].sum() >= tail - 1e-8


@given(MANY, COVERAGES, st.randoms())
def test_the_order_of_learners_does_not_matter(chances: list[float], coverage: float, random: object) -> None:
    moved = list(chances)
    random.shuffle(moved)  # type: ignore[attr-defined]
    np.testing.assert_allclose(share(chances, coverage)[:3], share(moved, coverage)[:3], atol=1e-12)


@given(MANY, st.floats(0.05, 0.5), st.floats(0.5, 0.99))
def test_more_coverage_is_a_wider_interval(chances: list[float], less: float, more: float) -> None:
    narrow, wide = share(chances, less), share(chances, more)
    assert wide.lower <= narrow.lower
    assert narrow.upper <= wide.upper


@given(MANY, COVERAGES)
def test_who_is_above_in_one_view_is_below_in_the_other(chances: list[float], coverage: float) -> None:
    """P exactly at a tail, which rounding may take for either side, is the one exception."""
    found, other = share(chances, coverage), share(1.0 - np.array(chances), coverage)
    cumulated = np.cumsum(count_distribution(chances))
    tail = 0.5 * (1.0 - coverage)
    if np.abs(cumulated[:, None] - [tail, 1.0 - tail]).min() > 1e-7:
        np.testing.assert_allclose(found[:3], 1.0 - np.array([other.estimate, other.upper, other.lower]), atol=1e-9)


def test_competences_side_by_side_are_as_each_alone_and_the_unknown_are_left_out() -> None:
    rng = np.random.default_rng(1)
    above = rng.uniform(size=(3, 4, 25))
    above[rng.uniform(size=above.shape) < 0.2] = np.nan
    above[1, 2] = np.nan
    many = share(above)
    for index in np.ndindex(3, 4):
        alone = share(above[index][~np.isnan(above[index])])
        assert many.learners[index] == alone.learners
        np.testing.assert_allclose([f[index] for f in many], alone, atol=1e-12)
    assert np.isnan([many.estimate[1, 2], many.lower[1, 2], many.upper[1, 2]]).all()


def test_nobody_has_no_share_and_everybody_has_all_of_it() -> None:
    assert np.isnan(share([])[:3]).all()
    assert np.isnan(share(np.empty((16, 0))).estimate).all()
    assert share([]).learners == 0
    assert [float(figure) for figure in share(np.ones(30))] == [1.0, 1.0, 1.0, 30.0]
    assert [float(figure) for figure in share(np.zeros(30))] == [0.0, 0.0, 0.0, 30.0]


def test_an_interval_holds_its_estimate_even_of_one_learner() -> None:
    one = share([0.04])
    assert (one.lower, one.estimate, one.upper) == pytest.approx((0.0, 0.04, 0.04))


@pytest.mark.parametrize("learners", [8, 30, 200])
def test_intervals_cover_the_share_of_the_learners_at_or_above(learners: int) -> None:
    """3,000 groups whose learners are above with the probabilities told."""
    rng = np.random.default_rng(learners)
    p = rng.beta(0.8, 1.2, (3000, learners))
    truth = (rng.uniform(size=p.shape) < p).mean(axis=-1)
    found = share(p, 0.9)
    inside = np.mean((found.lower - 1e-9 <= truth) & (truth <= found.upper + 1e-9))
    # Of a number of learners an interval covers a little more than it promises; 0.017 is three Monte Carlo errors.
    assert 0.9 - 0.017 < inside < 0.9 + (0.09 if learners == 8 else 0.05)
    assert np.mean(truth - found.estimate) == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("above", [[0.5, 1.2], [-0.1], 0.5])
def test_what_is_no_probability_is_refused(above: object) -> None:
    with pytest.raises(DesignError, match="between 0 and 1"):
        share(above)  # type: ignore[arg-type]


def test_expected_numbers_add_up_to_the_learners_known() -> None:
    rng = np.random.default_rng(2)
    each = rng.dirichlet(np.ones(9), size=(2, 25, 16))
    each[0, :5, 3], each[1, :, 7] = np.nan, np.nan
    found = level_distribution(each)
    assert found.expected.shape == (2, 16, 9)
    np.testing.assert_allclose(found.expected.sum(axis=-1), found.learners, atol=1e-12)
    assert (found.learners + found.unknown == 25).all()
    assert (found.learners[0, 3], found.unknown[0, 3], found.learners[1, 7]) == (20, 5, 0)
    np.testing.assert_allclose(found.expected[0, 3], each[0, 5:, 3].sum(axis=0), atol=1e-12)
    np.testing.assert_array_equal(found.expected[1], level_distribution(each[1]).expected)


def test_levels_without_learners_are_refused() -> None:
    with pytest.raises(DesignError, match="axes"):
        level_distribution(np.ones((16, 9)))
