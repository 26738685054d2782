import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import DesignError
from engine.grid import Grid
from engine.latent import Independent, LatentTree, posterior
from tests.reference import tree as brute

SMALL = Grid(-3.0, 3.0, 6)
CRCN_SHAPE = (0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4)


def close(actual: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_allclose(actual, expected, rtol=0.0, atol=1e-12)


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from([(0, 0, 1), (0, 1, 1), (0, 1, 0, 1), (0, 0, 0, 1), (1, 0)]),
    st.lists(st.floats(0.0, 0.97), min_size=6, max_size=6),
    st.integers(0, 2**32 - 1),
    st.floats(0.1, 20.0),
)
def test_beliefs_are_those_of_the_whole_joint_distribution(
    domain_of: tuple[int, ...], loadings: list[float], seed: int, strength: float
) -> None:
    tree = LatentTree(domain_of, tuple(loadings[:2]), tuple(loadings[2 : 2 + len(domain_of)]))
    evidence = strength * np.random.default_rng(seed).normal(size=(len(domain_of), SMALL.count))
    expected = brute.posteriors(
        SMALL.nodes.tolist(), domain_of, tree.domain_loadings, tree.competence_loadings, evidence
    )
    close(posterior(tree.links(SMALL), evidence), expected)


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=20)
def test_loadings_of_zero_are_independent_competences(seed: int) -> None:
    evidence = 5.0 * np.random.default_rng(seed).normal(size=(7, 16, 41))
    grid = Grid()
    unlinked = LatentTree(CRCN_SHAPE, (0.9,) * 5, (0.0,) * 16)
    close(posterior(unlinked.links(grid), evidence), posterior(Independent(16).links(grid), evidence))


def test_domains_without_a_loading_do_not_inform_each_other() -> None:
    grid = Grid()
    evidence = np.zeros((16, 41))
    evidence[0] = 8.0 * grid.nodes
    apart = posterior(LatentTree(CRCN_SHAPE, (0.0,) * 5, (0.8,) * 16).links(grid), evidence) @ grid.nodes
    assert apart[0] > apart[1] > 0.5
    np.testing.assert_allclose(apart[3:], 0.0, atol=1e-12)
    together = posterior(LatentTree(CRCN_SHAPE, (0.8,) * 5, (0.8,) * 16).links(grid), evidence) @ grid.nodes
    assert (together[3:] > 0.3).all()


@pytest.mark.parametrize("loading", [0.0, 0.5, 0.85, 0.97])
def test_one_competence_on_a_tree_is_the_plain_case(loading: float) -> None:
    """Exact without a link; with links the standard normal is only cut at the ends of the grid, twice."""
    grid = Grid()
    evidence = np.random.default_rng(3).normal(size=(50, 1, 41))
    on_tree = posterior(LatentTree((0,), (loading,), (loading,)).links(grid), evidence)
    plain = posterior(Independent(1).links(grid), evidence)
    np.testing.assert_allclose(on_tree, plain, rtol=0.0, atol=1e-12 if loading == 0.0 else 2e-4)


def test_independent_beliefs_are_prior_times_likelihood() -> None:
    grid = Grid(-2.0, 2.0, 5)
    evidence = np.log([[0.1, 0.2, 0.3, 0.4, 0.5]])
    weight = np.array(brute.population(grid.nodes.tolist())) * [0.1, 0.2, 0.3, 0.4, 0.5]
    close(posterior(Independent(1).links(grid), evidence)[0], weight / weight.sum())


def test_correlations_are_those_of_the_joint_distribution() -> None:
    tree = LatentTree((0, 0, 1), (0.8, 0.7), (0.9, 0.75, 0.85))
    grid = Grid(-4.4, 4.4, 12)
    whole = brute.joint(grid.nodes.tolist(), tree.domain_of, tree.domain_loadings, tree.competence_loadings)
    expected = brute.correlations(whole, grid.nodes.tolist(), (3, 4, 5))
    np.testing.assert_allclose(tree.correlations(), expected, atol=0.01)
    assert tree.correlations()[0, 1] == pytest.approx(0.9 * 0.75)
    assert tree.correlations()[0, 2] == pytest.approx(0.9 * 0.8 * 0.7 * 0.85)


@pytest.mark.parametrize("loading", [0.5, 0.85, 0.97])
@pytest.mark.parametrize("slope", [30.0, 1000.0])
def test_contradictory_evidence_leaves_beliefs_that_are_probabilities(loading: float, slope: float) -> None:
    """Competences of one domain proved to be at opposite ends, by more than a thousand wrong or right answers each."""
    grid = Grid()
    high = np.arange(16)[:, None] % 2 == 0
    evidence = np.where(high, slope * (grid.nodes - 4.0), -slope * (grid.nodes + 4.0))
    found = posterior(LatentTree(CRCN_SHAPE, (loading,) * 5, (loading,) * 16).links(grid), evidence)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found.sum(axis=-1), 1.0, atol=1e-12)
    mean = found @ grid.nodes
    assert (mean[::2] > 3.5).all()
    assert (mean[1::2] < -3.5).all()


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1), st.permutations(range(16)))
def test_the_order_of_the_competences_does_not_matter(seed: int, order: list[int]) -> None:
    rng = np.random.default_rng(seed)
    grid, loadings = Grid(), rng.uniform(0.3, 0.95, 16)
    evidence = 3.0 * rng.normal(size=(16, 41))
    domains = tuple(rng.uniform(0.3, 0.95, 5))
    straight = posterior(LatentTree(CRCN_SHAPE, domains, tuple(loadings)).links(grid), evidence)
    shuffled = LatentTree(tuple(CRCN_SHAPE[c] for c in order), domains, tuple(loadings[order]))
    close(posterior(shuffled.links(grid), evidence[order]), straight[order])


@pytest.mark.parametrize("latent", [Independent(16), LatentTree(CRCN_SHAPE, (0.8,) * 5, (0.9,) * 16)])
def test_a_batch_of_any_shape_is_each_of_its_learners(latent: Independent | LatentTree) -> None:
    links = latent.links(Grid())
    evidence = 4.0 * np.random.default_rng(1).normal(size=(2, 3, 16, 41))
    whole = posterior(links, evidence)
    for i, j in np.ndindex(2, 3):
        close(whole[i, j], posterior(links, evidence[i, j]))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (((), (), ()), "one domain and one loading for each competence"),
        (((0, 0), (0.5,), (0.5,)), "one domain and one loading for each competence"),
        (((0, 2), (0.5, 0.5), (0.5, 0.5)), "numbered from 0"),
        (((0, 0), (0.5, 0.5), (0.5, 0.5)), "numbered from 0"),
        (((0,), (0.98,), (0.5,)), "between 0 and 0.97"),
        (((0,), (0.5,), (-0.1,)), "between 0 and 0.97"),
        (((0,), (0.5,), (float("nan"),)), "between 0 and 0.97"),
    ],
)
def test_a_tree_that_is_none_is_refused(arguments: tuple[tuple[float, ...], ...], words: str) -> None:
    with pytest.raises(DesignError, match=words):
        LatentTree(*arguments)  # type: ignore[arg-type]
