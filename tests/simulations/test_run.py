from dataclasses import replace

import numpy as np
import pytest

from engine.adaptive import posterior, replay
from engine.errors import DesignError
from engine.levels import level_probabilities, quantile
from engine.picks import Best, Proportional, SympsonHetter, TopK
from engine.responses import NONE, NOT_REACHED
from engine.scores import InformationAtMean, KullbackLeibler, VarianceReduction, WeightedInformation
from engine.state import Facts
from engine.stopping import AllOf, AnyOf, AtLeast, MaxLength, PreciseEnough, Reason
from itembank.files import shipped_bank
from itembank.positioning import positioning_design
from itembank.snapshot import Snapshot
from simulations.behaviours import ModelTrue, Skipping, Timed
from simulations.learners import draw, given
from simulations.run import SHARES, simulate
from tests.simulations.examples import alone, plain_bank, single, tied_bank, tree

BEHAVIOURS = (ModelTrue(), Skipping(0.3), Timed())
SCORES = [
    InformationAtMean(),
    WeightedInformation("likelihood"),
    WeightedInformation("posterior"),
    VarianceReduction(),
    KullbackLeibler("likelihood"),
    KullbackLeibler("posterior"),
]
PICKS = [Best(), TopK(5), Proportional(2.0), SympsonHetter((0.4,) * 60)]
VARIED = AnyOf((AllOf((AtLeast(3), PreciseEnough(0.55))), MaxLength(9)))


def assert_same(one, other, exactly=True):
    for name in ("seeds", "items", "responses", "length", "reason"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
    assert np.array_equal(one.seconds, other.seconds, equal_nan=True)
    for name in ("mean", "sd", "quantiles", "levels"):
        assert np.allclose(getattr(one, name), getattr(other, name), rtol=0.0, atol=0.0 if exactly else 1e-9), name


@pytest.mark.parametrize("pick", PICKS, ids=lambda pick: type(pick).__name__)
@pytest.mark.parametrize("score", SCORES, ids=repr)
@pytest.mark.parametrize(("bank", "every"), [(plain_bank, 6), (tied_bank, 1)])
def test_three_hundred_together_are_three_hundred_times_one(bank, every, score, pick):
    design, table = single(bank(), score=score, pick=pick, stop=MaxLength(3))
    learners = draw(design.latent, 300, seed=5)
    together = simulate(design, table, learners, BEHAVIOURS)
    for place in range(0, 300, every):
        items, responses, decision = alone(
            design, table, int(learners.seeds[place]), learners.abilities[place], BEHAVIOURS
        )
        assert together.items[place].tolist() == items
        assert together.responses[place].tolist() == responses
        assert abs(together.mean[place, 0] - decision.mean[0]) < 1e-9


def test_the_served_positioning_is_the_simulated_one():
    snapshot = Snapshot.of(shipped_bank())
    design = positioning_design(snapshot.framework)
    table = snapshot.table(design)
    learners = draw(design.latent, 12, seed=9)
    together = simulate(design, table, learners, BEHAVIOURS)
    for place in range(12):
        items, responses, _ = alone(design, table, int(learners.seeds[place]), learners.abilities[place], BEHAVIOURS)
        assert together.items[place].tolist() == items
        assert together.responses[place].tolist() == responses


@pytest.mark.parametrize("bank", [plain_bank, tied_bank])
def test_the_chunk_does_not_matter(bank):
    design, table = single(bank(), stop=VARIED, pick=TopK(3))
    learners = draw(design.latent, 90, seed=2)
    whole = simulate(design, table, learners, BEHAVIOURS)
    for chunk in (1, 7, 50, 89):
        assert_same(simulate(design, table, learners, BEHAVIOURS, chunk=chunk), whole, exactly=False)


def test_the_number_of_jobs_does_not_matter():
    design, table = tree()
    learners = draw(design.latent, 150, seed=2)
    one, two = (simulate(design, table, learners, BEHAVIOURS, chunk=20, jobs=jobs) for jobs in (1, 2))
    assert_same(one, two)


def test_the_seed_matters():
    design, table = single(plain_bank())
    one, two = (simulate(design, table, draw(design.latent, 50, seed)) for seed in (1, 2))
    assert not np.array_equal(one.responses, two.responses)


def test_results_follow_from_the_facts():
    design, table = tree()
    learners = draw(design.latent, 80, seed=4)
    result = simulate(design, table, learners, BEHAVIOURS, chunk=33)
    state = replay(design, table, Facts(result.items, result.responses, result.seconds))
    beliefs = posterior(design, table, state)
    assert np.allclose(result.mean, beliefs @ table.nodes, atol=1e-9)
    assert np.allclose(result.quantiles, quantile(beliefs, table.nodes, SHARES), atol=1e-9)
    assert np.allclose(result.levels, level_probabilities(beliefs, table.nodes, table.cuts), atol=1e-9)
    assert np.array_equal(result.length, state.length)


def test_runs_of_different_lengths():
    design, table = single(plain_bank(), stop=VARIED)
    result = simulate(design, table, draw(design.latent, 200, seed=3), chunk=64)
    assert np.ptp(result.length) > 0
    asked = np.arange(result.items.shape[1]) < result.length[:, None]
    assert np.array_equal(result.items != NONE, asked)
    assert np.array_equal(result.responses == NOT_REACHED, ~asked)
    assert result.items.shape[1] == result.length.max()
    precise = result.reason == Reason.PRECISE_ENOUGH
    assert (result.sd[precise] <= 0.55 + 1e-9).all()
    assert (result.length[~precise] == 9).all()


def test_a_bank_that_runs_out_ends_the_runs():
    design, table = single(plain_bank(4), stop=MaxLength(10))
    result = simulate(design, table, draw(design.latent, 20, seed=3))
    assert (result.length == 4).all()
    assert (result.reason == Reason.NOTHING_LEFT).all()


def test_only_allowed_items_are_asked():
    design, table = single(plain_bank())
    allowed = np.arange(60) % 2 == 0
    result = simulate(design, table, draw(design.latent, 40, seed=3), allowed=allowed)
    assert (result.items % 2 == 0).all()


def test_no_run_at_all_when_nothing_is_allowed():
    design, table = single(plain_bank())
    result = simulate(design, table, draw(design.latent, 3, seed=3), allowed=np.zeros(60, dtype=bool))
    assert result.items.shape == (3, 0)
    assert (result.reason == Reason.NOTHING_LEFT).all()
    assert np.allclose(result.mean, 0.0)


@pytest.mark.parametrize("jobs", [1, 2])
def test_progress_counts_every_simulee(jobs):
    design, table = single(plain_bank())
    told = []
    simulate(design, table, draw(design.latent, 90, seed=3), chunk=25, jobs=jobs, progress=told.append)
    assert told == [25, 25, 25, 15]


def test_simulees_must_suit_the_design():
    design, table = tree()
    with pytest.raises(DesignError, match="latent structure"):
        simulate(design, table, given([0.0], seed=1))
    with pytest.raises(DesignError, match="chunk"):
        simulate(*single(plain_bank()), given([0.0], seed=1), chunk=-1)


def test_the_scope_is_respected():
    design, table = tree()
    narrow = replace(design, scope=(1,), filters=(), stop=MaxLength(5))
    result = simulate(narrow, table, draw(design.latent, 30, seed=1))
    assert (table.competence[result.items] == 1).all()
