"""Three ways to the missing information, against each other and against the definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.calibration import em
from engine.calibration.errors.answers import scores
from engine.calibration.errors.complete import of_people
from engine.calibration.errors.missing import missing
from engine.calibration.maximisation import table
from engine.working import slopes
from tests.reference.calibrated import CASES, GRID, WEAK, Case, case, dichotomous, polytomous, simulated, with_holes


def lost(own: Case, point: em.Point, **ways: float) -> list[np.ndarray]:
    problem, nodes = own.task.problem, GRID.nodes
    slots = np.arange(problem.free.shape[1])
    people = of_people(point.population, nodes)
    found = scores(problem, point.working, nodes, people, own.task.free_population, slots)
    prior = em.prior_of(own.task, point, GRID)
    return missing(own.sample, found, table(problem, point.working, nodes), prior, **ways)


@pytest.mark.parametrize(
    "name",
    ["1PL", "2PL", "2PL, sparse", "GPCM", "two groups, anchors", "two groups, 1PL, missing", "fixed items, two groups"],
)
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
        units = [(u, k) for u in range(len(problem.models)) for k in range(own.sample.layout.categories[u])]
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
    count = len(problem.models)  # after the items stands the group, whose population is not free
    np.testing.assert_allclose(
        found[:count, :, :count].reshape(size, size), expected, rtol=1e-8, atol=1e-9 * max(np.abs(expected).max(), 1e-9)
    )


def test_kinds_of_item_sets_beyond_what_is_held_are_all_counted():
    own = case(with_holes(8, simulated(8, 500, dichotomous(8, 7, "2PL")), 0.5), "2PL")
    (whole,) = lost(own, own.start, together=2)
    (parts,) = lost(own, own.start, together=2, most_kinds=3)
    np.testing.assert_allclose(parts, whole, rtol=1e-12, atol=1e-9)
