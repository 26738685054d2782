import csv
import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import binom

import itembank
from engine.adaptive import posterior, replay
from engine.errors import SettingError
from engine.state import Facts
from engine.uniform import derive, uniform
from simulations.behaviours import behaving
from simulations.learners import draw
from simulations.recovery.administration import Complete, table_for
from simulations.recovery.replication import Plan, fitted_models, replicate
from simulations.recovery.truth import true_items
from simulations.run import simulate
from simulations.sbc.run import parameter_ranks, ranks_of, simulate_sbc
from simulations.sbc.study import checked
from simulations.sbc.uniformity import BINS, simultaneous_band, uniformity
from tests.simulations.examples import plain_bank, single, tree


def uniform_ranks(count, seed=1):
    return uniform(derive(seed, 99), np.arange(count))


def beliefs(design, table, learners, seed=6):
    result = simulate(design, table, draw(design.latent, learners, seed))
    facts = Facts(result.items, result.responses, result.seconds)
    return result, posterior(design, table, replay(design, table, facts))


@pytest.mark.parametrize("model", ["2PL", "3PL", "GRM"])
def test_beliefs_of_one_competence_are_right(model):
    found = simulate_sbc(None, model=model, learners=4000, seed=2)
    assert found.ranks.shape == (4000, 1)
    assert found.smallest_p > 0.005
    assert abs(found.ranks.mean() - 0.5) < 4 * np.sqrt(1 / 12 / 4000)


def test_beliefs_on_the_tree_are_right():
    design, table = tree(length=12)
    result, belief = beliefs(design, table, 1500)
    ranks = ranks_of(belief, table.nodes, result.abilities)
    checks = [checked(str(place), ranks[:, place]).uniformity for place in range(4)]
    assert min(check.ks_p for check in checks) > 0.005
    assert min(check.chi_square_p for check in checks) > 0.005


@pytest.mark.parametrize(("power", "ends"), [(1.6, True), (0.6, False)], ids=["too narrow", "too wide"])
def test_beliefs_that_are_wrong_are_found_out(power, ends):
    design, table = single(plain_bank())
    result, belief = beliefs(design, table, 2000)
    right = uniformity(ranks_of(belief, table.nodes, result.abilities)[:, 0])
    wrong = belief**power
    ranks = ranks_of(wrong / wrong.sum(axis=-1, keepdims=True), table.nodes, result.abilities)[:, 0]
    found = uniformity(ranks)
    assert right.ks_p > 0.005
    assert found.chi_square_p < 1e-4
    assert not found.inside
    outer = np.mean((ranks < 0.1) | (ranks > 0.9))
    assert bool(outer > 0.24) is ends
    assert bool(outer < 0.16) is not ends


def test_beliefs_that_lean_are_found_out():
    """A prior of the wrong mean: learners are half a standard deviation better than the test believes."""
    design, table = single(plain_bank())
    learners = draw(design.latent, 1000, 6)
    better = type(learners)(learners.seeds, learners.abilities + 0.5)
    result = simulate(design, table, better)
    belief = posterior(design, table, replay(design, table, Facts(result.items, result.responses, result.seconds)))
    found = uniformity(ranks_of(belief, table.nodes, result.abilities)[:, 0])
    assert found.ks_p < 1e-6
    assert not found.inside


def test_the_rank_of_a_normal_belief_is_its_normal_probability():
    nodes = np.linspace(-6.0, 6.0, 241)
    mean, sd = np.array([-1.0, 0.3, 2.0]), np.array([0.3, 0.5, 1.0])
    belief = np.exp(-0.5 * ((nodes - mean[:, None]) / sd[:, None]) ** 2)
    belief /= belief.sum(axis=1, keepdims=True)
    truth = np.array([-1.2, 0.3, 3.1])
    np.testing.assert_allclose(ranks_of(belief, nodes, truth), ndtr((truth - mean) / sd), atol=2e-3)
    assert ranks_of(belief[0], nodes, np.array(-99.0)) == pytest.approx(0.0, abs=1e-12)
    assert ranks_of(belief[0], nodes, np.array(99.0)) == pytest.approx(1.0, abs=1e-12)


