import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from engine.adaptive import begin, step
from engine.assessment import Profile, assess
from engine.certification import CertificationDesign
from engine.errors import DesignError, JalonError
from engine.responses import NONE, NOT_REACHED
from engine.state import Facts
from engine.uniform import derive, uniform
from engine.validation import End, Outcome, Status
from itembank.certification import beginning, certification_text, load_certification
from itembank.files import shipped_bank
from itembank.snapshot import Snapshot
from simulations.behaviours import Question, reply
from simulations.certification.kinds import KINDS, Kind, kind_of, mixed, shared
from simulations.certification.profile import evidence_of, positioned
from simulations.certification.sitting import _RUN, LATER, sit
from simulations.certification.study import served_positioning, served_test, simulate_certification
from simulations.learners import Learners, draw

SHORT = replace(load_certification(), each=2, longest=12, least=1, least_answered=1, most=3)
SEED = 5


@pytest.fixture(scope="module")
def snapshot():
    return Snapshot.of(shipped_bank())


@pytest.fixture(scope="module")
def short_rules(tmp_path_factory):
    path = tmp_path_factory.mktemp("rules") / "certification.yaml"
    path.write_text(certification_text(SHORT), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def simulated(short_rules, tmp_path_factory):
    out = tmp_path_factory.mktemp("simulated") / "out"
    return simulate_certification(out, certification=short_rules, learners=120, seed=SEED), out


def kind(name: str) -> Kind:
    return next(kind for kind in KINDS if kind.name == name)


def sat(snapshot, rules, who, learners, seconds=None):
    """Return the test, the learners who are eligible, their profiles and their tests."""
    positioning, test = served_positioning(snapshot), served_test(rules, snapshot)
    test = test if seconds is None else replace(test, seconds=seconds)
    found = positioned(rules, positioning.design, positioning.table, who, learners)
    rows = np.flatnonzero(found.eligibility.eligible)
    own, profile = Learners(learners.seeds[rows], learners.abilities[rows]), found.part(rows)
    evidence = evidence_of(test.design, test.table, profile.facts)
    return test, own, profile, evidence, sit(test, who, own, profile, evidence)


# --- the mix ---


def test_a_learner_is_of_the_same_kind_whatever_the_number_of_learners():
    seeds = derive(3, np.arange(1000))
    kinds = kind_of(KINDS, seeds)
    assert np.array_equal(kinds[:100], kind_of(KINDS, seeds[:100]))
    found = np.bincount(kinds, minlength=len(KINDS)) / 1000
    expected = np.array([kind.share for kind in KINDS])
    assert np.abs(found - expected).max() < 0.05


def test_help_lifts_the_abilities_of_the_positioning_only_and_of_some_competences_only_where_it_says_so():
    seeds, abilities = derive(1, np.arange(50)), np.zeros((50, 16))
    assert (kind("honest").during_positioning(seeds, abilities) == 0).all()
    assert (kind("helped").during_positioning(seeds, abilities) == 1).all()
    lifted = kind("helped_in_some").during_positioning(seeds, abilities)
    assert (lifted.sum(axis=1) == 3).all()
    assert (lifted.sum(axis=0) > 0).all()  # other competences for other learners


def test_a_mix_is_given_by_names_and_shares():
    assert [(kind.name, kind.share) for kind in shared(["slow=1", "honest=3"])] == [("honest", 3.0), ("slow", 1.0)]


@pytest.mark.parametrize("texts", [["brave=1"], ["honest"], ["honest=much"], ["honest=-1"], ["honest=nan"], ["slow=0"]])
def test_a_mix_that_is_none_is_refused(texts):
    with pytest.raises(DesignError):
        shared(texts)
    with pytest.raises(DesignError):
        mixed({})


# --- one candidate at a time, the way the API does it ---


@pytest.mark.parametrize("name", ["honest", "slow", "skipping", "guessing"])
def test_a_batch_is_the_same_as_each_candidate_alone_through_begin_step_and_assess(snapshot, name):
    who, rules = kind(name), replace(SHORT, minutes=20.0)
    test, own, profile, evidence, batch = sat(snapshot, rules, who, draw(snapshot.framework.tree(), 6, SEED))
    codes = snapshot.framework.codes
    assert len(own) > 0
    said = assess(
        rules,
        test.design,
        test.table,
        batch.facts,
        Profile(profile.levels, profile.eligibility.certifiable, evidence),
        batch.end,
    )
    for place, seed in enumerate(own.seeds.tolist()):
        run, about = int(derive(seed, _RUN)), profile.eligibility.certifiable[place]
        seen = [snapshot.ids[row] for row in profile.items[place]]
        allowed, reserve = beginning(
            snapshot, rules, run, competences=[codes[row] for row in np.flatnonzero(about)], seen=seen
        )
        known = rules.profile_weight * evidence[place]
        state, decision = begin(test.design, test.table, uniform(run, 0), (), allowed, known, reserve)
        items, responses, seconds, end = [], [], [], None
        while not decision.done:
            row = int(decision.item)
            question = Question(
                test.table,
                np.array([seed]),
                own.abilities[place, [snapshot.competence[row]]],
                np.array([row]),
                LATER + len(items),
            )
            answer = reply(who.certification, question)
            items.append(row)
            if state.elapsed + answer.seconds[0] > test.seconds:
                responses.append(NOT_REACHED)
                seconds.append(np.nan)
                end = End.TIME
                break
            responses.append(int(answer.response[0]))
            seconds.append(float(answer.seconds[0]))
            state, decision = step(
                test.design, test.table, state, row, responses[-1], seconds[-1], uniform(run, len(items))
            )
        length = len(items)
        assert batch.facts.item[place, :length].tolist() == items
        assert (batch.facts.item[place, length:] == NONE).all()
        assert batch.facts.response[place, :length].tolist() == responses
        assert end is None or batch.end[place] == end
        alone = assess(
            rules,
            test.design,
            test.table,
            Facts(np.array(items), np.array(responses), np.array(seconds)),
            Profile(profile.levels[place], about, evidence[place]),
            int(batch.end[place]),
        )
        assert alone.validation.level.tolist() == said.validation.level[place].tolist()
        assert int(alone.outcome) == said.outcome[place]
        assert float(alone.sincerity.p) == pytest.approx(said.sincerity.p[place], abs=1e-9)


def test_the_deadline_cuts_off_the_answer_that_comes_after_it(snapshot):
    learners = draw(snapshot.framework.tree(), 30, SEED)
    *_, found = sat(snapshot, SHORT, kind("honest"), learners, seconds=200.0)
    # The table plans for two hours and the server ends after 200 seconds: everybody is cut off.
    assert (found.end == End.TIME).all()
    assert (found.seconds == 200.0).all()
    answered = np.where(found.facts.response != NOT_REACHED, found.facts.seconds, 0.0)
    assert (answered.sum(axis=1) <= 200.0).all()
    waiting = (found.facts.item != NONE) & (found.facts.response == NOT_REACHED)
    assert (waiting.sum(axis=1) == 1).all()
    assert (found.replies == (found.facts.response != NOT_REACHED).sum(axis=1)).all()


def test_a_slow_candidate_gets_fewer_items_that_fit(snapshot):
    rules = replace(SHORT, minutes=15.0)
    learners = draw(snapshot.framework.tree(), 40, SEED)
    *_, honest = sat(snapshot, rules, kind("honest"), learners)
    *_, slow = sat(snapshot, rules, kind("slow"), learners)
    assert slow.replies.mean() < 0.8 * honest.replies.mean()
    assert (slow.seconds <= 15 * 60).all()


def test_who_leaves_early_leaves_early_by_choice(snapshot):
    *_, found = sat(snapshot, SHORT, kind("leaving_early"), draw(snapshot.framework.tree(), 30, SEED))
    assert (found.end == End.CANDIDATE).all()
    assert found.replies.max() < 12


# --- figures ---


def test_levels_are_counted_as_they_are_defined(simulated):
    result, _ = simulated
    found, figures = result.found, result.summary()
    confirmed = lowered = uncertified = wrong = told = harmed = right = 0
    for row, learner in enumerate(found.sat.tolist()):
        for competence in range(16):
            certified, status = found.tests.level[row, competence], found.tests.status[row, competence]
            profile, true = found.levels[learner, competence], result.true_levels[learner, competence]
            if status == Status.NOT_EXAMINED:
                continue
            confirmed += status == Status.CONFIRMED
            lowered += status == Status.LOWERED
            uncertified += status == Status.NOT_CERTIFIED
            told += certified > 0
            wrong += certified > true and certified > 0
            right += profile <= true
            harmed += profile <= true and certified < profile
    cases = confirmed + lowered + uncertified
    assert figures["cases"] == cases
    assert figures["confirmed_rate"] == pytest.approx(confirmed / cases, abs=1e-6)
    assert figures["lowered_rate"] == pytest.approx(lowered / cases, abs=1e-6)
    assert figures["not_certified_rate"] == pytest.approx(uncertified / cases, abs=1e-6)
    assert figures["wrong_confirmation_rate"] == pytest.approx(wrong / told, abs=1e-6)
    assert figures["wrong_lowering_rate"] == pytest.approx(harmed / right, abs=1e-6)
    assert sum(row["cases"] for row in figures["by_true_level"]) == cases


def test_the_summary_holds_what_the_issue_asks_for_overall_and_by_kind(simulated):
    result, out = simulated
    summary = json.loads((out / "summary.json").read_text())
    assert summary == result.summary()
    asked_for = (
        *("confirmed_rate", "lowered_rate", "not_certified_rate", "wrong_confirmation_rate", "wrong_lowering_rate"),
        *("sincerity_detection_rate", "sincerity_false_alarm_rate", "mean_minutes", "mean_items", "max_exposure"),
        "mean_overlap",
    )
    for figures in (summary, *summary["kinds"].values()):
        assert set(asked_for) <= set(figures)
    assert summary["candidates_per_second"] > 0
    assert sum(figures["candidates"] for figures in summary["kinds"].values()) == summary["candidates"]
    assert summary["kinds"]["honest"]["sincerity_detection_rate"] is None
    assert summary["kinds"]["helped"]["sincerity_false_alarm_rate"] is None
    assert sum(summary["outcomes"].values()) == pytest.approx(1.0, abs=1e-5)


def test_the_tables_have_a_row_for_each_learner_and_each_item(simulated):
    result, out = simulated
    with (out / "learners.csv").open(encoding="utf-8") as file:
        learners = list(csv.DictReader(file))
    with (out / "items.csv").open(encoding="utf-8") as file:
        items = list(csv.DictReader(file))
    found = result.found
    assert len(learners) == 120
    assert [row for row, told in enumerate(learners) if told["eligible"] == "1"] == found.sat.tolist()
    first = int(found.sat[0])
    assert learners[first]["outcome"] == Outcome(int(found.tests.outcome[0])).name.lower()
    assert int(learners[first]["items"]) == found.tests.replies[0]
    assert int(learners[first]["true_level_1.1"]) == result.true_levels[first, 0]
    assert len(items) == len(result.test.snapshot)
    assert sum(int(row["asked"]) for row in items) == np.count_nonzero(found.tests.asked != NONE)
    report = (out / "report.html").read_text(encoding="utf-8")
    assert "By kind of learner" in report
    assert "<script" not in report


def test_figures_do_not_depend_on_the_number_of_processes(short_rules, simulated):
    result, _ = simulated
    again = simulate_certification(None, certification=short_rules, learners=120, seed=SEED, jobs=2)
    took = {"seconds", "candidates_per_second"}
    one, two = (
        {name: value for name, value in found.summary().items() if name not in took} for found in (result, again)
    )
    assert one == two
    other = simulate_certification(None, certification=short_rules, learners=120, seed=SEED + 1)
    assert other.summary()["confirmed_rate"] != one["confirmed_rate"]


def test_accessible_items_alone_are_asked_of_those_who_need_them(short_rules):
    found = simulate_certification(None, certification=short_rules, learners=40, accessible=["blind"], extra_time=1 / 3)
    asked = found.found.tests.asked[found.found.tests.asked != NONE]
    assert found.test.snapshot.allowed(["blind"])[asked].all()
    assert found.test.seconds == pytest.approx(9600.0)


def test_nobody_eligible_is_told(tmp_path):
    path = tmp_path / "certification.yaml"
    path.write_text(certification_text(CertificationDesign("strict", 1, positioned=16, reached=16, level=8)))
    with pytest.raises(JalonError, match="None of these learners is eligible"):
        simulate_certification(None, certification=path, learners=5)


def test_a_file_in_the_way_is_refused_before_the_work(tmp_path):
    path = tmp_path / "out"
    path.write_text("")
    with pytest.raises(JalonError, match="not a folder"):
        simulate_certification(path, learners=10**9)
