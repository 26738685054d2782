"""Small calibration tasks of every kind, and the Hessian of their log posterior by differences of the gradient."""

from typing import NamedTuple

import numpy as np

from engine.calibration import em, entries
from engine.calibration.errors.complete import gradient
from engine.calibration.errors.observed import placed
from engine.calibration.expectation import Expected, expect
from engine.calibration.maximisation import Problem, table
from engine.calibration.population import Population
from engine.calibration.priors import NO_PRIORS, Priors, log_prior, priors_named
from engine.calibration.sample import Sample, prepare, tally
from engine.calibration.structure import profile, ties
from engine.grid import Grid
from engine.latent import Independent, Latent, LatentTree
from engine.models import log_probability
from engine.parameters import ItemParameters
from engine.responses import NOT_REACHED, SKIPPED

GRID = Grid(-6.0, 6.0, 61)
WEAK = priors_named(["default"])
EXACT = em.Options(refine=False, gradient=1e-9, most_iterations=3000)
USUAL = em.Options(refine=False)

Cell = tuple[str, tuple[int, int, int]]
"""Item or group, and where a parameter stands: row, column, competence."""


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
    problem = Problem(begin.models, begin.free, begin.tie, priors, sample.layout)
    shape = (len(tallies), latent.competences)
    label, start = np.empty(0, dtype=int), np.empty(0)
    if isinstance(latent, LatentTree):
        start = np.array((*latent.domain_loadings, *latent.competence_loadings))
        label = ties(latent) if loadings else np.full(start.size, -1)
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
    steps = np.sort(rng.normal([-1.0, 0.1, 1.1], 0.3, (count, 3)), axis=1)
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


def fixed_items_of_two_groups() -> Case:
    items, group = dichotomous(3, 6, "2PL"), np.random.default_rng(7).integers(0, 2, 300)
    ability = np.where(group == 1, 0.6, -0.2) + np.random.default_rng(5).normal(size=300)
    held = entries.Fixed(np.array([1, 4]), items.take(np.array([1, 4])))
    return case(simulated(4, 300, items, ability), "2PL", group=group, fixed=held, free=[[True], [True]])


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
    "fixed items, two groups": fixed_items_of_two_groups,
}


def parameters(own: Case) -> list[list[Cell]]:
    """Cells of each parameter of items and groups, all competences after each other."""
    places = placed(own.task)
    found: dict[int, list[Cell]] = {}
    for c, rows in enumerate(places.rows):
        start = int(places.sizes[:c].sum()) if places.sizes.size > 1 else 0
        for (row, column), number in np.ndenumerate(places.items[c]):
            if number >= 0:
                found.setdefault(start + int(number), []).append(("item", (int(rows[row]), column, c)))
        for (q, column), number in np.ndenumerate(places.people[c]):
            if number >= 0:
                found.setdefault(start + int(number), []).append(("group", (q, column, c)))
    return [found[number] for number in sorted(found)]


def moved(point: em.Point, cells: list[Cell], step: float) -> em.Point:
    """Point with one parameter moved, in all the cells where it stands."""
    working, mean, log_sd = point.working.copy(), point.population.mean.copy(), np.log(point.population.sd)
    for kind, (row, column, c) in cells:
        if kind == "item":
            working[row, column] += step
        else:
            (mean, log_sd)[column][row, c] += step
    return point._replace(working=working, population=Population(mean, np.exp(log_sd)))


def e_step(own: Case, point: em.Point) -> Expected:
    return expect(own.sample, table(own.task.problem, point.working, GRID.nodes), em.prior_of(own.task, point, GRID))


def level(own: Case, point: em.Point) -> float:
    """Log posterior."""
    return e_step(own, point).log_likelihood + em.log_prior(own.task, point)


def slopes_of(own: Case, point: em.Point) -> np.ndarray:
    """Gradient of the log posterior in the parameters of all competences, then in the loadings of each label."""
    problem, expected = own.task.problem, e_step(own, point)
    items, people = gradient(problem, point.working, point.population, expected, GRID.nodes)
    if problem.priors:
        items = (
            items + log_prior(problem.priors, problem.models, point.working, problem.free.astype(float), problem.tie)[1]
        )
    result = [
        sum(items[row, column] if kind == "item" else people[row, c, column] for kind, (row, column, c) in cells)
        for cells in parameters(own)
    ]
    if point.loadings.size:
        turned = profile(expected.edges, GRID.nodes, point.loadings)[1] * (1 - point.loadings**2)
        result += [turned[own.task.label == name].sum() for name in np.unique(own.task.label[own.task.label >= 0])]
    return np.array(result)


def by_differences(own: Case, point: em.Point, step: float = 1e-4) -> np.ndarray:
    """Minus the Hessian of the log posterior: central differences of the gradient."""
    ways = [lambda size, cells=cells: moved(point, cells, size) for cells in parameters(own)]
    for name in np.unique(own.task.label[own.task.label >= 0]):
        turn = (own.task.label == name).astype(float)
        ways.append(lambda size, turn=turn: point._replace(loadings=np.tanh(np.arctanh(point.loadings) + size * turn)))
    return np.array([(slopes_of(own, way(-step)) - slopes_of(own, way(step))) / (2 * step) for way in ways])


def relative(found: np.ndarray, expected: np.ndarray) -> float:
    """Largest difference, each cell in units of the diagonal."""
    scale = np.sqrt(np.abs(np.diag(expected)))
    return float(np.max(np.abs(found - expected) / np.outer(scale, scale)))
