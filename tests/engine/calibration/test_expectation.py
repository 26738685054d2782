"""The E-step against loops over learners and nodes, and on a tree against the whole joint distribution."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.calibration.expectation import Expected, Prior, expect
from engine.calibration.maximisation import Problem, system, table
from engine.calibration.population import Population, log_weights, maximised
from engine.calibration.priors import NO_PRIORS
from engine.calibration.sample import BLOCK, Entries, Sample, prepare
from engine.calibration.structure import profile, with_loadings
from engine.grid import Grid
from engine.latent import LatentTree, transitions
from engine.parameters import ItemParameters
from engine.responses import SKIPPED
from engine.working import existing, from_working, to_working
from tests.reference import marginal, slow, tree
from tests.reference.fit import plain

GRID = Grid(-5.0, 5.0, 21)
BANK = ItemParameters.of(
    ["2PL", "3PL", "4PL", "GRM", "GPCM"],
    [1.1, 0.8, 1.6, 1.2, 0.9],
    [-1.0, 0.3, 0.5, None, None],
    [0.0, 0.2, 0.15, 0.0, 0.0],
    [1.0, 1.0, 0.95, 1.0, 1.0],
    [None, None, None, (-1.0, 0.2, 1.1), (0.8, -0.5)],
)
EVERY = np.array(list(itertools.product(*(range(k) for k in BANK.categories))))
TREE = LatentTree((0, 0, 1, 1), (0.8, 0.6), (0.9, 0.5, 0.7, 0.8))


def laid(
    bank: ItemParameters, responses: np.ndarray, group: np.ndarray, competence: np.ndarray | None = None
) -> tuple[Problem, Sample]:
    count = len(bank)
    places = np.zeros(count, dtype=int) if competence is None else competence
    split = Entries(np.arange(count), places, bank.categories, np.full(count, -1))
    sample = prepare(responses, split, group, int(places.max()) + 1)
    free = existing(bank.model, bank.categories)
    return Problem(bank.model, free, np.full(count, -1), NO_PRIORS, sample.layout), sample


def expected(
    bank: ItemParameters,
    responses: np.ndarray,
    group: np.ndarray | None = None,
    population: Population | None = None,
    grid: Grid = GRID,
) -> Expected:
    people = np.zeros(len(responses), dtype=int) if group is None else group
    means = Population(np.zeros((1, 1)), np.ones((1, 1))) if population is None else population
    problem, sample = laid(bank, responses, people)
    log_p = table(problem, to_working(bank), grid.nodes)
    return expect(sample, log_p, Prior(grid.nodes, log_weights(means, grid.nodes)))


def test_every_pattern_of_a_short_test_in_two_populations() -> None:
    rng = np.random.default_rng(1)
    kept = rng.random(EVERY.shape) > 0.2
    patterns = np.where(kept, EVERY, -1)
    group = rng.integers(0, 2, size=len(patterns))
    means = Population(np.array([[0.0], [0.7]]), np.array([[1.0], [1.4]]))
    found = expected(BANK, patterns, group, means)
    items, nodes = plain(BANK), GRID.nodes.tolist()
    groups = [
        marginal.Group(marginal.counted(patterns[group == q]), m, s) for q, m, s in ((0, 0.0, 1.0), (1, 0.7, 1.4))
    ]
    assert found.log_likelihood == pytest.approx(marginal.log_likelihood(items, groups, nodes), abs=1e-9)
    both = [marginal.expected(items, one, nodes) for one in groups]
    counts = np.vstack([both[0][0][item] + both[1][0][item] for item in range(len(items))])
    np.testing.assert_allclose(found.counts, counts, atol=1e-10)
    np.testing.assert_allclose(found.mass[:, 0], [both[0][1], both[1][1]], atol=1e-10)


def test_the_grid_gives_the_integral() -> None:
    found = expected(BANK, EVERY, grid=Grid(-7.0, 7.0, 57))
    group = marginal.Group(marginal.counted(EVERY))
    assert found.log_likelihood == pytest.approx(marginal.integrated(plain(BANK), group), abs=1e-6)


def test_the_reference_for_the_optimiser_is_the_slow_one() -> None:
    items, nodes = plain(BANK), GRID.nodes
    group = marginal.Group(marginal.counted(EVERY), 0.4, 1.3)
    slowly = marginal.log_likelihood(items, [group], nodes.tolist())
    assert marginal.fast_log_likelihood(items, [group], nodes) == pytest.approx(slowly, abs=1e-9)


def test_smallest_sd_and_edge_are_those_of_the_worst_learner() -> None:
    found = expected(BANK, EVERY)
    sds, edges = [], []
    weights = marginal.population(GRID.nodes.tolist())
    for pattern in EVERY.tolist():
        posterior = np.array(marginal.joint(plain(BANK), tuple(pattern), GRID.nodes.tolist(), weights))
        posterior /= posterior.sum()
        mean = posterior @ GRID.nodes
        sds.append(np.sqrt(posterior @ (GRID.nodes - mean) ** 2))
        edges += [posterior[0], posterior[-1]]
    assert found.smallest_sd == pytest.approx(min(sds), rel=1e-9)
    assert found.edge == pytest.approx(max(edges), rel=1e-9)


def test_a_skip_is_the_lowest_category() -> None:
    patterns = EVERY[::7]
    read = expected(BANK, np.where(patterns == 0, SKIPPED, patterns))
    assert read.log_likelihood == expected(BANK, patterns).log_likelihood


def test_blocks_add_up() -> None:
    rng = np.random.default_rng(3)
    patterns = EVERY[rng.integers(0, len(EVERY), size=2 * BLOCK + 5)]
    whole = expected(BANK, patterns)
    parts = [expected(BANK, part) for part in np.split(patterns, [700, 1500])]
    assert whole.log_likelihood == pytest.approx(sum(part.log_likelihood for part in parts), rel=1e-12)
    np.testing.assert_allclose(whole.counts, sum(part.counts for part in parts), rtol=1e-10)
    np.testing.assert_allclose(whole.mass, sum(part.mass for part in parts), rtol=1e-10)
    assert whole.smallest_sd == pytest.approx(min(part.smallest_sd for part in parts))
    assert whole.edge == pytest.approx(max(part.edge for part in parts))


@settings(max_examples=40)
@given(st.lists(st.sampled_from(EVERY.tolist()), min_size=1, max_size=40))
def test_counts_and_masses_are_those_of_the_learners(rows: list[list[int]]) -> None:
    responses = np.array(rows)
    found = expected(BANK, responses)
    np.testing.assert_allclose(found.mass.sum(), len(rows), rtol=1e-12)
    starts = np.concatenate([[0], np.cumsum(BANK.categories)])
    for item in range(len(BANK)):
        of_item = found.counts[starts[item] : starts[item + 1]]
        given_answers = [(responses[:, item] == k).sum() for k in range(BANK.categories[item])]
        np.testing.assert_allclose(of_item.sum(axis=1), given_answers, atol=1e-10)
        np.testing.assert_allclose(of_item.sum(axis=0), found.mass[0, 0], atol=1e-10)


def test_the_gradient_of_the_m_step_is_that_of_the_log_likelihood() -> None:
    """Fisher's identity: the derivative of the expected complete-data log-likelihood, where the counts were taken."""
    rng = np.random.default_rng(4)
    patterns = EVERY[rng.integers(0, len(EVERY), size=60)]
    problem, sample = laid(BANK, patterns, np.zeros(60, dtype=int))
    means = Population(np.full((1, 1), 0.3), np.full((1, 1), 1.2))
    working, nodes = to_working(BANK), GRID.nodes
    found = expect(sample, table(problem, working, nodes), Prior(nodes, log_weights(means, nodes)))
    gradient = system(problem, working, found.counts, nodes).gradient
    counts = marginal.counted(patterns)

    def log_likelihood(moved: np.ndarray, mean: float = 0.3, sd: float = 1.2) -> float:
        items = plain(from_working(BANK.model, moved))
        return marginal.fast_log_likelihood(items, [marginal.Group(counts, mean, sd)], nodes)

    for item, place in zip(*np.nonzero(problem.free), strict=True):
        shift = np.zeros(working.shape)
        shift[item, place] = 1.0
        slope = slow.derivative(lambda t, shift=shift: log_likelihood(working + t * shift), 0.0)
        assert gradient[item, place] == pytest.approx(slope, abs=1e-7)
    _, of_people = maximised(means, found.mass, nodes, np.ones((1, 1), dtype=bool))
    of_mean = slow.derivative(lambda t: log_likelihood(working, mean=0.3 + t), 0.0) * 1.2 / np.sqrt(60)
    of_sd = slow.derivative(lambda t: log_likelihood(working, sd=1.2 * np.exp(t)), 0.0) / np.sqrt(2 * 60)
    np.testing.assert_allclose(of_people[:, 0, 0], [of_mean, of_sd], atol=1e-8)


