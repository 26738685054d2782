import numpy as np
import pytest

from engine.errors import DesignError
from engine.latent import Independent, LatentTree
from simulations.learners import Learners, Stream, draw, given, normal, number

TREE = LatentTree((0, 0, 1, 1), (0.7, 0.9), (0.8, 0.85, 0.9, 0.6))


def test_a_simulee_is_the_same_whatever_the_company():
    few, many = draw(TREE, 5, seed=3), draw(TREE, 500, seed=3)
    assert np.array_equal(few.seeds, many.seeds[:5])
    assert np.array_equal(few.abilities, many.abilities[:5])


def test_another_seed_makes_other_simulees():
    assert not np.isin(draw(TREE, 50, seed=3).seeds, draw(TREE, 50, seed=4).seeds).any()


def test_abilities_follow_the_tree():
    abilities = draw(TREE, 40_000, seed=1).abilities
    assert np.abs(abilities.mean(axis=0)).max() < 0.02
    assert np.abs(abilities.std(axis=0) - 1.0).max() < 0.02
    assert np.abs(np.corrcoef(abilities.T) - TREE.correlations()).max() < 0.02


def test_independent_abilities_are_independent():
    abilities = draw(Independent(3), 40_000, seed=1).abilities
    assert np.abs(np.corrcoef(abilities.T) - np.eye(3)).max() < 0.02


def test_streams_are_unrelated():
    seeds = draw(Independent(), 20_000, seed=5).seeds
    numbers = np.array([number(seeds, stream, position) for stream in Stream for position in (0, 1)])
    correlations = np.corrcoef(numbers) - np.eye(len(numbers))
    assert np.abs(correlations).max() < 0.04


def test_normal_numbers_are_finite_and_standard():
    z = normal(draw(Independent(), 50_000, seed=2).seeds, Stream.TIMES, 0)
    assert np.isfinite(z).all()
    assert abs(z.mean()) < 0.02
    assert abs(z.std() - 1.0) < 0.02


def test_given_abilities_are_kept():
    learners = given([0.5, -1.0], seed=1)
    assert learners.abilities.tolist() == [[0.5], [-1.0]]
    assert len(learners.part(1, 2)) == 1


@pytest.mark.parametrize("count", [0, -3])
def test_no_simulees_is_refused(count):
    with pytest.raises(DesignError, match="at least 1"):
        draw(TREE, count, seed=1)


def test_what_does_not_go_together_is_refused():
    with pytest.raises(DesignError, match="one seed"):
        Learners(np.arange(3), np.zeros((2, 1)))
    with pytest.raises(DesignError, match="finite"):
        Learners(np.arange(1), np.full((1, 1), np.nan))
