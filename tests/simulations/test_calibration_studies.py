"""Each study of calibration at a small size: large effects have the direction that theory gives them."""

import numpy as np
import pytest
from scipy.stats import norm

from engine.adaptive import Design
from engine.errors import DesignError
from engine.latent import Independent
from engine.parameters import ItemParameters
from engine.responses import SKIPPED
from engine.table import build_table
from simulations.behaviours import Among, Careless, Guessing, Hurrying, ModelTrue, OnItems, Question, Skipping, reply
from simulations.learners import draw, given
from simulations.recovery.administration import AtRandom, Complete
from simulations.recovery.replication import seed_of
from simulations.studies import (
    adaptive_data,
    calibration_error,
    careless_learners,
    drifted_items,
    skips_in_calibration,
    wrong_loadings,
    wrong_model,
)
from simulations.studies.calibrated import (
    ADAPTIVE,
    Case,
    asked_of,
    averaged,
    believing,
    calibrated,
    knowing_all,
    pool,
    recovered,
    repeated,
    shipped_truth,
    table_of,
    tried,
)

SEED = seed_of(1, 0)
KINDS = drifted_items.KINDS[::2]


@pytest.fixture(scope="module")
def errors_of_250():
    return calibration_error.compare(Case(pool("2PL", 120, 1), 800, 1), SEED, (250,))


def test_adaptive_tests_capitalise_on_chance(errors_of_250):
    plain = errors_of_250["250 learners"]
    assert plain["a asked"] > plain["a bank"] + 0.05
    assert plain["told/real"] < 0.95
    assert plain["rmse"] > errors_of_250["true parameters"]["rmse"]
    assert errors_of_250["true parameters"]["a asked"] == 0.0


def test_taking_parameters_as_uncertain_or_priors_make_a_test_more_honest(errors_of_250):
    plain = errors_of_250["250 learners"]["told/real"]
    assert errors_of_250["250 learners, uncertain"]["told/real"] > plain
    assert errors_of_250["250 learners, priors"]["told/real"] > plain + 0.05
    assert errors_of_250["250 learners, priors"]["a asked"] < errors_of_250["250 learners"]["a asked"] - 0.1


def test_more_learners_cost_less():
    arms = calibration_error.compare(Case(pool("2PL", 60, 1), 800, 1), SEED, (120, 2000))
    few, many = arms["120 learners"], arms["2000 learners"]
    assert many["rmse a"] < 0.5 * few["rmse a"]
    assert many["change"] < few["change"]
    assert many["told/real"] > few["told/real"]


def test_the_served_positioning_believes_in_a_calibration():
    arms = calibration_error.compare(Case(shipped_truth(), 60, 1), SEED, (120,))
    assert arms["120 learners"]["rmse"] > arms["true parameters"]["rmse"]
    assert arms["120 learners"]["a bank"] != 0.0


def test_a_slope_for_all_is_noticed_and_a_missing_guess_hardly():
    answers = wrong_model.replicate(Case(pool("2PL", 40, 1), 300, 1), SEED)
    assert answers["1PL"]["M2"] == 1.0
    assert answers["1PL"]["BIC above"] > 100
    assert answers["1PL"]["S-X2"] > answers["2PL"]["S-X2"] + 0.2
    assert answers["1PL"]["change"] > answers["2PL"]["change"] + 0.1
    guessed = wrong_model.replicate(Case(pool("3PL", 40, 1), 300, 1), SEED)
    assert guessed["2PL"]["curve"] > guessed["3PL"]["curve"]
    assert guessed["2PL"]["rmsea"] < 0.02


def test_skips_read_as_what_they_are_not_bend_difficulties():
    plain = skips_in_calibration.replicate(Case(pool("2PL", 24, 1), 200, 1), SEED)
    assert plain["half of what is not known: unknown"] == pytest.approx(
        plain["nobody skips: unknown"] | {"skipped": plain["half of what is not known: unknown"]["skipped"]}
    )
    assert plain["half of what is not known: ignored"]["bias b"] < -0.4
    assert plain["a fifth, at random: incorrect"]["bias b"] > 0.4
    assert abs(plain["a fifth, at random: ignored"]["bias b"]) < 0.1
    assert "all that is not known: ignored" not in plain


def test_skips_of_items_with_guessing_are_wrong_answers_to_a_calibration():
    guessed = skips_in_calibration.replicate(Case(pool("3PL", 24, 1), 200, 1), SEED)
    honest = guessed["nobody skips: unknown"]["rmse b"]
    assert guessed["half of what is not known: incorrect"]["rmse b"] < honest + 0.2
    assert guessed["half of what is not known: incorrect"]["bias c"] < 0.0


@pytest.fixture(scope="module")
def disturbed():
    return careless_learners.replicate(Case(pool("2PL", 40, 1), 400, 1), SEED)


