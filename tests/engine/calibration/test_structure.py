"""Loadings of the tree: which of them data can tell, and steps that climb."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.calibration.structure import SMALLEST, STEP, evened, loadings, maximised, profile, ties, with_loadings
from engine.latent import MAX_LOADING, LatentTree
from tests.reference import slow, tree

NODES = np.linspace(-4.0, 4.0, 17)
TREE = LatentTree((0, 0, 1, 1), (0.8, 0.6), (0.9, 0.5, 0.7, 0.8))


@st.composite
def shapes(draw: st.DrawFn) -> tuple[int, ...]:
    """Domain of each competence: up to four domains of one to three competences, in any order."""
    sizes = draw(st.lists(st.integers(1, 3), min_size=1, max_size=4))
    return tuple(draw(st.permutations([d for d, size in enumerate(sizes) for _ in range(size)])))


def tree_of(domain_of: tuple[int, ...], values: np.ndarray) -> LatentTree:
    domains = max(domain_of) + 1
    return LatentTree(domain_of, tuple(values[:domains].tolist()), tuple(values[domains:].tolist()))


def told(latent: LatentTree) -> int:
    """How many directions of the loadings change the correlations of the competences: rank of the Jacobian."""
    values = loadings(latent)
    columns = []
    for place in range(values.size):
        shift = 1e-5 * np.eye(values.size)[place]
        up, down = (with_loadings(latent, values + s * shift).correlations() for s in (1, -1))
        columns.append(((up - down) / 2e-5)[np.triu_indices(latent.competences, 1)])
    return int(np.linalg.matrix_rank(np.array(columns), tol=1e-6)) if columns[0].size else 0


@settings(max_examples=100)
@given(shapes(), st.integers(0, 2**32 - 1))
def test_what_is_free_is_as_much_as_correlations_tell(domain_of: tuple[int, ...], seed: int) -> None:
    """As many labels as the correlations can tell apart, and moving within a label changes nothing that is lost."""
    count = max(domain_of) + 1 + len(domain_of)
    values = np.random.default_rng(seed).uniform(0.3, 0.9, size=count)
    latent = tree_of(domain_of, values)
    label = ties(latent)
    assert label.shape == (count,)
    labels = np.unique(label[label >= 0])
    assert labels.size == told(latent)
    by_label = []
    for name in labels:
        shift = 1e-5 * (label == name)
        up, down = (with_loadings(latent, values + s * shift).correlations() for s in (1, -1))
        by_label.append(((up - down) / 2e-5)[np.triu_indices(len(domain_of), 1)])
    if by_label:
        assert np.linalg.matrix_rank(np.array(by_label), tol=1e-6) == labels.size


@pytest.mark.parametrize(
    ("domain_of", "expected"),
    [
        ((0,), [-1, -1]),
        ((0, 0), [-1, 1, 1]),
        ((0, 0, 0), [-1, 1, 2, 3]),
        ((0, 1), [0, 0, 0, 0]),
        ((0, 0, 1), [0, 0, 2, 3, 0]),
        ((0, 0, 1, 1), [0, 0, 2, 3, 4, 5]),
        ((0, 1, 2), [0, 1, 2, 0, 1, 2]),
        ((0, 1, 1, 2, 2), [0, 1, 2, 0, 4, 5, 6, 7]),
    ],
)
def test_ties_by_hand(domain_of: tuple[int, ...], expected: list[int]) -> None:
    latent = tree_of(domain_of, np.full(len(expected), 0.7))
    assert ties(latent).tolist() == expected


def test_loadings_of_one_label_start_equal() -> None:
    values = np.array([0.9, 0.5, 0.8, 0.6, 0.7])
    label = np.array([0, 0, 2, -1, 2])
    assert evened(values, label) == pytest.approx([0.7, 0.7, 0.75, 0.6, 0.75])
    assert evened(values, np.full(5, -1)).tolist() == values.tolist()


def test_there_and_back_within_the_bounds() -> None:
    assert with_loadings(TREE, loadings(TREE)) == TREE
    wild = with_loadings(TREE, np.array([-1.0, 2.0, 0.5, 0.5, 0.5, 0.5]))
    assert wild.domain_loadings == (0.0, MAX_LOADING)


def test_profile_is_that_of_the_definition() -> None:
    rng = np.random.default_rng(1)
    edges = rng.gamma(0.5, size=(3, 17, 17))
    values = np.array([0.2, 0.6, 0.8])

    def level(edge: int, value: float) -> float:
        table = np.log(np.array(tree.transition(NODES.tolist(), value)))
        return float((edges[edge] * table).sum())

    found = profile(edges, NODES, values)
    for edge, value in enumerate(values.tolist()):
        assert found[0][edge] == pytest.approx(level(edge, value), rel=1e-9)
        assert found[1][edge] == pytest.approx(slow.derivative(lambda v, e=edge: level(e, v), value), rel=1e-5)
        assert found[2][edge] == pytest.approx(slow.second_derivative(lambda v, e=edge: level(e, v), value), rel=1e-3)


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.sampled_from([(0, 1, 2, 3), (0, 0, 2, 2), (-1, 1, 1, 3), (-1, -1, -1, -1)]))
def test_steps_climb_from_anywhere_and_ties_hold(seed: int, label: tuple[int, ...]) -> None:
    rng = np.random.default_rng(seed)
    labels = np.array(label)
    edges = rng.gamma(0.3, 10.0, size=(4, 17, 17))
    values = evened(rng.choice([SMALLEST, 0.1, 0.5, 0.9, MAX_LOADING - STEP], size=4), labels)
    level = profile(edges, NODES, values)[0].sum()
    for _ in range(4):
        moved, gradient = maximised(values, edges, NODES, labels)
        after = profile(edges, NODES, moved)[0].sum()
        assert after >= level - 1e-8 * abs(level)
        assert (moved >= SMALLEST).all()
        assert (moved <= MAX_LOADING - STEP).all()
        assert (moved[labels < 0] == values[labels < 0]).all()
        assert (gradient[labels < 0] == 0).all()
        for name in set(label) - {-1}:
            assert np.unique(moved[labels == name]).size == 1
        values, level = moved, after


def test_the_step_ends_at_the_loading_that_made_the_edges() -> None:
    truth = np.array([0.35, 0.8])
    weights = np.array(tree.population(NODES.tolist()))
    edges = np.array([1000.0 * weights[:, None] * np.array(tree.transition(NODES.tolist(), v)) for v in truth.tolist()])
    values = np.array([0.9, 0.1])
    for _ in range(30):
        values, gradient = maximised(values, edges, NODES, np.array([0, 1]))
    np.testing.assert_allclose(values, truth, atol=1e-6)
    assert np.abs(gradient).max() < 1e-4
