"""Scores against catR 3.17 (tests/golden/catr_selection.json) and against a slow scalar reference.

catR integrates by the trapezoid rule on 33 points, where we sum over nodes: half a weight at both ends makes the two
the same, and is given to ``begin`` as evidence. What catR's criteria are multiplied by is said where it is undone.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.adaptive import Design, replay
from engine.grid import Grid
from engine.latent import Latent
from engine.models import information, log_probability
from engine.parameters import ItemParameters, Model
from engine.ranking import quantised
from engine.scores import InformationAtMean, KullbackLeibler, Score, VarianceReduction, WeightedInformation, divergence
from engine.state import Facts, absorb
from engine.table import Table, build_table
from tests.reference import banks, slow
from tests.reference.golden import catr_bank, golden

BANKS = golden("catr_estimates.json")["banks"]
CASES = golden("catr_selection.json")["cases"]
GRID = Grid(-4.0, 4.0, 33)
HALF_ENDS = np.where(np.isin(np.arange(33), (0, 32)), np.log(0.5), 0.0)[None]
each_case = pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c['model']} after {len(c['administered'])}")
laws = settings(deadline=None, max_examples=25)


class Selection:
    """A case of catR as our state, and the integrals that scale its criteria."""

    def __init__(self, case: dict, score: Score = InformationAtMean()) -> None:
        self.design = Design(score=score, grid=GRID)
        self.table = build_table(catr_bank(BANKS, case["model"], case["D"]), self.design)
        rows = np.array(case["administered"]) - 1
        self.facts = Facts(rows, np.array(case["responses"]), np.full(rows.shape, np.nan))
        self.state = replay(self.design, self.table, self.facts, evidence=HALF_ENDS)
        self.rows = np.array(case["available"]) - 1
        self.theta = np.array([case["theta_BM"]])
        answered = self.table.parameters.take(rows)
        log_p = log_probability(answered, GRID.nodes)[np.arange(rows.size), case["responses"]]
        self.likelihood = np.exp(log_p.sum(axis=0) + HALF_ENDS[0])
        self.density = np.exp(-0.5 * GRID.nodes**2) / np.sqrt(2 * np.pi)

    def scores(self) -> np.ndarray:
        situation = banks.situation(self.design, self.table, self.state)
        return np.asarray(situation.score(situation))[self.rows]

    def best(self, values: np.ndarray) -> int:
        """Item that we would ask for these values, numbered from 1."""
        return int(self.rows[np.argmax(quantised(values))]) + 1


@each_case
def test_information_and_the_item_it_picks_are_those_of_catr(case: dict) -> None:
    """MFI at catR's own estimate, the posterior mode; ours is taken at the posterior mean."""
    selection = Selection(case)
    values = information(selection.table.parameters, selection.theta)[selection.rows, 0]
    np.testing.assert_allclose(values, case["criteria"]["MFI"], rtol=0, atol=1e-13)
    assert selection.best(values) == case["picks"]["MFI"]["item"]


@each_case
def test_weighted_information_is_that_of_catr(case: dict) -> None:
    """MLWI = spacing * largest likelihood * ours; MPWI = spacing * mass of likelihood times density * ours."""
    by_likelihood = Selection(case, WeightedInformation("likelihood"))
    scale = GRID.spacing * by_likelihood.likelihood.max()
    np.testing.assert_allclose(scale * by_likelihood.scores(), case["criteria"]["MLWI"], rtol=0, atol=1e-13)
    assert by_likelihood.best(by_likelihood.scores()) == case["picks"]["MLWI"]["item"]
    by_posterior = Selection(case, WeightedInformation("posterior"))
    scale = GRID.spacing * np.sum(by_posterior.likelihood * by_posterior.density)
    np.testing.assert_allclose(scale * by_posterior.scores(), case["criteria"]["MPWI"], rtol=0, atol=1e-13)
    assert by_posterior.best(by_posterior.scores()) == case["picks"]["MPWI"]["item"]


