import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from engine.errors import DesignError
from engine.groups.topics import LEAST_VARIANCE, topic_needs

Sums = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def simulated(seed: int, topics: int = 12, spread: float = 0.1, most: int = 60, batch: tuple[int, ...] = ()) -> Sums:
    """Sums over replies whose chances differ from the expected ones by the topic; the last is the difference."""
    rng = np.random.default_rng(seed)
    shape = (*batch, topics)
    asked = rng.integers(0, most, shape)
    p, lasting = rng.uniform(0.3, 0.7, shape), rng.normal(0.0, spread, shape)
    observed = rng.binomial(asked, np.clip(p + lasting, 0.0, 1.0)).astype(float)
    return observed, p * asked, p * (1 - p) * asked, asked


@given(st.integers(0, 10_000))
def test_residuals_shrink_by_what_luck_explains(seed: int) -> None:
    observed, expected, variance, asked = simulated(seed)
    found = topic_needs(observed, expected, variance, asked)
    heard = asked > 0
    raw, v = (observed - expected)[heard] / asked[heard], variance[heard] / asked[heard] ** 2

    def excess(square: float) -> float:
        return float((raw**2 / (square + v)).sum() - raw.size)

    square = brentq(excess, 0.0, 10.0, xtol=1e-15) if raw.size and excess(0.0) > 0.0 else 0.0
    assert found.spread**2 == pytest.approx(square, abs=1e-9)
    np.testing.assert_allclose(found.raw[heard], raw)
    np.testing.assert_allclose(found.residual[heard], raw * square / (square + v), atol=1e-7)
    # After Morris (1983), with nothing regressed on.
    doubt = [2 / max(raw.size - 2, 1) * (u / (square + u)) ** 2 * (v.mean() + square) / (u + square) for u in v]
    np.testing.assert_allclose(found.sd[heard] ** 2, square * v / (square + v) + doubt * raw**2, atol=1e-7)
    assert (found.sd[~heard] == found.spread).all()


@given(st.integers(0, 10_000))
def test_a_residual_is_never_larger_than_it_was_nor_of_another_sign(seed: int) -> None:
    found = topic_needs(*simulated(seed))
    heard = ~np.isnan(found.raw)
    assert (np.abs(found.residual[heard]) <= np.abs(found.raw[heard]) + 1e-15).all()
    assert (found.residual[heard] * found.raw[heard] >= 0.0).all()


@given(st.integers(0, 10_000))
def test_the_worst_comes_first_and_what_was_not_asked_last(seed: int) -> None:
    sums = simulated(seed, most=4)
    found, asked = topic_needs(*sums), sums[3]
    assert sorted(found.order) == list(range(12))
    heard = asked[found.order] > 0
    assert (np.diff(heard.astype(int)) <= 0).all()
    assert (np.diff(found.residual[found.order][heard]) >= -1e-9).all()
    assert (found.residual[asked == 0] == 0.0).all()
    assert np.isnan(found.raw[asked == 0]).all()


def test_where_nothing_differs_nothing_is_told() -> None:
    exact = topic_needs([5.0, 10.0, 0.0], [5.0, 10.0, 0.0], [2.5, 5.0, 0.0], [10, 20, 0])
    assert exact.spread == 0.0
    assert exact.residual.tolist() == [0.0, 0.0, 0.0]
    assert exact.sd.tolist() == [0.0, 0.0, 0.0]
    assert exact.order.tolist() == [0, 1, 2]


def test_luck_alone_is_told_rarely_and_little() -> None:
    """2,000 groups without any difference between topics."""
    found = topic_needs(*simulated(1, spread=0.0, batch=(2000,)))
    assert np.mean(found.spread == 0.0) > 0.45
    assert np.mean(found.spread) < 0.03
    sure = found.residual + 1.645 * found.sd < 0.0
    assert np.mean(sure) < 0.005


def test_the_spread_is_found_and_shrunken_residuals_are_nearer_to_the_truth() -> None:
    """1,000 groups of 40 topics, with up to 60 replies each."""
    rng = np.random.default_rng(2)
    asked = rng.integers(1, 60, (1000, 40))
    p, lasting = rng.uniform(0.35, 0.65, asked.shape), rng.normal(0.0, 0.1, asked.shape)
    observed = rng.binomial(asked, np.clip(p + lasting, 0.0, 1.0))
    found = topic_needs(observed, p * asked, p * (1 - p) * asked, asked)
    assert np.mean(found.spread) == pytest.approx(0.1, abs=0.01)
    assert np.mean((found.residual - lasting) ** 2) < 0.6 * np.mean((found.raw - lasting) ** 2)


@pytest.mark.parametrize("topics", [2, 4, 10, 40])
@pytest.mark.parametrize("spread", [0.0, 0.05, 0.1, 0.2])
def test_intervals_cover_the_lasting_differences_of_few_topics_too(topics: int, spread: float) -> None:
    rng = np.random.default_rng(topics)
    asked = rng.integers(1, 60, (2000, topics))
    p, lasting = rng.uniform(0.35, 0.65, asked.shape), rng.normal(0.0, spread, asked.shape)
    observed = rng.binomial(asked, np.clip(p + lasting, 0.0, 1.0))
    found = topic_needs(observed, p * asked, p * (1 - p) * asked, asked)
    inside = np.mean(np.abs(found.residual - lasting) <= 1.645 * found.sd + 1e-12)
    assert (0.98 if spread == 0.0 else 0.83) < inside <= (1.0 if spread == 0.0 else 0.93)


def test_groups_side_by_side_are_as_each_alone() -> None:
    sums = simulated(3, batch=(4, 3))
    many = topic_needs(*sums)
    for index in np.ndindex(4, 3):
        for field, alone in zip(many, topic_needs(*(part[index] for part in sums)), strict=True):
            np.testing.assert_allclose(field[index], alone, atol=1e-15)


def test_a_model_too_sure_of_itself_does_not_blow_up() -> None:
    found = topic_needs([0.0, 5.0], [1.0, 5.0], [0.0, 2.5], [1, 10])
    assert np.isfinite([found.residual, found.sd]).all()
    assert found.residual[0] == pytest.approx(-0.5 / (0.5 + LEAST_VARIANCE), abs=1e-3)


def test_no_topics_and_no_replies() -> None:
    nothing = topic_needs([], [], [], [])
    assert (nothing.residual.size, float(nothing.spread)) == (0, 0.0)
    silent = topic_needs([0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0, 0])
    assert (silent.residual.tolist(), silent.order.tolist(), float(silent.spread)) == ([0.0, 0.0], [0, 1], 0.0)


@pytest.mark.parametrize(
    ("sums", "words"),
    [
        (([1.0], [1.0, 1.0], [0.2], [2]), "align"),
        ((1.0, 1.0, 0.2, 2), "align"),
        (([3.0], [1.0], [0.2], [2]), "0 to 1 points"),
        (([-1.0], [1.0], [0.2], [2]), "0 to 1 points"),
        (([1.0], [2.5], [0.2], [2]), "0 to 1 points"),
        (([1.0], [1.0], [0.6], [2]), "0 to 1 points"),
        (([1.0], [1.0], [np.nan], [2]), "0 to 1 points"),
    ],
)
def test_sums_that_cannot_be_are_refused(sums: tuple[object, ...], words: str) -> None:
    with pytest.raises(DesignError, match=words):
        topic_needs(*sums)  # type: ignore[arg-type]
