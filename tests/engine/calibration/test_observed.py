"""Observed information against differences of the gradient, of the log-likelihood, and against mirt."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.calibration import em, entries
from engine.calibration.bordered import inverted
from engine.calibration.complete import gradient, of_people
from engine.calibration.expectation import expect
from engine.calibration.maximisation import LOWEST_SLOPE, Problem, table
from engine.calibration.missing import missing, scores
from engine.calibration.observed import Places, information, numbered, uncertainty
from engine.calibration.population import Population
from engine.calibration.priors import NO_PRIORS, Priors, log_prior, priors_named
from engine.calibration.sample import Sample, prepare, tally
from engine.calibration.structure import profile
from engine.calibration.structure import ties as tied_loadings
from engine.calibration.working import from_working, slopes
from engine.grid import Grid
from engine.latent import Independent, Latent, LatentTree
from engine.models import log_probability
from engine.parameters import ItemParameters
from engine.responses import NOT_REACHED, SKIPPED
from tests.reference.golden import golden

GRID = Grid(-6.0, 6.0, 61)
WEAK = priors_named(["default"])
MIRT = golden("mirt_lsat7_calibration.json")
EXACT = em.Options(refine=False, gradient=1e-9, most_iterations=3000)


class Case(NamedTuple):
    task: em.Task
    sample: Sample
    start: em.Point
    begin: entries.Start

    def estimated(self, options: em.Options = EXACT) -> em.Point:
        found, _, _ = em.estimated(self.task, self.sample, self.begin, self.start.population, options)
        return found.point


def case(
    responses: np.ndarray,
    models: list[str] | str,
    priors: Priors = NO_PRIORS,
    *,
    group: np.ndarray | None = None,
    free: list[list[bool]] | None = None,
    anchors: np.ndarray | None = None,
    fixed: entries.Fixed | None = None,
    competence: np.ndarray | None = None,
    latent: Latent = Independent(),
    loadings: bool = False,
) -> Case:
    count = responses.shape[1]
    places = np.zeros(count, dtype=int) if competence is None else competence
    people = np.zeros(len(responses), dtype=int) if group is None else group
    tallies = [tally(responses[people == q], "unknown", "incorrect") for q in range(people.max() + 1)]
    begin = entries.start(tallies, entries.model_codes(models, count), places, fixed, anchors, priors, 5)
    sample = prepare(responses, begin.entries, people, latent.competences)
    problem = Problem(begin.models, begin.free, begin.tie, priors, sample.units)
    shape = (len(tallies), latent.competences)
    label, start = np.empty(0, dtype=int), np.empty(0)
    if isinstance(latent, LatentTree):
        start = np.array((*latent.domain_loadings, *latent.competence_loadings))
        label = tied_loadings(latent) if loadings else np.full(start.size, -1)
    task = em.Task(problem, np.zeros(shape, dtype=bool) if free is None else np.array(free), latent, label)
    return Case(task, sample, em.Point(begin.working, Population(np.zeros(shape), np.ones(shape)), start), begin)


def simulated(seed: int, learners: int, items: ItemParameters, ability: np.ndarray | None = None) -> np.ndarray:
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=learners) if ability is None else ability
    below = np.cumsum(np.exp(log_probability(items, theta)), axis=1)[:, :-1]
    return np.sum(rng.random((len(items), 1, learners)) > below, axis=1).T


def dichotomous(seed: int, count: int, model: str) -> ItemParameters:
    rng = np.random.default_rng(seed)
    a, b = rng.uniform(0.8, 1.8, count), rng.normal(0.0, 0.8, count)
    c = rng.uniform(0.1, 0.3, count) if model in ("3PL", "4PL") else None
    d = rng.uniform(0.85, 0.97, count) if model == "4PL" else None
    return ItemParameters.of(model, np.full(count, 1.2) if model == "1PL" else a, b, c, d)


def polytomous(seed: int, count: int, model: str) -> ItemParameters:
    rng = np.random.default_rng(seed)
    steps = np.sort(rng.normal(0.0, 0.3, (count, 3)) + [-1.0, 0.1, 1.1], axis=1)
    return ItemParameters.of(model, rng.uniform(0.9, 1.6, count), thresholds=steps.tolist())


def with_holes(seed: int, responses: np.ndarray, share: float, code: int = NOT_REACHED) -> np.ndarray:
    return np.where(np.random.default_rng(seed).random(responses.shape) < share, code, responses)


def two_groups(seed: int, count: int = 6) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    group = np.repeat([0, 1], 150)
    theta = np.where(group == 1, 0.5 + 1.3 * rng.normal(size=300), rng.normal(size=300))
    return simulated(seed, 300, dichotomous(seed, count, "2PL"), theta), group


def mixed() -> Case:
    one, two = dichotomous(1, 3, "1PL"), dichotomous(2, 2, "3PL")
    parts = [one, dichotomous(5, 2, "2PL"), two, polytomous(3, 2, "GRM"), polytomous(4, 2, "GPCM")]
    theta = np.random.default_rng(9).normal(size=300)
    columns = [simulated(20 + k, 300, part, theta) for k, part in enumerate(parts)]
    models = ["1PL"] * 3 + ["2PL"] * 2 + ["3PL"] * 2 + ["GRM"] * 2 + ["GPCM"] * 2
    return case(with_holes(0, np.hstack(columns), 0.2), models, WEAK)


def fixed_items() -> Case:
    items = dichotomous(3, 6, "2PL")
    responses = simulated(4, 300, items, 0.4 + 0.8 * np.random.default_rng(5).normal(size=300))
    held = entries.Fixed(np.array([1, 4]), items.take(np.array([1, 4])))
    return case(responses, "2PL", fixed=held, free=[[True]])


def groups(anchors: np.ndarray | None, models: str = "2PL", holes: float = 0.0) -> Case:
    responses, group = two_groups(6)
    return case(with_holes(1, responses, holes), models, group=group, anchors=anchors, free=[[False], [True]])


CASES = {
    "1PL": lambda: case(simulated(1, 300, dichotomous(1, 6, "1PL")), "1PL"),
    "2PL": lambda: case(simulated(2, 300, dichotomous(2, 6, "2PL")), "2PL"),
    "2PL, missing": lambda: case(with_holes(2, simulated(2, 300, dichotomous(2, 8, "2PL")), 0.3), "2PL"),
    "2PL, sparse": lambda: case(with_holes(3, simulated(2, 400, dichotomous(2, 12, "2PL")), 0.75), "2PL"),
    "2PL, priors": lambda: case(simulated(2, 300, dichotomous(2, 6, "2PL")), "2PL", WEAK),
    "3PL": lambda: case(simulated(3, 300, dichotomous(3, 6, "3PL")), "3PL", WEAK),
    "3PL, skips": lambda: case(with_holes(4, simulated(3, 300, dichotomous(3, 6, "3PL")), 0.2, SKIPPED), "3PL", WEAK),
    "4PL": lambda: case(simulated(4, 300, dichotomous(4, 6, "4PL")), "4PL", WEAK),
    "GRM": lambda: case(simulated(5, 300, polytomous(5, 5, "GRM")), "GRM"),
    "GPCM": lambda: case(simulated(6, 300, polytomous(6, 5, "GPCM")), "GPCM"),
    "GPCM, sparse": lambda: case(with_holes(6, simulated(6, 400, polytomous(6, 9, "GPCM")), 0.7), "GPCM"),
    "mixed": mixed,
    "two groups": lambda: groups(None),
    "two groups, anchors": lambda: groups(np.array([0, 2, 3])),
    "two groups, 1PL, missing": lambda: groups(None, "1PL", 0.2),
    "fixed items": fixed_items,
}


def placed(places: Places) -> list[tuple[int, str, tuple[int, ...], int]]:
    """Every free cell: competence, kind, place among the parameters, number within its competence."""
    found = []
    for c, rows in enumerate(places.rows):
        for (row, column), number in np.ndenumerate(places.items[c]):
            found.append((c, "item", (int(rows[row]), column), int(number)))
        for (q, column), number in np.ndenumerate(places.people[c]):
            found.append((c, "group", (q, column), int(number)))
    return [cell for cell in found if cell[3] >= 0]


def moved(point: em.Point, cells: list[tuple[int, str, tuple[int, ...], int]], step: float) -> em.Point:
    """Point with one parameter moved, in all the cells where it stands."""
    working, mean, log_sd = point.working.copy(), point.population.mean.copy(), np.log(point.population.sd)
    for c, kind, (row, column), _ in cells:
        if kind == "item":
            working[row, column] += step
        else:
            (mean, log_sd)[column][row, c] += step
    return point._replace(working=working, population=Population(mean, np.exp(log_sd)))


def e_step(own: Case, point: em.Point):
    log_p = table(own.task.problem, point.working, GRID.nodes)
    return expect(own.sample, log_p, em.prior_of(own.task, point, GRID))


def level(own: Case, point: em.Point) -> float:
    return e_step(own, point).log_likelihood + em.log_prior(own.task, point)


def slopes_of(own: Case, point: em.Point, places: Places) -> np.ndarray:
    """Gradient of the log posterior in the parameters of all competences, then in the loadings of each label."""
    problem, expected = own.task.problem, e_step(own, point)
    items, people = gradient(problem, point.working, point.population, expected, GRID.nodes)
    if problem.priors:
        items = items + log_prior(problem.priors, problem.models, point.working, problem.free.astype(float))[1]
    ends = np.cumsum([0, *(places.size(c) for c in range(len(places.rows)))])
    result = np.zeros(ends[-1])
    for c, kind, (row, column), number in placed(places):
        result[ends[c] + number] += items[row, column] if kind == "item" else people[row, c, column]
    if point.loadings.size == 0:
        return result
    _, of_loadings, _ = profile(expected.edges, GRID.nodes, point.loadings)
    turned = of_loadings * (1 - point.loadings**2)
    label = own.task.label
    return np.append(result, [turned[label == name].sum() for name in np.unique(label[label >= 0])])


def parameters(places: Places) -> list[list[tuple[int, str, tuple[int, ...], int]]]:
    """Cells of each parameter, in order."""
    cells: dict[tuple[int, int], list[tuple[int, str, tuple[int, ...], int]]] = {}
    for cell in placed(places):
        cells.setdefault((cell[0], cell[3]), []).append(cell)
    return [cells[key] for key in sorted(cells)]


def by_differences(own: Case, point: em.Point, places: Places, step: float = 1e-4) -> np.ndarray:
    """Minus the Hessian of the log posterior: central differences of the gradient."""
    ways = [lambda size, cells=cells: moved(point, cells, size) for cells in parameters(places)]
    label = own.task.label
    for name in np.unique(label[label >= 0]):
        turn = (label == name).astype(float)
        ways.append(lambda size, turn=turn: point._replace(loadings=np.tanh(np.arctanh(point.loadings) + size * turn)))
    return np.array([(slopes_of(own, way(-step), places) - slopes_of(own, way(step), places)) / (2 * step) for way in ways])


def relative(found: np.ndarray, expected: np.ndarray) -> float:
    """Largest difference, each cell in units of the diagonal."""
    scale = np.sqrt(np.abs(np.diag(expected)))
    return float(np.max(np.abs(found - expected) / np.outer(scale, scale)))


@pytest.mark.parametrize("name", CASES)
def test_gradient_is_that_of_the_log_posterior(name):
    own = CASES[name]()
    places = numbered(own.task.problem, own.task.free_population)
    point = moved(own.start, parameters(places)[0], 0.1)
    found = slopes_of(own, point, places)
    for value, cells in zip(found, parameters(places), strict=True):
        above, below = (level(own, moved(point, cells, sign * 1e-4)) for sign in (1, -1))
        assert value == pytest.approx((above - below) / 2e-4, abs=1e-6 * own.sample.learners)


@pytest.mark.parametrize("name", CASES)
def test_information_is_minus_the_hessian(name):
    own = CASES[name]()
    point = own.estimated(em.Options(refine=False))
    places = numbered(own.task.problem, own.task.free_population)
    (block,), _, _ = information(own.task, own.sample, point, GRID, places)
    assert relative(block, by_differences(own, point, places)) < 1e-7
    assert uncertainty(own.task, own.sample, point, GRID).definite


# --------------------------------------------------------------------------------------------- three ways, one sum


def lost(own: Case, point: em.Point, **ways: float) -> list[np.ndarray]:
    problem, nodes = own.task.problem, GRID.nodes
    slots = np.arange(problem.free.shape[1])
    people = of_people(point.population, nodes)
    found = scores(problem, point.working, nodes, people, own.task.free_population, slots)
    prior = em.prior_of(own.task, point, GRID)
    return missing(own.sample, found, table(problem, point.working, nodes), prior, **ways)


@pytest.mark.parametrize("name", ["1PL", "2PL", "2PL, sparse", "GPCM", "two groups, anchors", "two groups, 1PL, missing"])
def test_learners_taken_together_lose_what_they_lose_one_by_one(name):
    own = CASES[name]()
    (together,), (most,), (few,) = (
        lost(own, own.start, together=2),
        lost(own, own.start, together=10**9, share=0.0),
        lost(own, own.start, together=10**9, share=2.0),
    )
    scale = np.abs(few).max()
    np.testing.assert_allclose(together, few, rtol=1e-8, atol=1e-9 * scale)
    np.testing.assert_allclose(most, few, rtol=1e-8, atol=1e-9 * scale)


@given(seed=st.integers(0, 10**6), model=st.sampled_from(["2PL", "3PL", "GRM"]), share=st.floats(0.0, 0.9))
@settings(max_examples=15, deadline=None)
def test_missing_information_is_the_covariance_of_the_scores(seed, model, share):
    items = polytomous(seed, 4, model) if model == "GRM" else dichotomous(seed, 4, model)
    own = case(with_holes(seed, simulated(seed, 40, items), share), model, WEAK)
    if own.begin.entries.column.size == 0:
        return
    problem, point, nodes = own.task.problem, own.start, GRID.nodes
    (found,) = lost(own, point)
    log_p, by_parameter = slopes(problem.models, point.working, nodes)
    size, expected = problem.free.size, 0.0
    cells = own.sample.blocks[0].answers[0]
    answers = cells if isinstance(cells, np.ndarray) else cells.toarray()
    for row in answers:
        units = [(u, k) for u in range(len(problem.models)) for k in range(own.sample.units.categories[u])]
        score, level_of = np.zeros((*problem.free.shape, nodes.size)), -0.5 * nodes**2
        for (u, k), answered in zip(units, row, strict=True):
            if answered:
                score[u] += by_parameter[u, k]
                level_of = level_of + log_p[u, k]
        density = np.exp(level_of - level_of.max())
        density /= density.sum()
        flat = score.reshape(size, -1)
        flat = flat - (flat @ density)[:, None]
        expected = expected + (flat * density) @ flat.T
    own_rows = found[: len(problem.models), :, : len(problem.models)].transpose(0, 1, 2, 3)
    own_rows = own_rows[:, :, :].reshape(size, size)
    np.testing.assert_allclose(own_rows, expected, rtol=1e-8, atol=1e-9 * max(np.abs(expected).max(), 1e-9))


def test_kinds_of_item_sets_beyond_what_is_held_are_all_counted(monkeypatch):
    own = case(with_holes(8, simulated(8, 500, dichotomous(8, 7, "2PL")), 0.5), "2PL")
    (whole,) = lost(own, own.start, together=2)
    monkeypatch.setattr("engine.calibration.missing.MOST_KINDS", 3)
    (parts,) = lost(own, own.start, together=2)
    np.testing.assert_allclose(parts, whole, rtol=1e-12, atol=1e-9)


# -------------------------------------------------------------------------------------------------------- the tree


def tree_case(tree: LatentTree, per: int, learners: int = 400) -> Case:
    rng = np.random.default_rng(1)
    gamma, loading = np.array(tree.domain_loadings), np.array(tree.competence_loadings)
    root = rng.normal(size=(learners, 1))
    domain = gamma * root + np.sqrt(1 - gamma**2) * rng.normal(size=(learners, gamma.size))
    theta = loading * domain[:, list(tree.domain_of)]
    theta += np.sqrt(1 - loading**2) * rng.normal(size=theta.shape)
    columns = [simulated(11 + c, learners, dichotomous(31 + c, per, "2PL"), theta[:, c]) for c in range(loading.size)]
    places = np.repeat(np.arange(loading.size), per)
    held = [[False] * loading.size]
    return case(np.hstack(columns), "2PL", competence=places, latent=tree, loadings=True, free=held)


@pytest.fixture(scope="module")
def tree():
    own = tree_case(LatentTree((0, 0, 1, 1), (0.8, 0.8), (0.7,) * 4), 5)
    point = own.estimated(em.Options(refine=False))
    places = numbered(own.task.problem, own.task.free_population)
    return own, point, information(own.task, own.sample, point, GRID, places), by_differences(own, point, places)


def test_on_a_tree_competences_and_loadings_are_exact(tree):
    own, _, (blocks, rows, corner), whole = tree
    ends = np.cumsum([0, *(len(block) for block in blocks)])
    scale = np.sqrt(np.diag(whole))
    for block, row, low, high in zip(blocks, rows, ends[:-1], ends[1:], strict=True):
        assert relative(block, whole[low:high, low:high]) < 1e-7
        units = np.outer(scale[ends[-1] :], scale[low:high])
        np.testing.assert_allclose(row / units, whole[ends[-1] :, low:high] / units, atol=1e-6)
    assert relative(corner, whole[ends[-1] :, ends[-1] :]) < 1e-5
    assert corner.shape == (np.unique(own.task.label).size,) * 2 == (5, 5)


def test_on_a_tree_what_is_left_out_between_competences_is_small(tree):
    """Measured: cells up to 0.09 in units of the diagonal; errors 1 % too small at the median, 5 % at most."""
    own, point, (blocks, rows, corner), whole = tree
    found = inverted(blocks, rows, corner)
    mine = np.sqrt(np.concatenate([*(np.diag(block) for block in found.blocks), np.diag(found.corner)]))
    ratio = mine / np.sqrt(np.diag(np.linalg.inv(whole)))
    assert 0.95 < ratio.min() < 0.999
    assert ratio.max() < 1.02
    assert np.median(ratio) > 0.985
    spread = uncertainty(own.task, own.sample, point, GRID)
    tied = own.task.label == 0
    expected = np.sqrt(found.corner[0, 0]) * (1 - point.loadings[tied] ** 2)
    np.testing.assert_allclose(spread.loadings[tied], expected, rtol=1e-9)


def test_without_loadings_to_estimate_the_tree_has_none():
    own = tree_case(LatentTree((0, 0), (0.8,), (0.8, 0.7)), 3, 200)
    held = own._replace(task=replace(own.task, label=np.full(3, -1)))
    spread = uncertainty(held.task, held.sample, held.estimated(), GRID)
    assert np.isnan(spread.loadings).all()
    assert np.isfinite(spread.errors.difficulty).all()


def test_independent_competences_have_the_errors_they_have_apart():
    responses = simulated(1, 300, dichotomous(1, 10, "2PL"))
    both = case(responses, "2PL", competence=np.arange(10) % 2, latent=Independent(2))
    one = case(responses[:, 1::2], "2PL")
    spread = uncertainty(both.task, both.sample, both.estimated(), GRID)
    alone = uncertainty(one.task, one.sample, one.estimated(), GRID)
    order = np.argsort(both.begin.entries.column)
    np.testing.assert_allclose(spread.covariance[order][1::2], alone.covariance, rtol=1e-6)


# ----------------------------------------------------------------------------------------------------------- LSAT7


def lsat7() -> np.ndarray:
    return np.repeat(np.array(MIRT["patterns"]), MIRT["counts"], axis=0)


@pytest.mark.parametrize(
    ("name", "model", "priors"),
    [
        ("1PL", "1PL", NO_PRIORS),
        ("2PL", "2PL", NO_PRIORS),
        ("3PL_prior", "3PL", priors_named(["guessing=logitnormal(-1.386294, 0.5)"])),
    ],
)
def test_errors_are_those_of_mirt(name, model, priors):
    own, oracle, tolerance = case(lsat7(), model, priors), MIRT["models"][name], MIRT["tolerance"][name]
    point = own.estimated()
    spread = uncertainty(own.task, own.sample, point, GRID)
    mine = np.sqrt(np.einsum("jpp->jp", spread.covariance))
    told = [[item[key] for key in ("a1", "d", "logit(g)")] for item in oracle["slope_intercept_se"].values()]
    expected = np.array(told, dtype=float)
    np.testing.assert_allclose(mine[:, :3], expected, rtol=tolerance["se relative"], equal_nan=True)
    assert spread.definite
    found = covariances(own, point)
    deviation = found - np.array(oracle["vcov"])
    scale = np.sqrt(np.diag(found))
    assert np.max(np.abs(deviation) / np.outer(scale, scale)) < tolerance["se relative"]


def covariances(own: Case, point: em.Point) -> np.ndarray:
    places = numbered(own.task.problem, own.task.free_population)
    return inverted(*information(own.task, own.sample, point, GRID, places)).blocks[0]


def test_the_rasch_model_of_mirt_is_our_1pl():
    """mirt frees the variance instead of the slope: variance = slope^2, and the intercepts are the same."""
    own, oracle = case(lsat7(), "1PL"), MIRT["models"]["Rasch"]
    point = own.estimated()
    spread = uncertainty(own.task, own.sample, point, GRID)
    variance_error = 2 * point.working[0, 0] * spread.errors.discrimination[0]
    assert variance_error == pytest.approx(oracle["vcov"][5][5] ** 0.5, rel=MIRT["tolerance"]["Rasch"]["se relative"])
    expected = [item["d"] for item in oracle["slope_intercept_se"].values()]
    mine = np.sqrt(spread.covariance[:, 1, 1])
    np.testing.assert_allclose(mine, expected, rtol=MIRT["tolerance"]["Rasch"]["se relative"])


# ------------------------------------------------------------------------------------------- what becomes of errors


@pytest.mark.parametrize("name", ["3PL", "4PL", "mixed"])
def test_errors_are_those_of_reported_parameters(name):
    own = CASES[name]()
    point = own.estimated(em.Options(refine=False))
    errors, covariance = uncertainty(own.task, own.sample, point, GRID)[:2]
    codes, working = own.task.problem.models, point.working

    def reported(values: np.ndarray) -> np.ndarray:
        items = from_working(codes, values)
        columns = (items.discrimination, items.difficulty, items.guessing, items.slipping, *items.thresholds.T)
        return np.column_stack(columns)

    turn = np.zeros((*reported(working).shape, working.shape[1]))
    for column in range(working.shape[1]):
        shift = np.where(np.arange(working.shape[1]) == column, 1e-6, 0.0)
        turn[:, :, column] = (reported(working + shift) - reported(working - shift)) / 2e-6
    variance = np.einsum("jrp,jpq,jrq->jr", np.nan_to_num(turn), np.nan_to_num(covariance), np.nan_to_num(turn))
    mine = np.column_stack([*errors[:4], errors.thresholds])
    exists = np.isfinite(mine)
    np.testing.assert_allclose(mine[exists], np.sqrt(variance[exists]), rtol=1e-6)
    assert (exists == (variance > 0)).all()


def test_a_slope_at_its_bound_is_known():
    responses = simulated(2, 300, dichotomous(2, 6, "2PL"))
    responses[:, 3] = 1 - responses[:, 3]
    own = case(responses, "2PL")
    point = own.estimated(em.Options(refine=False))
    assert point.working[3, 0] == LOWEST_SLOPE
    errors, covariance, _, _, definite = uncertainty(own.task, own.sample, point, GRID)
    assert np.isnan(errors.discrimination[3])
    assert np.isnan(covariance[3, 0]).all()
    assert errors.difficulty[3] == pytest.approx(covariance[3, 1, 1] ** 0.5 / LOWEST_SLOPE)
    assert definite
    assert np.isfinite(errors.discrimination[[0, 1, 2, 4, 5]]).all()


def test_held_items_have_no_errors_and_new_ones_do():
    own = fixed_items()
    errors, _, people, _, _ = uncertainty(own.task, own.sample, own.estimated(), GRID)
    held = ~own.begin.free.any(axis=1)
    assert held.sum() == 2
    assert np.isnan(np.array(errors[:2])[:, held]).all()
    assert np.isfinite(np.array(errors[:2])[:, ~held]).all()
    assert np.isfinite(people.mean).all()
    assert np.isfinite(people.sd).all()


def test_errors_of_a_group_are_those_of_its_mean_and_sd():
    """With many answers, the errors are near those of a sample of known abilities: sd / sqrt(n), sd / sqrt(2 n)."""
    rng = np.random.default_rng(3)
    items = dichotomous(3, 60, "2PL")
    held = entries.Fixed(np.arange(60), items)
    responses = simulated(3, 500, items, 0.3 + 0.9 * rng.normal(size=500))
    own = case(responses, "2PL", fixed=held, free=[[True]])
    point = own.estimated()
    people = uncertainty(own.task, own.sample, point, GRID).population
    sd = point.population.sd[0, 0]
    assert 1.0 < people.mean[0, 0] / (sd / 500**0.5) < 1.1
    assert 1.0 < people.sd[0, 0] / (sd / 1000**0.5) < 1.15


def test_what_cannot_be_told_has_no_error_and_the_rest_has():
    """The mean and sd of one competence are free with nothing that gives its scale."""
    responses = simulated(1, 300, dichotomous(1, 10, "2PL"))
    own = case(responses, "2PL", competence=np.arange(10) // 5, latent=Independent(2), free=[[False, True]])
    point = own.start._replace(working=case(responses, "2PL").estimated().working)
    errors, covariance, people, _, definite = uncertainty(own.task, own.sample, point, GRID)
    assert not definite
    assert np.isnan(people.mean[0, 1])
    assert np.isnan(errors.discrimination[5:]).any()
    assert np.isfinite(covariance[:5, :2, :2]).all()


@given(seed=st.integers(0, 10**6), sizes=st.lists(st.integers(1, 5), min_size=1, max_size=3), border=st.integers(0, 3))
def test_bordered_inverse_is_the_inverse(seed, sizes, border):
    rng = np.random.default_rng(seed)
    ends = np.cumsum([0, *sizes])
    whole = np.zeros((ends[-1] + border,) * 2)
    for low, high in zip(ends[:-1], ends[1:], strict=True):
        part = rng.normal(size=(high - low + border, 8))
        rows = [*range(low, high), *range(ends[-1], ends[-1] + border)]
        whole[np.ix_(rows, rows)] += part @ part.T + 0.1 * np.eye(len(rows))
    blocks = [whole[low:high, low:high] for low, high in zip(ends[:-1], ends[1:], strict=True)]
    edges = [whole[ends[-1] :, low:high] for low, high in zip(ends[:-1], ends[1:], strict=True)]
    found = inverted(blocks, edges, whole[ends[-1] :, ends[-1] :])
    expected = np.linalg.inv(whole)
    assert found.definite
    np.testing.assert_allclose(found.corner, expected[ends[-1] :, ends[-1] :], rtol=1e-6, atol=1e-9)
    for block, low, high in zip(found.blocks, ends[:-1], ends[1:], strict=True):
        np.testing.assert_allclose(block, expected[low:high, low:high], rtol=1e-6, atol=1e-9)


def test_a_direction_without_information_leaves_the_others():
    matrix = np.array([[2.0, 0.0, 0.0], [0.0, 1.0, 1.0], [0.0, 1.0, 1.0]])
    (found,), _, definite = inverted([matrix], [np.empty((0, 3))], np.empty((0, 0)))
    assert not definite
    assert found[0, 0] == pytest.approx(0.5)
    assert np.isnan(found[1:]).all()