def test_the_m_step_of_the_population_never_lowers_what_it_maximises() -> None:
    """Also where the grid cuts the population off."""
    rng = np.random.default_rng(6)
    nodes = np.linspace(-3.0, 3.0, 25)
    free = np.ones((1, 1), dtype=bool)
    for _ in range(200):
        mass = rng.gamma(0.3, size=(1, 1, 25)) + 1e-3
        now = Population(rng.normal(0.0, 0.7, size=(1, 1)), rng.uniform(0.4, 1.6, size=(1, 1)))
        after, _ = maximised(now, mass, nodes, free)
        levels = [float((mass * log_weights(p, nodes)).sum()) for p in (now, after)]
        assert levels[1] >= levels[0] - 1e-9 * abs(levels[0])
        held, gradient = maximised(now, mass, nodes, ~free)
        assert (held.mean, held.sd) == (now.mean, now.sd)
        assert (gradient == 0).all()


def test_the_m_step_of_the_population_ends_at_the_population() -> None:
    """Also at a narrow one; never narrower than the nodes can tell; and hardly anybody moves nothing."""
    nodes = np.linspace(-6.0, 6.0, 61)
    free = np.ones((1, 1), dtype=bool)
    for sd, expected_sd in ((0.5, 0.5), (0.05, 0.2)):
        target = Population(np.array([[0.4]]), np.array([[sd]]))
        mass = 50.0 * np.exp(log_weights(target, nodes))
        now = Population(np.zeros((1, 1)), np.ones((1, 1)))
        for _ in range(40):
            now, gradient = maximised(now, mass, nodes, free)
        assert now.mean[0, 0] == pytest.approx(0.4, abs=1e-6)
        assert now.sd[0, 0] == pytest.approx(expected_sd, abs=1e-6)
        assert (np.abs(gradient).max() < 1e-6) == (sd > 0.2)
        alone, _ = maximised(target, mass / 50.0, nodes, free)
        assert alone == target


