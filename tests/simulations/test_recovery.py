import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from engine.calibration.em import Options
from engine.calibration.result import ItemStatus
from engine.errors import BankError, DesignError, JalonError, ParameterError, ResponseError, SettingError
from engine.grid import Grid
from engine.latent import Independent, LatentTree
from engine.parameters import ItemParameters
from engine.responses import NOT_REACHED, SKIPPED
from engine.uniform import derive
from simulations.behaviours import Question, behaving, reply
from simulations.learners import draw
from simulations.recovery.administration import (
    Adaptive,
    AtRandom,
    Booklets,
    Complete,
    administration_named,
    responses_of,
    table_for,
)
from simulations.recovery.expected_errors import expected_errors
from simulations.recovery.figures import by_item, by_replication, figures_of, monte_carlo
from simulations.recovery.files import write
from simulations.recovery.loadings import loading_figures
from simulations.recovery.needed_learners import curve_of, interpolated
from simulations.recovery.replication import Plan, fitted_models, replicate, seed_of
from simulations.recovery.run import simulate_recovery
from simulations.recovery.truth import Truth, made_up_items, reported, true_items

KEYS = {
    *("learners", "replications", "seed", "model", "items", "design", "converged_share", "seconds"),
    *("rmse_discrimination", "rmse_difficulty", "bias_discrimination", "bias_difficulty"),
    *("coverage_95_discrimination", "coverage_95_difficulty", "correlation_discrimination", "correlation_difficulty"),
}
FILES = {"summary.json", "items.csv", "replications.csv", "report.html"}


def planned(model="2PL", count=12, learners=400, design=None, truth=None, **changes):
    true = true_items(model=truth or model, count=count)
    how = {name: changes.pop(name) for name in ("answers", "booklets", "pick", "k") if name in changes}
    administration = administration_named(design, true, **how)
    table = table_for(administration, true)
    plan = Plan(true, fitted_models(true, model), administration, table, behaving(), learners, 1)
    return replace(plan, **changes)


def read(path):
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    out = tmp_path_factory.mktemp("recovery") / "out"
    return simulate_recovery(out, count=12, learners=600, replications=60, curve=(150, 300, 1200), seed=3), out


def test_what_is_recovered(study):
    """Maximum likelihood at 600 learners: hardly any bias, errors and intervals that keep their promise."""
    found = study[0].figures
    assert found.converged.all()
    for kind in ("discrimination", "difficulty"):
        figures = found.kinds[kind]
        assert abs(figures.bias.value) < 4 * figures.bias.error + 0.02
        assert abs(figures.coverage.value - 0.95) < 4 * figures.coverage.error + 0.005
        assert figures.intervals == 1.0
    slopes = found.kinds["discrimination"]
    assert found.kinds["difficulty"].correlation.value > 0.97 > slopes.correlation.value > 0.8
    assert slopes.mean_se == pytest.approx(slopes.sd, rel=0.08)
    assert slopes.rmse_se < 0.2 * slopes.sd


def test_files_of_a_study(study):
    recovery, out = study
    assert {path.name for path in out.iterdir()} == FILES
    summary = json.loads((out / "summary.json").read_text())
    assert summary.keys() >= KEYS
    assert summary == json.loads(json.dumps(recovery.summary()))
    assert (summary["learners"], summary["replications"], summary["items"]) == (600, 60, 12)
    assert (summary["model"], summary["design"], summary["answers_per_learner"]) == ("2PL", "complete", 12.0)
    assert [row["learners"] for row in summary["curve"]] == [150, 300, 600, 1200]
    rows = read(out / "items.csv")
    assert len(rows) == 2 * 12
    bias = [float(row["bias"]) for row in rows if row["parameter"] == "difficulty"]
    assert np.mean(bias) == pytest.approx(summary["bias_difficulty"], abs=1e-5)
    square = [float(row["rmse"]) ** 2 for row in rows if row["parameter"] == "discrimination"]
    assert np.sqrt(np.mean(square)) == pytest.approx(summary["rmse_discrimination"], abs=1e-5)
    replications = read(out / "replications.csv")
    assert len(replications) == 60
    covered = [float(row["coverage_95_difficulty"]) for row in replications]
    assert np.mean(covered) == pytest.approx(summary["coverage_95_difficulty"], abs=1e-5)
    page = (out / "report.html").read_text()
    assert page.count("<svg ") == 4
    assert "How many learners are needed" in page
    assert "±" in page


