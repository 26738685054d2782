from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from api.certification.eligibility import LearnerProfile, profile_for, year_began_at
from engine.profile import Knowledge
from itembank.certification import load_certification
from tests.certification.school import MONDAY, SIX, School

Check = Callable[..., Any]
RULES = load_certification()


def profile(school: School, learner_id: str, at: datetime = MONDAY, **changes: Any) -> LearnerProfile:
    context = school.world.context
    with context.database.reading() as connection:
        return profile_for(connection, context, learner_id, replace(RULES, **changes), at)


def new_learner(school: School) -> str:
    learner_id: str = school.listed()
    return learner_id


def test_who_was_positioned_on_six_competences_is_eligible_for_these(school: School) -> None:
    learner_id = school.learner()
    told = school.done("GET", f"/v1/learners/{learner_id}/eligibility")
    assert told["eligible"]
    assert (told["lacks_positioned"], told["lacks_reached"], told["below"]) == (0, 0, [])
    assert told["certifiable"] == told["measured"] == list(SIX)
    assert sorted(told["unmeasured"] + told["measured"]) == sorted(school.world.context.served.framework.codes)
    assert all(code in told["words"][locale] for locale in ("fr", "en") for code in SIX)


def test_who_never_was_is_told_what_is_missing(school: School) -> None:
    told = school.done("GET", f"/v1/learners/{new_learner(school)}/eligibility")
    assert not told["eligible"]
    assert (told["run_id"], told["finished_at"], told["measured"]) == (None, None, [])
    assert (told["lacks_positioned"], told["lacks_reached"]) == (RULES.positioned, RULES.reached)
    for locale in ("fr", "en"):
        assert all(code in told["words"][locale] for code in told["unmeasured"])


def test_who_lacks_one_competence_or_one_level_is_told_which(school: School) -> None:
    four = school.learner(competences=SIX[:4])
    told = school.done("GET", f"/v1/learners/{four}/eligibility")
    assert not told["eligible"]
    assert told["lacks_positioned"] == 1
    assert told["measured"] == list(SIX[:4])
    assert "4.1" in told["words"]["fr"]
    low = school.learner(level=0)
    told = profile(school, low)
    assert not told.eligible
    assert set(told.below) | set(told.certifiable) == set(told.measured)
    assert told.below
    assert all(code in told.words["en"] for code in told.below)


def test_a_run_that_is_not_finished_says_nothing(school: School) -> None:
    learner_id = new_learner(school)
    body = {"learner_id": learner_id, "competences": list(SIX)}
    school.as_platform("POST", "/v1/runs", json=body)
    assert profile(school, learner_id).run_id is None


def test_the_profile_is_that_of_the_last_positioning_with_what_it_took_over(school: School) -> None:
    learner_id = school.learner()
    (before,) = profile(school, learner_id).earlier
    run = school.position(learner_id, level=6, competences=SIX[:2], length=12)
    found = profile(school, learner_id)
    shown = {entry["competence"]: entry for entry in run["result"]}
    codes = school.world.context.served.framework.codes
    assert found.run_id == run["id"]
    assert found.earlier[0] == (run["id"], 1.0)
    assert [run_id for run_id, _ in found.earlier[1:]] == [before[0]]
    assert 0 < found.earlier[1][1] < 1
    assert found.levels == tuple(shown[code]["level"] or 0 for code in codes)
    assert found.knowledge == tuple(int(Knowledge[shown[code]["state"].upper()]) for code in codes)
    assert found.pinned() == {
        "run_id": run["id"],
        "earlier": [list(pair) for pair in found.earlier],
        "levels": list(found.levels),
        "certifiable": list(found.certifiable),
        "knowledge": list(found.knowledge),
    }


def test_what_was_measured_in_the_last_school_year_does_not_count(school: School) -> None:
    learner_id = school.learner()
    assert profile(school, learner_id).eligible
    later = profile(school, learner_id, datetime(2027, 9, 15, tzinfo=UTC))
    assert not later.eligible
    assert later.measured == ()
    assert Knowledge.MEASURED not in later.knowledge
    assert profile(school, learner_id, datetime(2027, 9, 15, tzinfo=UTC), school_year="01-08").eligible is True
    assert profile(school, learner_id, datetime(2027, 9, 15, tzinfo=UTC), school_year="01-09").eligible is False


@pytest.mark.parametrize(
    ("at", "zone", "began"),
    [
        ("2027-01-11T08:00", "Europe/Paris", "2026-08-31T22:00"),
        ("2026-08-31T21:59", "Europe/Paris", "2025-08-31T22:00"),
        ("2026-08-31T22:00", "Europe/Paris", "2026-08-31T22:00"),
        ("2026-08-31T22:00", "Pacific/Noumea", "2026-08-31T13:00"),
        ("2026-09-01T02:00", "America/Martinique", "2025-09-01T04:00"),
    ],
)
def test_the_school_year_begins_at_midnight_of_the_place(at: str, zone: str, began: str) -> None:
    moment, expected = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (at, began))
    assert year_began_at(RULES, moment, zone) == expected


def test_what_was_seen_in_the_last_runs_is_known(school: School) -> None:
    learner_id = new_learner(school)
    asked = []
    for competence in SIX[:4]:
        before = set(profile(school, learner_id, seen_runs=100).seen)
        school.position(learner_id, competences=[competence], length=6)
        asked.append(set(profile(school, learner_id, seen_runs=100).seen) - before)
        school.world.clock.move(hours=1)
    assert [len(items) for items in asked] == [6] * 4
    assert profile(school, learner_id, seen_runs=0).seen == ()
    assert set(profile(school, learner_id, seen_runs=2).seen) == asked[2] | asked[3]
    body = {"learner_id": learner_id, "competences": ["4.1"]}
    pending = [school.as_platform("POST", "/v1/runs", json=body)["pending"]["item"]["id"] for _ in range(3)]
    assert set(profile(school, learner_id, seen_runs=2).seen) == asked[2] | asked[3] | set(pending)


def test_learners_of_others_are_unknown(school: School, problem: Check) -> None:
    learner_id = new_learner(school)
    path = f"/v1/learners/{learner_id}/eligibility"
    assert school.call("GET", path, school.platform).status_code == 200
    problem(school.call("GET", path, school.world.another_platform()), 404, "unknown-learner")
    problem(school.call("GET", path, school.invigilator.token), 403, "not-allowed")
    problem(school.call("GET", "/v1/learners/nobody/eligibility"), 404, "unknown-learner")
