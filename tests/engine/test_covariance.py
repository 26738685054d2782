from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.covariance import correlations, covariance, covariance_of
from engine.grid import Grid
from engine.latent import Independent, LatentTree, posterior
from tests.reference import plausibility as slow
from tests.reference import tree as brute

GRID = Grid(-4.2, 4.2, 15)
TREE = LatentTree((0, 0, 1), (0.85, 0.7), (0.8, 0.6, 0.7))


@cache
def whole() -> np.ndarray:
    return slow.joint_of(TREE, GRID.nodes)


def normal_evidence(seed: int, grid: Grid, *batch: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centre, sd = rng.normal(0.0, 0.7, (*batch, 3, 1)), rng.uniform(0.6, 2.0, (*batch, 3, 1))
    return np.asarray(-0.5 * ((grid.nodes - centre) / sd) ** 2)


def test_the_correlations_are_those_of_the_structure() -> None:
    np.testing.assert_array_equal(correlations(Independent(3)), np.eye(3))
    np.testing.assert_allclose(correlations(TREE)[0], [1.0, 0.8 * 0.6, 0.8 * 0.85 * 0.7 * 0.7])


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_with_normal_evidence_it_is_the_covariance_of_the_whole_joint(seed: int) -> None:
    evidence = normal_evidence(seed, GRID)
    found = covariance(TREE, evidence, posterior(TREE.links(GRID), evidence), GRID.nodes)
    joint = whole()
    for axis, line in enumerate(np.exp(evidence)):
        shape = [1, 1, 1]
        shape[axis] = GRID.count
        joint = joint * line.reshape(shape)
    joint /= joint.sum()
    correlation = brute.correlations(joint, GRID.nodes, (0, 1, 2))
    own = found / np.sqrt(np.outer(np.diag(found), np.diag(found)))
    np.testing.assert_allclose(own, correlation, atol=0.01)
    for axis in range(3):
        marginal = joint.sum(axis=tuple(other for other in range(3) if other != axis))
        mean = marginal @ GRID.nodes
        assert found[axis, axis] == pytest.approx(marginal @ GRID.nodes**2 - mean**2, abs=1e-10)


def test_functions_of_the_abilities_vary_together_as_in_the_joint() -> None:
    evidence = normal_evidence(5, GRID)
    laid = posterior(TREE.links(GRID), evidence)
    joint = whole()
    for axis, line in enumerate(np.exp(evidence)):
        joint = joint * line.reshape([GRID.count if a == axis else 1 for a in range(3)])
    joint /= joint.sum()
    f = np.stack([1.0 / (1.0 + np.exp(-1.3 * (GRID.nodes - b))) for b in (-0.5, 0.2, 0.6)])
    h = np.stack([GRID.nodes**2, np.sin(GRID.nodes), GRID.nodes])
    for one, other in ((f, f), (f, h), (h, f)):
        sums = [
            sum(v[a].reshape([GRID.count if b == a else 1 for b in range(3)]) for a in range(3)) for v in (one, other)
        ]
        exact = float((joint * sums[0] * sums[1]).sum() - (joint * sums[0]).sum() * (joint * sums[1]).sum())
        found = covariance_of(one, other, laid, covariance(TREE, evidence, laid, GRID.nodes), GRID.nodes)
        assert found == pytest.approx(exact, rel=0.02)


def test_one_is_as_many_and_no_evidence_leaves_the_population() -> None:
    evidence = normal_evidence(3, GRID, 2, 4)
    laid = posterior(TREE.links(GRID), evidence)
    many = covariance(TREE, evidence, laid, GRID.nodes)
    np.testing.assert_allclose(covariance(TREE, evidence[1, 2], laid[1, 2], GRID.nodes), many[1, 2], atol=1e-13)
    nothing = np.zeros((3, GRID.count))
    found = covariance(TREE, nothing, posterior(TREE.links(GRID), nothing), GRID.nodes)
    np.testing.assert_allclose(found, TREE.correlations(), atol=2e-3)