def test_the_seed_is_the_study(tmp_path, study):
    again = simulate_recovery(None, count=12, learners=600, replications=3, seed=3)
    for one, other in zip(again.replications, study[0].replications, strict=False):
        np.testing.assert_array_equal(one.estimates, other.estimates)
    other = simulate_recovery(None, count=12, learners=600, replications=3, seed=4)
    assert not np.array_equal(again.replications[0].estimates, other.replications[0].estimates)


def test_replications_have_learners_of_their_own():
    seeds = [seed_of(1, r) for r in range(100)]
    assert len(set(seeds)) == 100
    first, second = (draw(Independent(), 2000, seed).abilities[:, 0] for seed in seeds[:2])
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.1


def test_the_number_of_jobs_does_not_matter():
    one, two = (simulate_recovery(None, count=8, learners=200, replications=5, jobs=jobs) for jobs in (1, 2))
    for alone, shared in zip(one.replications, two.replications, strict=True):
        np.testing.assert_array_equal(alone.estimates, shared.estimates)
        np.testing.assert_array_equal(alone.errors, shared.errors)


def test_figures_by_item_against_the_definition():
    random = np.random.default_rng(1)
    truth = random.normal(size=(3, 4))
    estimates, errors = truth + random.normal(size=(7, 3, 4)), random.uniform(0.5, 1.5, size=(7, 3, 4))
    estimates[2, 1, 1] = estimates[:, 2, 3] = np.nan
    errors[3, 0, 0] = np.nan
    found = by_item(truth, estimates, errors)
    for item, at in np.ndindex(3, 4):
        used = [r for r in range(7) if not np.isnan(estimates[r, item, at])]
        off = [estimates[r, item, at] - truth[item, at] for r in used]
        inside = [abs(estimates[r, item, at] - truth[item, at]) < 1.959964 * errors[r, item, at] for r in used]
        inside = [ok for ok, r in zip(inside, used, strict=True) if not np.isnan(errors[r, item, at])]
        assert found.used[item, at] == len(used)
        if used:
            assert found.bias[item, at] == pytest.approx(np.mean(off))
            assert found.rmse[item, at] == pytest.approx(np.sqrt(np.mean(np.square(off))))
            assert found.sd[item, at] == pytest.approx(np.std(off, ddof=1))
            assert found.coverage[item, at] == pytest.approx(np.mean(inside))
    assert np.isnan(found.rmse[2, 3])


def test_figures_by_replication_against_the_definition():
    random = np.random.default_rng(2)
    truth = random.normal(size=9)
    estimates = truth + random.normal(size=(4, 9))
    estimates[1, 3] = estimates[2] = np.nan
    found = by_replication(truth, estimates, np.full((4, 9), 1.0))
    kept = np.arange(9) != 3
    assert found.correlation[1] == pytest.approx(np.corrcoef(truth[kept], estimates[1, kept])[0, 1])
    assert found.bias[0] == pytest.approx(np.mean(estimates[0] - truth))
    assert found.mean_square[3] == pytest.approx(np.mean((estimates[3] - truth) ** 2))
    assert np.isnan([part[2] for part in found]).all()
    figure = monte_carlo(found.bias)
    assert figure.error == pytest.approx(np.std(found.bias[[0, 1, 3]], ddof=1) / np.sqrt(3))


def test_errors_that_are_too_small_are_found_out():
    plan = planned(learners=300)
    replications = [replicate(plan, r) for r in range(20)]
    halved = [each._replace(errors=0.5 * each.errors) for each in replications]
    honest, proud = (figures_of(plan.truth, each).kinds["difficulty"] for each in (replications, halved))
    assert proud.coverage.value < 0.8 < honest.coverage.value
    assert proud.rmse_se > 2 * honest.rmse_se