def test_learners_who_guess_all_spoil_the_scores_of_the_others(disturbed):
    honest = disturbed["nobody | as they are"]
    few, many = (disturbed[f"guessing: all answers at random | {share} of the learners"] for share in ("5%", "15%"))
    assert honest["bias b"] + 0.03 < few["bias b"] < many["bias b"] - 0.05
    assert many["bias"] > honest["bias"] + 0.08
    assert many["change"] > 0.05


def test_disturbing_learners_misfit_more_often_than_others(disturbed):
    for name, figures in disturbed.items():
        if "found" in figures:
            assert figures["wrongly"] < 0.08, name
            assert figures["found"] > 2 * figures["wrongly"], name


def test_person_fit_is_nearly_standard_normal_under_the_model():
    truth = pool("2PL", 60, 1)
    responses = asked_of(truth, draw(Independent(), 4000, 5))
    fit = careless_learners.person_fit(truth.parameters, responses)
    assert abs(fit.mean()) < 0.15
    assert 0.8 < fit.std() < 1.1
    guesses = asked_of(truth, draw(Independent(), 400, 6), (ModelTrue(), Guessing(1.0)))
    assert careless_learners.person_fit(truth.parameters, guesses).mean() < -2.0


def test_person_fit_by_hand():
    """Three Rasch items: at the ability of two right answers, the reversed pattern is the unlikely one."""
    items = ItemParameters.of("1PL", np.ones(3), [-1.5, 0.0, 1.5])
    ordered, reversed_ = careless_learners.person_fit(items, np.array([[1, 1, 0], [0, 1, 1]]))
    assert ordered > 0.5
    assert reversed_ < -1.5


def test_loadings_too_high_promise_too_much_and_none_at_all_lose_precision():
    arms = wrong_loadings.compare(Case(shipped_truth(), 150, 1), SEED, ())
    assert arms["all 0.1 too high"]["told/real"] < 0.8 < arms["true loadings"]["told/real"]
    assert arms["all 0.1 too low"]["told/real"] > arms["true loadings"]["told/real"] + 0.05
    assert arms["independent"]["change"] > 0.15
    assert arms["independent"]["in 95 %"] > 0.93


def test_loadings_are_estimated_from_learners():
    truth = shipped_truth()
    responses = asked_of(truth, draw(truth.latent, 1000, 5), administration=AtRandom(48))
    few, many = (wrong_loadings.loadings_from(truth, responses[:size])[0] for size in (40, 1000))
    assert np.abs(many - 0.85).mean() < 0.08
    assert np.abs(many - 0.85).mean() < np.abs(few - 0.85).mean()


@pytest.fixture(scope="module")
def after_drift():
    return drifted_items.compare(Case(pool("2PL", 20, 1), 800, 1), SEED, KINDS, (1500,))


def test_drift_of_the_items_asked_most_moves_everybody(after_drift):
    kind = "the most discriminating, all easier"
    old, known = after_drift[f"{kind} | old parameters"], after_drift[f"{kind} | drift known"]
    assert old["bias"] > known["bias"] + 0.06
    mended = after_drift[f"{kind} | 1500 learners, curves"]
    assert abs(mended["bias"] - known["bias"]) < 0.5 * (old["bias"] - known["bias"])


def test_drift_is_found_when_there_are_learners_enough(after_drift):
    for kind in KINDS[:1]:
        for way in ("curves", "likelihood ratio"):
            figures = after_drift[f"{kind} | 1500 learners, {way}"]
            assert figures["found"] >= 2 / 3, (kind, way)
            assert figures["wrongly"] < 0.15, (kind, way)


def test_drift_moves_the_items_that_it_says():
    truth = pool("2PL", 40, 1)
    for kind, signs in zip(drifted_items.KINDS, ((4, 0), (2, 2), (0, 4)), strict=True):
        now, moved = drifted_items.drifted(truth, kind, SEED)
        shift = now.parameters.difficulty - truth.parameters.difficulty
        assert (moved == (shift != 0)).all()
        assert ((shift > 0.4).sum(), (shift < -0.4).sum()) == signs, kind
    slopes = truth.parameters.discrimination
    assert slopes[moved].min() >= slopes[~moved].max()


def test_adaptive_selection_is_ignorable_until_answers_are_dropped():
    arms = adaptive_data.selected(Case(pool("2PL", 60, 1), 100, 1), SEED)
    chosen, dropped = arms["adaptive, one of the 10 best"], arms["one of the 10 best, first 5 dropped"]
    for name in ("at random", "adaptive, one of the 10 best", "the same, provisional parameters"):
        assert arms[name]["cover a"] > 0.85, name
        assert arms[name]["cover b"] > 0.85, name
    assert dropped["bias a"] < chosen["bias a"] - 0.06
    assert arms["at random"]["enough"] == 1.0 > chosen["enough"]


