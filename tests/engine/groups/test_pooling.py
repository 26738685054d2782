from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import DesignError
from engine.groups.likelihoods import normal_likelihood
from engine.groups.pooling import Pooled, pool
from tests.reference.groups import ClassMeans

SIZES = st.lists(st.integers(0, 12), min_size=1, max_size=6).filter(lambda sizes: sum(sizes) > 0)
Learners = tuple[np.ndarray, np.ndarray, np.ndarray]


def posteriors(y: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    square = v / (1.0 + v)
    return square * y / v, np.sqrt(square)


def learners(seed: int, sizes: list[int], within: float = 0.8, between: float = 0.4) -> tuple[Learners, np.ndarray]:
    """Posteriors of the learners of classes, and the means of the classes."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(len(sizes)), sizes)
    means = rng.normal(0.2, between, len(sizes))
    ability = means[group] + rng.normal(0.0, within, group.size)
    v = rng.uniform(0.15, 1.0, group.size)
    return (*posteriors(ability + rng.normal(size=group.size) * np.sqrt(v), v), group), means


def test_means_intervals_and_shares_above_are_those_of_a_fine_grid() -> None:
    sizes = [4, 0, 9, 2]
    (mean, sd, group), _ = learners(3, sizes)
    told = normal_likelihood(mean, sd)
    slow = ClassMeans(told.weighted / told.precision, 1.0 / told.precision, group, 4, (1.0, 0.5), 80)
    found = pool(mean, sd, group, 4, cuts=[-0.4, 0.5])
    exact = slow.weight @ slow.mean
    np.testing.assert_allclose(found.mean, exact, atol=2e-3)
    np.testing.assert_allclose(found.sd**2, slow.weight @ (slow.variance + (slow.mean - exact) ** 2), rtol=5e-3)
    assert found.within == pytest.approx(slow.weight @ slow.within, abs=2e-3)
    assert found.between == pytest.approx(slow.weight @ slow.between, abs=2e-3)
    for place in range(4):
        assert slow.below(place, found.lower[place]) == pytest.approx(0.05, abs=1e-3)
        assert slow.below(place, found.upper[place]) == pytest.approx(0.95, abs=1e-3)
        for column, cut in enumerate([-0.4, 0.5]):
            assert found.above[place, column] == pytest.approx(slow.above(place, cut), abs=1e-3)


def test_one_class_is_not_pooled() -> None:
    (mean, sd, group), _ = learners(1, [20])
    found = pool(mean, sd, group, 1)
    np.testing.assert_allclose(found.mean, found.raw, atol=1e-12)
    np.testing.assert_allclose(found.weight, 1.0, atol=1e-12)
    assert np.isnan(found.between), "one class says nothing of how classes differ"


def test_classes_that_are_equal_shrink_to_each_other_and_classes_that_differ_do_not() -> None:
    (mean, sd, group), _ = learners(2, [25] * 12, between=0.0)
    same = pool(mean, sd, group, 12)
    assert np.std(same.mean) < 0.5 * np.std(same.raw)
    (mean, sd, group), _ = learners(2, [25] * 12, between=1.0)
    apart = pool(mean, sd, group, 12)
    assert np.std(apart.mean) > 0.85 * np.std(apart.raw)
    assert apart.weight.min() > 0.9 > same.weight.max()
    assert apart.between > 2 * same.between


def test_small_classes_shrink_more_and_are_less_certain() -> None:
    sizes = [2, 4, 8, 16, 32, 64]
    (mean, sd, group), _ = learners(4, sizes)
    found = pool(mean, sd, group, len(sizes))
    assert (np.diff(found.weight) > 0.0).all()
    assert (np.diff(found.sd) < 0.0).all()
    assert (np.diff(found.upper - found.lower) < 0.0).all()
    assert found.count.tolist() == sizes


@given(SIZES, st.integers(0, 1000))
def test_a_pooled_mean_lies_between_its_own_and_the_others(sizes: list[int], seed: int) -> None:
    (mean, sd, group), _ = learners(seed, sizes)
    found = pool(mean, sd, group, len(sizes), cuts=[-0.5, 0.0, 0.7])
    assert found.count.tolist() == sizes
    own = found.raw[found.count > 0]
    assert ((found.mean >= own.min() - 1e-9) & (found.mean <= own.max() + 1e-9)).all()
    assert ((found.lower < found.mean) & (found.mean < found.upper)).all()
    assert ((found.weight >= 0.0) & (found.weight <= 1.0 + 1e-12)).all()
    assert np.isnan(found.raw[found.count == 0]).all()
    assert (found.weight[found.count == 0] == 0.0).all()
    assert ((found.above > 0.0) & (found.above < 1.0)).all()
    assert (np.diff(found.above, axis=1) < 0.0).all()


@given(SIZES, st.integers(0, 1000), st.randoms())
def test_the_order_of_learners_does_not_matter(sizes: list[int], seed: int, random: object) -> None:
    (mean, sd, group), _ = learners(seed, sizes)
    place = list(range(group.size))
    random.shuffle(place)  # type: ignore[attr-defined]
    straight, moved = pool(mean, sd, group, len(sizes)), pool(mean[place], sd[place], group[place], len(sizes))
    for name in Pooled._fields:
        np.testing.assert_allclose(getattr(straight, name), getattr(moved, name), atol=1e-9)


def test_a_class_without_learners_gets_what_its_population_foretells() -> None:
    (mean, sd, group), _ = learners(6, [20, 0, 20, 20, 20])
    found = pool(mean, sd, group, 5, cuts=[0.3])
    others = np.delete(found.mean, 1)
    assert others.min() < found.mean[1] < others.max()
    assert found.sd[1] > 1.5 * np.delete(found.sd, 1).max()
    assert (found.count[1], found.weight[1]) == (0, 0.0)


def test_who_carries_nothing_or_is_unknown_is_left_out() -> None:
    (mean, sd, group), _ = learners(7, [10, 12])
    alone = pool(mean, sd, group, 2, cuts=[0.0])
    more = pool(
        np.concatenate([mean, [3.0, np.nan, 0.1]]),
        np.concatenate([sd, [1.0, np.nan, 1.3]]),
        np.concatenate([group, [0, 0, 1]]),
        2,
        cuts=[0.0],
    )
    for field, other in zip(alone, more, strict=True):
        np.testing.assert_array_equal(field, other)


def test_a_learner_of_whom_nearly_nothing_is_known_moves_nearly_nothing() -> None:
    (mean, sd, group), _ = learners(8, [10, 12])
    alone = pool(mean, sd, group, 2)
    more = pool(np.append(mean, 0.001), np.append(sd, 1.0 - 1e-5), np.append(group, 0), 2)
    np.testing.assert_allclose(alone.mean, more.mean, atol=1e-3)
    assert alone.within == pytest.approx(more.within, abs=1e-3)


def test_nobody_known_is_nothing_told() -> None:
    found = pool([0.1, np.nan], [1.0, 0.5], [0, 1], 3, cuts=[0.0, 1.0])
    assert isinstance(found, Pooled)
    assert found.count.tolist() == [0, 0, 0]
    assert found.above.shape == (3, 2)
    assert all(np.isnan(field).all() for name, field in found._asdict().items() if name != "count")
    assert pool([], [], np.empty(0, dtype=int), 2).count.tolist() == [0, 0]


def test_without_cuts_nothing_is_above() -> None:
    (mean, sd, group), _ = learners(9, [10, 12])
    assert pool(mean, sd, group, 2).above.shape == (2, 0)


UNEVEN = [3, 3, 5, 5, 8, 8, 12, 12, 20, 20, 30, 30]


def schools(seeds: range, spreads: Callable[[np.random.Generator], tuple[float, float]]) -> tuple[np.ndarray, ...]:
    """Whether the intervals of the classes of each school hold their means, and the errors, pooled and not."""
    inside, pooled, raw = [], [], []
    for seed in seeds:
        (mean, sd, group), truth = learners(seed, UNEVEN, *spreads(np.random.default_rng([seed, 1])))
        found = pool(mean, sd, group, len(UNEVEN))
        inside.append((found.lower <= truth) & (truth <= found.upper))
        pooled.append((found.mean - truth) ** 2)
        raw.append((found.raw - truth) ** 2)
    return np.array(inside), np.array(pooled), np.array(raw)


def test_intervals_cover_the_means_of_classes_as_they_promise() -> None:
    """500 schools, whose spreads are as the prior has them; 0.013 is about three Monte Carlo errors."""
    inside, *_ = schools(range(500), lambda rng: (abs(rng.normal(0.0, 1.0)), abs(rng.normal(0.0, 0.5))))
    assert inside.mean() == pytest.approx(0.9, abs=0.013)
    assert (np.abs(inside.mean(axis=0) - 0.9) < 0.045).all(), "small and large classes alike"


@pytest.mark.parametrize(("between", "covered"), [(0.0, 0.98), (0.2, 0.9), (0.6, 0.88)])
def test_at_given_spreads_they_cover_more_or_a_little_less(between: float, covered: float) -> None:
    """Whether classes differ can only be guessed from twelve of them; 0.035 is about three Monte Carlo errors."""
    inside, *_ = schools(range(150), lambda rng: (0.8, between))
    assert inside.mean() == pytest.approx(covered, abs=0.035)


def test_pooled_means_are_nearer_to_the_truth() -> None:
    inside, pooled, raw = schools(range(300), lambda rng: (0.8, 0.4))
    assert inside.mean() == pytest.approx(0.87, abs=0.025)
    assert pooled[:, :4].mean() < 0.6 * raw[:, :4].mean()
    assert pooled[:, -2:].mean() < 1.02 * raw[:, -2:].mean()


def test_the_share_above_a_cut_is_that_of_the_learners_of_such_classes() -> None:
    """The predictive probability, averaged over schools, is the share of the abilities above."""
    foretold, real = [], []
    for seed in range(100):
        rng = np.random.default_rng(1000 + seed)
        (mean, sd, group), truth = learners(seed, [4, 10, 25])
        foretold.append(pool(mean, sd, group, 3, cuts=[0.5]).above[:, 0])
        real.append((truth[:, None] + rng.normal(0.0, 0.8, (3, 500)) > 0.5).mean(axis=1))
    assert np.mean(foretold) == pytest.approx(np.mean(real), abs=0.03)


@pytest.mark.parametrize(
    ("group", "groups", "changes", "words"),
    [
        ([0, 1, 2], 2, {}, "from 0 to 1"),
        ([0, -1, 1], 2, {}, "from 0 to 1"),
        ([0.0, 1.0, 1.0], 2, {}, "from 0 to 1"),
        ([0, 1], 2, {}, "align"),
        ([0, 1, 1], 0, {}, "align"),
        ([0, 1, 1], 2, {"coverage": 1.5}, "coverage"),
        ([0, 1, 1], 2, {"cuts": [[0.0]]}, "align"),
        ([0, 1, 1], 2, {"between_scale": 0.0}, "scales"),
    ],
)
def test_what_cannot_be_is_refused(group: list[int], groups: int, changes: dict[str, float], words: str) -> None:
    with pytest.raises(DesignError, match=words):
        pool([0.0, 0.1, 0.2], [0.5, 0.5, 0.5], group, groups, **changes)