@pytest.mark.parametrize("model", ["1PL", "GRM", "GPCM"])
def test_models(model):
    found = simulate_recovery(None, model=model, count=8, learners=800, replications=12).figures
    assert found.converged.all()
    assert ("thresholds" in found.kinds) is (model != "1PL")
    for kind in found.kinds.values():
        assert kind.coverage.value > 0.95 - 4 * kind.coverage.error - 0.02
        assert abs(kind.bias.value) < 4 * kind.bias.error + 0.03


def test_a_wrong_model_is_judged_by_the_parameters_that_it_has():
    study = simulate_recovery(None, truth="3PL", model="2PL", count=15, learners=600, replications=4)
    summary = study.summary()
    assert set(study.figures.kinds) == {"discrimination", "difficulty"}
    assert summary["bias_difficulty"] < -0.1
    assert summary["coverage_95_difficulty"] < 0.8
    assert np.isnan(study.expected).all()
    assert summary["curve"][0]["expected_rmse_difficulty"] is None


def test_priors_tame_guessing():
    free, held = (
        simulate_recovery(None, model="3PL", count=10, learners=500, replications=3, priors=priors).summary()
        for priors in ((), ("guessing=beta(5, 17)", "discrimination=lognormal(0, 0.5)"))
    )
    assert held["rmse_guessing"] < 0.7 * free["rmse_guessing"]
    assert held["priors"] == {"discrimination": "lognormal(0, 0.5)", "guessing": "beta(5, 17)"}


def test_what_does_not_converge_is_counted_and_left_out(tmp_path):
    plan = planned(learners=300)
    found = [replicate(plan, r) for r in range(4)]
    stopped = replicate(replace(plan, options=Options(most_iterations=1)), 4)
    assert not stopped.converged
    wild = stopped._replace(estimates=stopped.estimates + 100.0)
    with_it, without = figures_of(plan.truth, [*found, wild]), figures_of(plan.truth, found)
    assert with_it.converged.mean() == 0.8
    assert with_it.kinds["difficulty"].rmse == without.kinds["difficulty"].rmse
    nothing = figures_of(plan.truth, [wild, wild])
    assert nothing.kinds == {}