def test_new_items_need_the_scale_of_the_old_ones():
    arms = adaptive_data.field_tested(Case(pool("2PL", 60, 1), 100, 1), SEED)
    held, alone = arms["with the old items held"], arms["from their own answers alone"]
    assert held["rmse a"] < alone["rmse a"]
    assert abs(arms["with the old items held, learners at +0.5"]["bias b"]) < 0.15
    assert arms["with the old items estimated, learners at +0.5"]["bias b"] < -0.35


def test_a_test_believes_in_estimates_and_learners_in_the_truth():
    truth = pool("2PL", 40, 1)
    learners = given(np.zeros(500), seed=3)
    belief = knowing_all(truth)
    harder = belief.parameters.difficulty + 1.0
    wrong = belief._replace(parameters=ItemParameters.of("2PL", belief.parameters.discrimination, harder))
    _, right = tried(truth, ADAPTIVE, belief, learners)
    _, moved = tried(truth, ADAPTIVE, wrong, learners)
    assert abs(right["bias"]) < 0.05
    assert moved["bias"] > 0.7
    assert table_of(truth, ADAPTIVE, wrong).parameters.difficulty[0] == harder[0]


def test_items_without_parameters_are_not_asked():
    truth = pool("2PL", 30, 1)
    responses = asked_of(truth, draw(Independent(), 300, 5), administration=Complete())
    responses[:, 7] = 1
    found = calibrated(truth, responses)
    belief = believing(found, len(truth))
    assert np.flatnonzero(~belief.allowed).tolist() == [7]
    result, _ = tried(truth, ADAPTIVE, belief, draw(Independent(), 50, 6))
    assert not (result.items == 7).any()
    assert (result.items == 8).any()
    gap = belief.parameters.discrimination - truth.parameters.discrimination
    assert recovered(truth, found)["bias a"] == pytest.approx(np.delete(gap, 7).mean())
    assert recovered(truth, found, [8, 9])["bias a"] == pytest.approx(gap[[8, 9]].mean())


def test_told_over_real_is_one_in_expectation():
    """Without items the posterior is the prior, its sd 1 is told, and the error of 0 is the sd of the abilities."""
    truth = pool("2PL", 30, 1)
    _, figures = tried(truth, ADAPTIVE, knowing_all(truth), draw(Design().latent, 4000, 9))
    assert figures["told/real"] == pytest.approx(1.0, abs=4 * norm.pdf(0) / np.sqrt(4000) + 0.02)


COUNT = 20_000
BOUND = 4.5 * 0.5 / np.sqrt(COUNT)


def easy_question(difficulty=-8.0, position=0):
    """Put an item that everybody knows."""
    table = build_table(ItemParameters.of("2PL", [2.0], [difficulty]), Design())
    learners = given(np.zeros(COUNT), seed=11)
    return Question(table, learners.seeds, learners.abilities[:, 0], np.zeros(COUNT, dtype=np.int64), position)


def test_haste_spoils_a_part_of_the_answers():
    right = reply((ModelTrue(), Hurrying(0.4, chance=0.25)), easy_question()).response
    assert abs(right.mean() - (0.6 + 0.4 * 0.25)) < BOUND
    never = reply((ModelTrue(), Hurrying(0.4, chance=0.25)), easy_question(8.0)).response
    assert abs(never.mean() - 0.4 * 0.25) < BOUND


def test_only_the_members_of_a_share_behave_so():
    some = Among(0.2, (Careless(1.0),))
    asked = [easy_question(position=position) for position in (0, 7)]
    members = some.members(asked[0].seed)
    assert abs(members.mean() - 0.2) < BOUND
    for question in asked:
        right = reply((ModelTrue(), some), question).response == 1
        assert (right == ~members).all()


def test_the_truth_may_be_another_than_the_table_says():
    hard = ItemParameters.of("2PL", [2.0], [8.0])
    assert (reply((ModelTrue(),), easy_question()).response == 1).all()
    assert (reply((OnItems(hard),), easy_question()).response == 0).all()
    skips = reply((OnItems(hard, (ModelTrue(), Skipping(1.0))),), easy_question()).response
    assert (skips == SKIPPED).all()


@pytest.mark.parametrize("wrong", [lambda: Hurrying(0.0), lambda: Hurrying(0.5, chance=2.0), lambda: Among(1.1, ())])
def test_shares_that_are_none_are_refused(wrong):
    with pytest.raises(DesignError, match="share of"):
        wrong()


def _count(case, seed):
    return {"one": {"rmse": float(case.learners), "change": float(seed % 7)}}


def test_replications_are_the_same_in_any_number_of_processes():
    case = Case(pool("2PL", 5, 1), 10, 1)
    one, two = (repeated(_count, case, 4, jobs, "group") for jobs in (1, 2))
    assert [row.figures for row in one] == [row.figures for row in two]
    seeds = np.array([seed_of(1, r) % 7 for r in range(4)], dtype=float)
    assert one[0].figures["± change"] == pytest.approx(seeds.std(ddof=1) / 2)
    assert averaged([{"change": 2.0}], ("change",)) == {"change": 2.0}
