import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine import belief
from engine.grid import Grid

NODES = Grid().nodes
logs = arrays(np.float64, (41,), elements=st.floats(-700.0, 700.0))
laws = settings(deadline=None, max_examples=60)


@laws
@given(logs)
def test_a_posterior_is_exponentials_over_their_sum(line: np.ndarray) -> None:
    top = max(line)
    weight = [math.exp(value - top) for value in line]
    expected = [value / math.fsum(weight) for value in weight]
    np.testing.assert_allclose(belief.normalise(line), expected, rtol=1e-13, atol=1e-300)


@laws
@given(logs, st.lists(logs, min_size=1, max_size=6))
def test_the_order_of_the_evidence_does_not_matter(start: np.ndarray, evidence: list[np.ndarray]) -> None:
    there, back = start.copy(), start.copy()
    for line in evidence:
        there = belief.update(there, line)
    for line in reversed(evidence):
        back = belief.update(back, line)
    np.testing.assert_allclose(there, back, rtol=1e-12, atol=1e-9)
    assert there.max() == back.max() == 0.0


def test_an_update_leaves_what_it_was_given() -> None:
    before, evidence = np.array([0.0, 1.0]), np.array([2.0, -1.0])
    belief.update(before, evidence)
    assert before.tolist() == [0.0, 1.0]
    assert evidence.tolist() == [2.0, -1.0]


@laws
@given(logs, st.floats(1e-3, 1e3))
def test_moments_of_a_density_are_those_of_its_probabilities(line: np.ndarray, factor: float) -> None:
    probabilities = belief.normalise(line)
    mean = math.fsum(p * x for p, x in zip(probabilities, NODES, strict=True))
    variance = math.fsum(p * (x - mean) ** 2 for p, x in zip(probabilities, NODES, strict=True))
    mass, found, sd = belief.read(factor * probabilities, belief.powers(NODES))
    np.testing.assert_allclose(mass, factor, rtol=1e-12)
    np.testing.assert_allclose(found, mean, atol=1e-12)
    np.testing.assert_allclose(sd**2, variance, atol=1e-12)
    np.testing.assert_allclose(belief.mean(probabilities, NODES), mean, atol=1e-12)
    np.testing.assert_allclose(belief.sd(probabilities, NODES) ** 2, variance, atol=1e-12)


def test_certainty_has_no_spread() -> None:
    sure = np.zeros((3, 41))
    sure[0, 0] = sure[1, 20] = sure[2, 40] = 1.0
    _, mean, sd = belief.read(sure, belief.powers(NODES))
    np.testing.assert_allclose(mean, [-4.0, 0.0, 4.0], atol=1e-12)
    np.testing.assert_allclose(sd, 0.0, atol=1e-7)


def test_a_batch_is_each_of_its_learners() -> None:
    density = np.random.default_rng(0).uniform(size=(2, 3, 41))
    powers = belief.powers(NODES)
    for whole, alone in zip(belief.read(density, powers), belief.read(density[1, 2], powers), strict=True):
        assert whole.shape == (2, 3)
        np.testing.assert_allclose(whole[1, 2], alone, rtol=1e-13)
