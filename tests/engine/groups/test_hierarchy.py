import numpy as np
import pytest

from engine.groups.hierarchy import Hierarchy, hierarchy
from tests.reference.groups import ClassMeans


def simulated(seed: int, sizes: list[int], within: float, between: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(len(sizes)), sizes)
    v = rng.uniform(0.1, 1.5, group.size)
    means = rng.normal(0.3, between, len(sizes))
    return means[group] + rng.normal(size=group.size) * np.sqrt(within**2 + v), v, group


def found(y: np.ndarray, v: np.ndarray, group: np.ndarray, groups: int) -> Hierarchy:
    return hierarchy(1.0 / v, y / v, group, groups, 1.0, 0.5)


@pytest.mark.parametrize("sizes", [[4, 7], [3, 5, 0, 8], [6], [1, 1, 1, 1], [12, 1]])
def test_it_is_generalised_least_squares_at_every_point_of_a_fine_grid(sizes: list[int]) -> None:
    y, v, group = simulated(len(sizes), sizes, 0.8, 0.6)
    slow = ClassMeans(y, v, group, len(sizes), (1.0, 0.5), 70)
    fast = found(y, v, group, len(sizes))
    mean, exact = fast.weight @ fast.mean, slow.weight @ slow.mean
    np.testing.assert_allclose(mean, exact, atol=2e-3)
    np.testing.assert_allclose(
        fast.weight @ (fast.variance + (fast.mean - mean) ** 2),
        slow.weight @ (slow.variance + (slow.mean - exact) ** 2),
        rtol=5e-3,
    )
    assert fast.weight @ fast.within == pytest.approx(slow.weight @ slow.within, abs=2e-3)
    assert fast.weight @ fast.between == pytest.approx(slow.weight @ slow.between, abs=2e-3)


def test_the_grid_closes_in_on_the_posterior_of_many_learners() -> None:
    """20,000 learners leave 0.005 of uncertainty in sigma, a fortieth of the spacing of the first grid."""
    y, v, group = simulated(3, [500] * 40, 0.8, 0.4)
    of_classes = found(y, v, group, 40)
    mean = of_classes.weight @ of_classes.within
    sd = float(np.sqrt(of_classes.weight @ (of_classes.within - mean) ** 2))
    assert mean == pytest.approx(0.8, abs=4 * sd)
    assert 0.003 < sd < 0.015
    assert 1.0 / (of_classes.weight**2).sum() > 12, "the weight is spread over many nodes"


def test_nothing_depends_on_the_order_of_learners_or_the_names_of_classes() -> None:
    y, v, group = simulated(5, [5, 9, 3], 0.8, 0.5)
    moved = np.random.default_rng(1).permutation(y.size)
    straight, other = found(y, v, group, 3), found(y[moved], v[moved], 2 - group[moved], 3)
    np.testing.assert_allclose((straight.weight @ straight.mean)[::-1], other.weight @ other.mean, atol=1e-10)


def test_measurements_that_move_together_move_the_means_and_nothing_else() -> None:
    y, v, group = simulated(6, [5, 9, 3], 0.8, 0.5)
    straight, moved = found(y, v, group, 3), found(y + 2.0, v, group, 3)
    np.testing.assert_allclose(straight.weight @ straight.mean + 2.0, moved.weight @ moved.mean, atol=1e-9)
    assert straight.weight @ straight.within == pytest.approx(moved.weight @ moved.within, abs=1e-9)


def test_the_own_share_says_how_far_the_mean_follows_the_own_measurements() -> None:
    y, v, group = simulated(7, [5, 9, 3], 0.8, 0.5)
    one = found(y, v, group, 3)
    mean = np.stack([one.raw[:, j] * one.own[:, j] for j in range(3)], axis=1)
    assert ((one.own > 0.0) & (one.own < 1.0)).all()
    # What is left of the mean does not depend on the own measurements of the class.
    others = (one.mean - mean) / (1.0 - one.own)
    assert (others.min(axis=0) > one.raw.min() - 1e-9).all()
    assert (others.max(axis=0) < one.raw.max() + 1e-9).all()
