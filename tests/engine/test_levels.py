import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.levels import interval, level, level_probabilities, probability_above, quantile
from tests.reference import slow

NODES = np.linspace(-4.0, 4.0, 41)
MASSES = st.lists(st.integers(0, 1000), min_size=41, max_size=41).filter(lambda m: sum(m) > 0)
ABILITIES = st.floats(-6, 6)
CUTS = st.lists(st.integers(-60, 60), min_size=1, max_size=8, unique=True).map(lambda c: np.sort(c) / 10.0)


def posterior(masses: list[int]) -> np.ndarray:
    return np.array(masses) / sum(masses)


@given(MASSES, ABILITIES)
def test_the_mass_above_a_cut_is_that_of_the_cells(masses: list[int], cut: float) -> None:
    p = posterior(masses)
    assert probability_above(p, NODES, [cut])[0] == pytest.approx(slow.probability_above(p, NODES, cut), abs=1e-12)


@given(MASSES, ABILITIES, st.floats(0, 0.01))
def test_it_falls_continuously_as_the_cut_rises(masses: list[int], cut: float, more: float) -> None:
    before, after = probability_above(posterior(masses), NODES, [cut, cut + more])
    assert -1e-12 <= before - after <= more / 0.2 + 1e-12


def test_it_is_one_below_the_grid_and_zero_above_it() -> None:
    p = np.full(41, 1 / 41)
    np.testing.assert_allclose(probability_above(p, NODES, [-9.0, -4.1, 4.1, 9.0]), [1, 1, 0, 0], atol=1e-12)


@given(MASSES, CUTS)
def test_level_probabilities_are_a_distribution(masses: list[int], cuts: np.ndarray) -> None:
    each = level_probabilities(posterior(masses), NODES, cuts)
    assert each.shape == (cuts.size + 1,)
    assert (each >= 0).all()
    assert each.sum() == pytest.approx(1.0, abs=1e-12)
    above = probability_above(posterior(masses), NODES, cuts)
    np.testing.assert_allclose(np.cumsum(each[::-1])[::-1][1:], above, atol=1e-12)


@given(MASSES, CUTS)
def test_the_level_is_the_highest_one_that_is_more_likely_reached_than_not(masses: list[int], cuts: np.ndarray) -> None:
    above = np.round(probability_above(posterior(masses), NODES, cuts), 9)
    each = level_probabilities(posterior(masses), NODES, cuts)
    reached = level(each)
    expected = max((rank for rank, p in enumerate(above, start=1) if p >= 0.5), default=0)
    assert int(reached.level) == expected
    assert reached.probability == each[reached.level]


def test_a_tie_in_the_last_bit_counts_as_reached() -> None:
    assert level([0.5 + 1e-13, 0.5 - 1e-13]).level == 1
    assert level([0.5 + 1e-6, 0.5 - 1e-6]).level == 0


def test_no_cuts_no_levels() -> None:
    each = level_probabilities(np.full(41, 1 / 41), NODES, [])
    assert each.tolist() == [1.0]
    assert level(each).level == 0


@given(st.lists(MASSES, min_size=3, max_size=3), CUTS)
def test_many_are_each_alone(masses: list[list[int]], cuts: np.ndarray) -> None:
    batch = np.stack([posterior(m) for m in masses])
    many = level_probabilities(batch, NODES, cuts)
    reached, ends = level(many), interval(batch, NODES, 0.9)
    for row in range(3):
        assert (many[row] == level_probabilities(batch[row], NODES, cuts)).all()
        assert reached.level[row] == level(many[row]).level
        assert ends.lower[row] == interval(batch[row], NODES, 0.9).lower


def test_competences_have_their_own_cuts() -> None:
    rng = np.random.default_rng(1)
    batch = rng.dirichlet(np.ones(41), size=(5, 3))
    cuts = np.sort(rng.normal(size=(3, 8)), axis=1)
    many = probability_above(batch, NODES, cuts)
    assert many.shape == (5, 3, 8)
    for learner in range(5):
        for competence in range(3):
            alone = probability_above(batch[learner, competence], NODES, cuts[competence])
            assert (many[learner, competence] == alone).all()
    assert probability_above(batch[0, 0], NODES, cuts).shape == (3, 8)


@given(MASSES, st.floats(0.001, 0.999))
def test_quantiles_invert_the_mass_above(masses: list[int], share: float) -> None:
    p = posterior(masses)
    at = quantile(p, NODES, [share])
    assert probability_above(p, NODES, at)[0] == pytest.approx(1.0 - share, abs=1e-9)


@given(MASSES, st.floats(0.01, 0.99))
def test_an_interval_holds_its_coverage(masses: list[int], coverage: float) -> None:
    p = posterior(masses)
    ends = interval(p, NODES, coverage)
    inside = probability_above(p, NODES, [ends.lower, ends.upper])
    assert ends.lower <= ends.upper
    assert inside[0] - inside[1] == pytest.approx(coverage, abs=1e-9)


def test_the_ends_of_the_scale_are_the_extreme_quantiles() -> None:
    p = np.zeros(41)
    p[20] = 1.0
    np.testing.assert_allclose(quantile(p, NODES, [0.0, 0.5, 1.0]), [-4.1, 0.0, 0.1], atol=1e-12)


def test_a_normal_posterior_has_normal_quantiles() -> None:
    p = np.exp(-0.5 * NODES**2)
    np.testing.assert_allclose(interval(p / p.sum(), NODES, 0.95), (-1.96, 1.96), atol=0.01)