@each_case
def test_kullback_leibler_is_that_of_catr(case: dict) -> None:
    """KL and KLP at catR's estimate. Our score takes the formula at the posterior mean: see the whole tests of KLP in
    test_adaptive.py, where catR does so too."""
    selection = Selection(case)
    log_p = selection.table.log_evidence[:, :2]
    for name, weights in (("KL", selection.likelihood), ("KLP", selection.likelihood * selection.density)):
        found = divergence(selection.table.parameters, log_p, selection.theta, GRID.spacing * weights[None])
        values = found[0, selection.rows]
        np.testing.assert_allclose(values, case["criteria"][name], rtol=0, atol=1e-13)
        assert selection.best(values) == case["picks"][name]["item"]


@each_case
def test_variances_after_each_answer_are_those_of_catr(case: dict) -> None:
    """EPV = P(1; mode) Var(1) + P(0; mode) Var(0): catR weighs by the probabilities at its point estimate.

    We differ on purpose: the chance of an answer is its probability averaged over the posterior. Only then is the
    expected variance never larger than the current one, and only then does the score not depend on an estimator.
    """
    selection = Selection(case, VarianceReduction())
    design, table = selection.design, selection.table
    now = banks.situation(design, table, selection.state)
    after = banks.variances_after(design, table, selection.state)[selection.rows]
    at_mode = np.exp(log_probability(table.parameters, selection.theta))[selection.rows, :, 0]
    values = np.sum(at_mode * after, axis=1)
    np.testing.assert_allclose(values, case["criteria"]["EPV"], rtol=0, atol=1e-13)
    assert selection.best(-values) == case["picks"]["MEPV"]["item"]
    chance = now.chance[selection.rows]
    ours = (1.0 - chance) * after[:, 0] + chance * after[:, 1]
    np.testing.assert_allclose(now.sd[0] ** 2 - selection.scores(), ours, rtol=0, atol=1e-12)


@laws
@given(st.integers(0, 2**32 - 1), st.sampled_from([banks.ALONE, banks.TREE]), st.sampled_from(["mixed", "tied", "4PL"]))
def test_expected_reduction_is_that_of_absorbing_every_answer(seed: int, latent: Latent, kind: str) -> None:
    design = Design(score=VarianceReduction(), latent=latent)
    parameters = banks.logistic(seed, 12, "4PL") if kind == "4PL" else getattr(banks, kind)(seed, 12)
    table = banks.table_for(design, parameters, seed)
    state = banks.states(design, table, seed, (4,))
    now = banks.situation(design, table, state)
    current = np.take_along_axis(now.sd, np.tile(table.competence, (4, 1)), axis=1) ** 2
    expected = np.zeros((4, 12))
    for row in range(12):
        log_p = log_probability(parameters.take([row]), table.nodes)[0]
        own = now.posterior[:, table.competence[row]]
        for k in range(int(parameters.categories[row])):
            after = banks.situation(
                design, table, absorb(table, state, np.full(4, row), np.full(4, k), np.full(4, np.nan))
            )
            expected[:, row] += own @ np.exp(log_p[k]) * after.sd[:, table.competence[row]] ** 2
    reduction = design.score(now)
    assert (reduction >= -1e-9).all()
    np.testing.assert_allclose(reduction, current - expected, rtol=0, atol=1e-10)


def test_expected_reduction_is_that_of_adaptive_quadrature() -> None:
    items = [slow.Item(1.2, -0.5), slow.Item(0.8, 0.4, 0.2), slow.Item(1.5, thresholds=(-1.0, 0.3, 1.1))]
    answers, candidate = [1, 0, 2], slow.Item(1.7, 0.2, 0.15)
    every = [*items, candidate]
    parameters = ItemParameters.of(
        ["3PL", "3PL", "GRM", "3PL"],
        [item.a for item in every],
        [item.b for item in every],
        [item.c for item in every],
        thresholds=[item.thresholds or None for item in every],
    )
    design = Design(score=VarianceReduction(), grid=Grid(-8.0, 8.0, 321))
    table = build_table(parameters, design)
    state = replay(design, table, Facts(np.arange(3), np.array(answers), np.full(3, np.nan)))
    now = banks.situation(design, table, state)
    _, sd = slow.posterior_moments(items, answers)
    expected = sd**2 - slow.expected_posterior_variance(items, answers, candidate)
    np.testing.assert_allclose(design.score(now)[3], expected, atol=1e-8)
    np.testing.assert_allclose(now.chance[3], slow.predictive(items, answers, candidate)[1], atol=1e-8)