def enumerated(nodes: np.ndarray, latent: LatentTree, likelihoods: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Log-likelihood, posteriors (C, G) and joint posteriors of the edges (D + C, G, G) by the whole joint."""
    whole = tree.joint(nodes.tolist(), latent.domain_of, latent.domain_loadings, latent.competence_loadings)
    domains = len(latent.domain_loadings)
    for competence, line in enumerate(likelihoods):
        shape = [1] * whole.ndim
        shape[1 + domains + competence] = nodes.size
        whole = whole * np.exp(line).reshape(shape)
    total = whole.sum()
    whole = whole / total

    def over(*axes: int) -> np.ndarray:
        return np.asarray(whole.sum(axis=tuple(a for a in range(whole.ndim) if a not in axes)))

    posteriors = np.array([over(1 + domains + c) for c in range(latent.competences)])
    edges = [over(0, 1 + d) for d in range(domains)]
    edges += [over(1 + d, 1 + domains + c) for c, d in enumerate(latent.domain_of)]
    return float(np.log(total)), posteriors, np.array(edges)


@pytest.mark.parametrize(
    "latent", [TREE, LatentTree((1, 0, 1), (0.5, 0.9), (0.3, 0.8, 0.6)), LatentTree((0,), (0.7,), (0.6,))]
)
def test_the_tree_is_the_whole_joint_distribution(latent: LatentTree) -> None:
    rng = np.random.default_rng(8)
    grid = Grid(-3.0, 3.0, 5)
    count = latent.competences
    bank = ItemParameters.of("2PL", rng.uniform(0.7, 2.0, 3 * count), rng.normal(size=3 * count))
    competence = np.repeat(np.arange(count), 3)
    responses = rng.integers(-1, 2, size=(6, 3 * count))
    responses[0] = -1
    problem, sample = laid(bank, responses, np.zeros(6, dtype=int), competence)
    nothing = Population(np.zeros((1, count)), np.ones((1, count)))
    prior = Prior(grid.nodes, log_weights(nothing, grid.nodes), latent.links(grid))
    found = expect(sample, table(problem, to_working(bank), grid.nodes), prior)
    items = plain(bank)
    total, mass, edges = 0.0, np.zeros((count, 5)), np.zeros((len(latent.domain_loadings) + count, 5, 5))
    counts = np.zeros((6 * count, 5))
    for row in responses.tolist():
        likelihoods = np.zeros((count, 5))
        for j, k in enumerate(row):
            if k >= 0:
                likelihoods[competence[j]] += [slow.log_p(items[j], k, t) for t in grid.nodes.tolist()]
        level, posteriors, joints = enumerated(grid.nodes, latent, likelihoods)
        total += level
        mass += posteriors
        edges += joints
        for j, k in enumerate(row):
            if k >= 0:
                counts[2 * j + k] += posteriors[competence[j]]
    assert found.log_likelihood == pytest.approx(total, abs=1e-9)
    np.testing.assert_allclose(found.mass[0], mass, atol=1e-10)
    np.testing.assert_allclose(found.counts, counts, atol=1e-10)
    np.testing.assert_allclose(found.edges, edges, atol=1e-10)


def test_the_gradient_in_the_loadings_is_that_of_the_log_likelihood() -> None:
    rng = np.random.default_rng(9)
    grid = Grid(-4.0, 4.0, 17)
    bank = ItemParameters.of("2PL", rng.uniform(0.8, 2.0, 12), rng.normal(size=12))
    problem, sample = laid(bank, rng.integers(0, 2, size=(50, 12)), np.zeros(50, dtype=int), np.repeat(np.arange(4), 3))
    log_p = table(problem, to_working(bank), grid.nodes)
    weights = log_weights(Population(np.zeros((1, 4)), np.ones((1, 4))), grid.nodes)
    values = np.array([0.8, 0.6, 0.9, 0.5, 0.7, 0.8])

    def at(moved: np.ndarray) -> Expected:
        return expect(sample, log_p, Prior(grid.nodes, weights, with_loadings(TREE, moved).links(grid)))

    here, slope, _ = profile(at(values).edges, grid.nodes, values)
    for edge in range(6):
        shift = np.eye(6)[edge]
        difference = slow.derivative(lambda t, shift=shift: at(values + t * shift).log_likelihood, 0.0, 1e-3)
        assert slope[edge] == pytest.approx(difference, abs=1e-4)
    np.testing.assert_allclose(
        here, np.sum(at(values).edges * np.log(transitions(grid.nodes, values)), axis=(1, 2)), rtol=1e-10
    )