def test_a_study_in_which_nothing_converges_is_still_told(tmp_path, study):
    plan = planned(learners=300, options=Options(most_iterations=1))
    found = tuple(replicate(plan, r) for r in range(2))
    figures = figures_of(plan.truth, found)
    curve = curve_of(plan.truth, {300: figures}, expected_errors(plan))
    hopeless = replace(study[0], plan=plan, replications=found, figures=figures, curve=curve)
    summary = hopeless.summary()
    assert summary["converged_share"] == 0.0
    assert summary["rmse_difficulty"] is None
    write(hopeless, tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES
    assert "2 of 2 replications did not converge" in (tmp_path / "out" / "report.html").read_text()
    assert [row["used"] for row in read(tmp_path / "out" / "items.csv")] == ["0.000000"] * 12


def test_complete_responses_are_those_of_the_behaviours():
    plan = planned(count=5, learners=30, behaviours=behaving(skipping=0.6))
    learners = draw(Independent(), 30, 8)
    found = responses_of(plan.administration, plan.table, learners, plan.behaviours)
    for learner, item in np.ndindex(30, 5):
        who = np.array([learner])
        question = Question(plan.table, learners.seeds[who], learners.abilities[who, 0], np.array([item]), item)
        assert found[learner, item] == reply(plan.behaviours, question).response[0]
    assert (found == SKIPPED).any()


def test_responses_follow_the_model():
    plan = planned(count=6, learners=1)
    learners = draw(Independent(), 20_000, 4)
    found = responses_of(AtRandom(3), plan.table, learners, plan.behaviours)
    truth = plan.truth.parameters
    for item in range(6):
        who = found[:, item] != NOT_REACHED
        p = expit(truth.discrimination[item] * (learners.abilities[who, 0] - truth.difficulty[item]))
        error = np.sqrt((p * (1 - p)).sum())
        assert abs(found[who, item].sum() - p.sum()) < 4 * error


def test_random_items_are_as_many_and_as_frequent_as_asked():
    items = AtRandom(5).items(derive(1, np.arange(4000)), 20)
    assert items.shape == (4000, 5)
    assert (np.diff(items, axis=1) > 0).all()
    counts = np.bincount(items.ravel(), minlength=20)
    assert np.abs(counts - 1000).max() < 5 * np.sqrt(4000 * 0.25 * 0.75)
    together = np.count_nonzero((items == 3).any(axis=1) & (items == 11).any(axis=1))
    assert abs(together / 4000 - 5 * 4 / (20 * 19)) < 0.02


def test_booklets_share_blocks_and_ask_every_item_alike():
    items = Booklets(4, 2).items(np.arange(8), 12)
    assert items.shape == (8, 6)
    assert (items[:4] == items[4:]).all()
    assert np.bincount(items[:4].ravel()).tolist() == [2] * 12
    assert len(set(items[0]) & set(items[1])) == 3
    assert not set(items[0]) & set(items[2])
    assert (Booklets(4, 4).items(np.arange(4), 12) == Complete().items(np.arange(4), 12)).all()
    uneven = Booklets(3, 1).items(np.arange(3), 7)
    assert (uneven >= 0).sum(axis=1).tolist() == [3, 2, 2]


@pytest.mark.parametrize(
    ("design", "answers"), [("random", 8), ("booklets", 10), ("adaptive", 8)], ids=lambda value: str(value)
)
def test_sparse_designs_ask_what_they_say_and_recover(design, answers):
    study = simulate_recovery(None, count=30, learners=1500, design=design, answers=answers, replications=2, k=20)
    assert study.design == design
    assert study.answers == pytest.approx(answers, abs=0.01)
    assert study.figures.converged.any()
    assert study.figures.kinds["difficulty"].coverage.value > 0.8


def test_an_adaptive_test_asks_items_near_the_ability():
    plan = planned(count=30, learners=300, design="adaptive", answers=8)
    assert isinstance(plan.administration, Adaptive)
    learners = draw(Independent(), 300, 2)
    asked = responses_of(plan.administration, plan.table, learners, plan.behaviours) != NOT_REACHED
    assert (asked.sum(axis=1) == 8).all()
    mean = (asked * plan.truth.parameters.difficulty).sum(axis=1) / 8
    assert np.corrcoef(mean, learners.abilities[:, 0])[0, 1] > 0.7


@pytest.mark.parametrize(
    ("model", "changes"),
    [("1PL", {}), ("2PL", {}), ("GRM", {}), ("GPCM", {}), ("2PL", {"answers": 10}), ("2PL", {"booklets": 4})],
)
def test_expected_errors_are_those_of_a_large_calibration(model, changes):
    """Covariance of simulated scores at the truth, against the observed information at the estimates."""
    plan = planned(model, count=12, learners=5000, **changes)
    stated = replicate(plan, 0).errors
    expected = expected_errors(plan) / np.sqrt(5000)
    there = np.isfinite(stated) & np.isfinite(expected)
    assert np.array_equal(np.isfinite(stated), there)
    ratio = expected[there] / stated[there]
    assert np.median(ratio) == pytest.approx(1.0, abs=0.04)
    assert np.quantile(ratio, [0.1, 0.9]) == pytest.approx([1.0, 1.0], abs=0.2)


def test_the_curve_is_the_one_that_information_predicts(study):
    curve = study[0].curve
    found = [figure.value for figure in curve.rmse["discrimination"]]
    assert found == sorted(found, reverse=True)
    for learners, rmse in zip(curve.learners.tolist()[1:], found[1:], strict=True):
        assert rmse == pytest.approx(curve.expected["discrimination"] / np.sqrt(learners), rel=0.15)
    needed = next(need for need in curve.needed((0.15,)) if need.kind == "discrimination")
    assert not needed.beyond
    assert needed.learners == pytest.approx(needed.expected, rel=0.25)


def test_learners_needed_by_interpolation():
    sizes = np.array([250, 500, 1000])
    rmse = 3.0 / sizes**0.6
    assert interpolated(sizes, rmse, 3.0 / 700**0.6) == (pytest.approx(700), False)
    assert interpolated(sizes, rmse, rmse[1]) == (pytest.approx(500), False)
    assert interpolated(sizes, rmse, 0.5 * rmse[-1]) == (pytest.approx(4000), True)
    assert interpolated(sizes, rmse, 2 * rmse[0]) == (pytest.approx(62.5), True)
    assert interpolated(sizes, np.array([np.nan, 0.2, 0.1]), 0.2) == (pytest.approx(500), False)
    learners, beyond = interpolated(sizes, np.full(3, np.nan), 0.1)
    assert np.isnan(learners)
    assert beyond


def tree_plan(**changes):
    tree = LatentTree((0, 0, 1, 1, 2), (0.8, 0.7, 0.6), (0.9, 0.85, 0.8, 0.8, 0.9))
    count = 50
    competence = np.arange(count) % 5
    parameters = made_up_items("2PL", count)
    truth = Truth(tuple(map(str, range(count))), parameters, tuple("abcde"), competence, tree, "a tree")
    administration = Complete()
    table = table_for(administration, truth)
    plan = Plan(truth, ("2PL",) * count, administration, table, behaving(), 600, 1)
    return replace(plan, options=Options(grid=Grid(-5.0, 5.0, 31), refine=False), **changes)


def test_loadings_of_a_tree_are_recovered():
    plan = tree_plan(estimate_loadings=True, learners=1500)
    found = loading_figures(plan.truth.latent, ("x", "y", "z", *"abcde"), [replicate(plan, r) for r in range(3)])
    assert found.apart.tolist() == [True, True, False, True, True, True, True, False]
    assert found.rmse < 0.08
    assert found.rmse_correlations < 0.06
    assert found.coverage > 0.6


def test_competences_of_a_tree_are_calibrated_together():
    plan = tree_plan()
    found = replicate(plan, 0)
    assert found.converged
    assert np.array_equal(found.loadings, [0.8, 0.7, 0.6, 0.9, 0.85, 0.8, 0.8, 0.9])
    assert np.isnan(found.loading_errors).all()
    expected = expected_errors(plan) / np.sqrt(plan.learners)
    assert np.nanmedian(expected[:, :2] / found.errors[:, :2]) == pytest.approx(1.0, abs=0.06)


def test_a_bank_with_a_competence(tmp_path):
    study = simulate_recovery(
        tmp_path / "out", competence="1.1", learners=800, replications=2, priors=("default",), design="random"
    )
    assert study.plan.truth.competences == ("1.1",)
    assert study.summary()["calibrated_share"] == 1.0
    assert all(row["id"].startswith("fr-1.1") or "1.1" in row["id"] for row in read(tmp_path / "out" / "items.csv"))


def test_items_of_a_table(tmp_path):
    path = tmp_path / "items.csv"
    path.write_text(
        "id,model,discrimination,difficulty,thresholds,competence\n"
        "a,2PL,1.2,0.3,,1.1\nb,2PL,0.8,-0.5,,1.1\nc,GRM,1.5,,-1;0;1,1.1\nd,2PL,1.0,1.0,,1.2\ne,2PL,1.4,0.1,,1.1\n"
    )
    study = simulate_recovery(None, items=path, learners=800, replications=2, model="GPCM")
    assert study.plan.models == ("2PL", "2PL", "GPCM", "2PL", "2PL")
    assert set(study.figures.kinds) == {"discrimination", "difficulty", "thresholds"}
    one = simulate_recovery(None, items=path, competence="1.1", learners=800, replications=2)
    assert one.plan.truth.ids == ("a", "b", "c", "e")


def test_made_up_items_are_those_of_their_words():
    items = made_up_items("4PL", 4000, seed=2)
    assert np.log(items.discrimination).std() == pytest.approx(0.3, abs=0.02)
    assert items.difficulty.std() == pytest.approx(1.0, abs=0.05)
    assert (items.guessing.min() > 0.1, items.guessing.max() < 0.3) == (True, True)
    assert (items.slipping.min() > 0.88, items.slipping.max() < 0.98) == (True, True)
    assert (made_up_items("1PL", 5).discrimination == 1).all()
    graded = made_up_items("GRM", 3000)
    assert (graded.categories == 4).all()
    assert graded.thresholds[:, 1].std() == pytest.approx(0.7, abs=0.04)
    together = np.corrcoef([items.discrimination, items.difficulty, items.guessing, items.slipping])
    assert np.abs(together - np.eye(4)).max() < 0.06


def test_the_table_of_parameters():
    mixed = ItemParameters.of(
        ["3PL", "GRM"], [1.0, 2.0], [0.5, None], guessing=[0.2, 0.0], thresholds=[None, (-1.0, 0.0, 1.0)]
    )
    assert reported(mixed).tolist()[1] == [2.0, -1.0, 0.0, 1.0, 0.0, 1.0]
    assert np.array_equal(reported(mixed)[0], [1.0, 0.5, np.nan, np.nan, 0.2, 1.0], equal_nan=True)


def test_categories_that_nobody_reaches_are_no_trouble():
    steps = [(-1.0, 9.0)] + [(-1.0, 1.0)] * 5
    parameters = ItemParameters.of("GRM", np.ones(6), thresholds=steps)
    truth = Truth(tuple("abcdef"), parameters, ("x",), np.zeros(6, dtype=np.int64), Independent(), "here")
    plan = Plan(truth, ("GRM",) * 6, Complete(), table_for(Complete(), truth), behaving(), 300, 1)
    found = replicate(plan, 0)
    assert np.isfinite(found.estimates[0, :2]).all()
    assert np.isnan(found.estimates[0, 2])
    assert np.isfinite(found.estimates[1:, :3]).all()


def test_too_few_learners_for_any_item_is_told():
    with pytest.raises(ResponseError, match="no item could be calibrated"):
        simulate_recovery(None, count=5, learners=10, replications=2)
    assert (replicate(planned(learners=10), 0).status == ItemStatus.TOO_FEW).all()


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"design": "luck"}, SettingError, "no response design 'luck'"),
        ({"answers": 99}, SettingError, "cannot answer 99 of 12"),
        ({"design": "complete", "answers": 3}, SettingError, "leave the number of answers out"),
        ({"design": "random", "booklets": 3}, SettingError, "Booklets go with"),
        ({"booklets": 13}, SettingError, "from 2 to 12"),
        ({"replications": 0}, SettingError, "must all be positive"),
        ({"wanted": (0.0,)}, SettingError, "must all be positive"),
        ({"truth": "2PL", "model": "GRM"}, DesignError, "more than two categories, and there are none"),
        ({"truth": "5PL"}, ParameterError, "no response model '5PL'"),
        ({"competence": "1.1", "truth": "2PL"}, SettingError, "goes with made-up items"),
        ({"competence": "9.9"}, BankError, "9.9"),
        ({"estimate_loadings": True}, SettingError, "on a tree only"),
        ({"priors": ("luck",)}, DesignError, "not understood"),
        ({"skip": "luck"}, DesignError, "no policy"),
        ({"count": 0}, SettingError, "cannot be 0 items"),
    ],
)
def test_what_does_not_go_together_is_told(changes, error, words):
    with pytest.raises(error, match=words):
        simulate_recovery(None, **({"count": 12, "learners": 50, "replications": 2} | changes))


def test_nothing_is_simulated_for_a_folder_that_is_a_file(tmp_path):
    path = tmp_path / "out"
    path.write_text("mine")
    with pytest.raises(JalonError, match="is a file"):
        simulate_recovery(path, learners=10**9)
    assert path.read_text() == "mine"


def test_skips_are_simulated_and_read_by_the_policy():
    known, ignored = (
        simulate_recovery(None, count=12, learners=800, replications=3, skipping=0.5, skip=skip).summary()
        for skip in ("unknown", "ignored")
    )
    assert abs(known["bias_difficulty"]) < 0.05
    assert ignored["bias_difficulty"] < known["bias_difficulty"] - 0.1
    assert ignored["answers_per_learner"] < 0.95 * known["answers_per_learner"]