@pytest.mark.parametrize("difficulty", [-60.0, -20.0, -15.0, 15.0, 20.0, 60.0])
@pytest.mark.parametrize("seed", range(3))
def test_an_item_whose_answer_is_certain_promises_nothing(difficulty: float, seed: int) -> None:
    design = Design(score=VarianceReduction())
    table = build_table(ItemParameters.of("2PL", [3.0, 1.0], [difficulty, 0.0]), design)
    now = banks.situation(design, table, banks.states(design, table, seed, (50,), spread=0.5))
    certain, useful = design.score(now).T
    np.testing.assert_allclose(certain, 0.0, atol=1e-9)
    assert (useful > 1e-4).all()


def scalar_item(table: Table, row: int) -> slow.Item:
    items = table.parameters
    steps = tuple(items.thresholds[row][np.isfinite(items.thresholds[row])])
    return slow.Item(
        float(items.discrimination[row]),
        float(items.difficulty[row]),
        float(items.guessing[row]),
        float(items.slipping[row]),
        steps,
        graded=bool(items.model[row] == Model.GRM),
    )


@settings(deadline=None, max_examples=6)
@given(st.integers(0, 2**32 - 1), st.sampled_from([banks.ALONE, banks.TREE]))
def test_scores_are_those_of_the_textbook(seed: int, latent: Latent) -> None:
    design = Design(latent=latent, grid=Grid(-3.0, 3.0, 9))
    table = banks.table_for(design, banks.mixed(seed, 8), seed)
    state = banks.states(design, table, seed, ())
    now = banks.situation(design, table, state)
    scaled = np.exp(state.log_likelihood - state.log_likelihood.max(axis=-1, keepdims=True))
    for row in range(8):
        item, own = scalar_item(table, row), int(table.competence[row])
        mean = float(now.mean[own])
        at_nodes = [slow.information(item, node) for node in table.nodes]
        apart = [slow.divergence(item, mean, node) for node in table.nodes]
        for score, expected in (
            (InformationAtMean(), slow.information(item, mean)),
            (WeightedInformation("posterior"), now.posterior[own] @ at_nodes),
            (WeightedInformation("likelihood"), scaled[own] @ at_nodes),
            (KullbackLeibler("posterior"), now.posterior[own] @ apart),
            (KullbackLeibler("likelihood"), scaled[own] @ apart),
        ):
            np.testing.assert_allclose(score(now)[row], expected, rtol=1e-6, atol=1e-8, err_msg=str(score))


def test_weights_of_competences_multiply_the_reduction() -> None:
    plain, weighted = VarianceReduction(), VarianceReduction((1.0, 0.0, 2.5))
    design = Design(score=plain, latent=banks.TREE)
    table = banks.table_for(design, banks.mixed(5, 30), 5)
    now = banks.situation(design, table, banks.states(design, table, 5, (6,)))
    np.testing.assert_allclose(weighted(now), plain(now) * np.array([1.0, 0.0, 2.5])[table.competence], atol=1e-14)


@pytest.mark.parametrize("score", [WeightedInformation(), VarianceReduction(), KullbackLeibler(), InformationAtMean()])
def test_scores_are_finite_at_both_ends_of_the_scale(score: Score) -> None:
    design = Design(score=score)
    extreme = ItemParameters.of(
        "4PL",
        [0.01, 50.0, 50.0, 3.0, 3.0, 50.0],
        [0.0, -4.0, 4.0, -40.0, 40.0, 0.0],
        [0.0, 0.3, 0.0, 0.0, 0.2, 0.0],
        [1.0, 1.0, 0.6, 0.9, 1.0, 1.0],
    )
    table = build_table(extreme, design)
    state = banks.states(design, table, 1, (40,), spread=6.0)
    assert np.isfinite(score(banks.situation(design, table, state))).all()