def test_standard_errors_of_a_calibration_are_right():
    truth, administration = true_items(count=10), Complete()
    table = table_for(administration, truth)
    plan = Plan(truth, fitted_models(truth, None), administration, table, behaving(), 800, 2)
    replications = [replicate(plan, r) for r in range(120)]
    ranks = parameter_ranks(plan.truth, replications)
    assert set(ranks) == {"discrimination", "difficulty"}
    for kind in ranks.values():
        assert kind.size == 120
        assert uniformity(kind).ks_p > 0.005
    proud = [each._replace(errors=0.4 * each.errors) for each in replications]
    for kind in parameter_ranks(plan.truth, proud).values():
        assert uniformity(kind).ks_p < 0.005
    stopped = [each._replace(converged=False) for each in replications]
    assert parameter_ranks(plan.truth, stopped) == {}


@pytest.mark.parametrize("count", [40, 300])
def test_the_band_holds_uniform_ranks_as_often_as_it_says(count):
    band = simultaneous_band(count)
    inside = [uniformity(uniform_ranks(count, seed), band).inside for seed in range(600)]
    assert 0.93 <= np.mean(inside) <= 0.985


def test_the_band_is_narrower_than_bonferroni_and_wider_than_one_interval():
    band = simultaneous_band(500, 20)
    lower = {name: binom.ppf(tail / 2, 500, band.points) for name, tail in (("one", 0.05), ("all", 0.05 / 19))}
    assert (band.lower <= lower["one"]).all()
    assert (band.lower >= lower["all"]).all()
    assert (band.lower > lower["all"]).any()
    np.testing.assert_array_equal(band.lower + band.upper[::-1], 500)


def test_uniformity_against_the_definition():
    ranks = uniform_ranks(200)
    found = uniformity(ranks)
    ordered = np.sort(ranks)
    steps = np.arange(1, 201) / 200
    assert found.ks == pytest.approx(max((steps - ordered).max(), (ordered - steps + 1 / 200).max()))
    counts = [np.count_nonzero((ranks >= k / BINS) & (ranks < (k + 1) / BINS)) for k in range(BINS)]
    assert found.chi_square == pytest.approx(sum((n - 10) ** 2 / 10 for n in counts))


@pytest.mark.parametrize("ranks", [np.array([0.5]), np.array([0.5, 1.5]), np.array([0.5, np.nan])])
def test_what_are_no_ranks_is_told(ranks):
    with pytest.raises(SettingError, match="between 0 and 1"):
        uniformity(ranks)


def test_files_of_a_study(tmp_path):
    found = simulate_sbc(tmp_path / "out", count=15, learners=120, length=6, replications=4, sample=200)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"summary.json", "ranks.csv", "report.html"}
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary == json.loads(json.dumps(found.summary()))
    assert set(summary["checks"]) == {"ability", "discrimination", "difficulty"}
    assert summary["checks"]["ability"]["ranks"] == 120
    with (tmp_path / "out" / "ranks.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [float(row["rank"]) for row in rows] == pytest.approx(found.ranks[:, 0], abs=1e-6)
    page = (tmp_path / "out" / "report.html").read_text()
    assert page.count("<svg ") == 2
    assert "Inside the band" in page


def test_a_whole_bank_is_tested_by_its_positioning():
    found = simulate_sbc(None, bank=Path(itembank.__file__).parent / "crcn", learners=60)
    assert len(found.checks) == len(found.truth.competences) == 16
    assert found.design.latent == found.truth.framework.tree()


@pytest.mark.parametrize("changes", [{"length": 99}, {"learners": 1}, {"replications": 1}])
def test_what_makes_no_sense_is_told(changes):
    with pytest.raises(SettingError):
        simulate_sbc(None, **({"count": 10, "learners": 20} | changes))
