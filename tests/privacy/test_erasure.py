"""What erasure must not break, and must not leave."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from api.organisations.tables import learner_import_rows, learner_imports
from api.privacy.local import apply_retention
from tests.campaigns.classroom import Classroom
from tests.certification.conftest import school as school
from tests.certification.decided import certified, finalised, proof, published, results, seated
from tests.certification.school import School
from tests.organisations.fregata import fregata_rows, written
from tests.organisations.test_imports import imported

Check = Callable[..., Any]


def erase(school: School, learner_id: str) -> Any:
    return school.call("DELETE", f"/v1/learners/{learner_id}", school.platform)


def test_nobody_is_erased_before_the_outcome_is_published(school: School, problem: Check) -> None:
    session, (candidate,) = school.open_session()
    sitting = seated(school, session, candidate)
    assert problem(erase(school, candidate["learner_id"]), 409, "not-now")["reason"] == "enrolled"
    sitting.answer(level=4)
    finalised(school, session)  # the certificate would be nobody's
    assert problem(erase(school, candidate["learner_id"]), 409, "not-now")["reason"] == "enrolled"


def test_a_certification_is_proved_after_its_candidate_was_erased(school: School, problem: Check) -> None:
    session = school.session()
    candidate = school.enrol(session, extra_time=33.0, equipment="A large screen")
    sitting = seated(school, school.opened(session), candidate)
    sitting.answer(level=4)
    finalised(school, session)
    path = f"/v1/sessions/{session['id']}/candidates/{candidate['id']}"
    (result,) = results(school, session)
    if result["outcome"] == "to_review":
        school.done("POST", f"{path}/review", json={"outcome": "validated", "why": "We know the candidate."})
    published(school, session)
    run_id = school.done("GET", path)["run_id"]
    assert proof(school, run_id).ok
    assert erase(school, candidate["learner_id"]).status_code == 204
    told = proof(school, run_id)
    assert told.ok, told.difference
    (result,) = results(school, session)
    held = school.done("GET", f"/v1/certificates/{result['certificates'][-1]['id']}")
    assert (held["status"], held["revoked_why"]) == ("revoked", "The learner was erased.")
    assert (held["holder"]["first_name"], held["holder"]["last_name"]) == ("", "")
    again = problem(school.call("POST", f"{path}/rescore", json={"why": "A new calibration."}), 409, "not-now")
    assert "erased" in again["detail"]  # nobody would hold the new certificate


def test_who_is_enrolled_in_a_cancelled_session_is_erased(school: School) -> None:
    session = school.session()
    candidate = school.enrol(session)
    school.done("POST", f"/v1/sessions/{session['id']}/cancel", json={"why": "The room is flooded."})
    assert erase(school, candidate["learner_id"]).status_code == 204
    shown = school.done("GET", f"/v1/sessions/{session['id']}/candidates/{candidate['id']}")
    assert (shown["first_name"], shown["last_name"]) == ("", "")


def test_organisations_note_that_they_gave_and_erased_somebody(classroom: Classroom) -> None:
    pupil = classroom.pupils[0]
    organisation = f"/v1/organisations/{classroom.organisation['id']}"
    classroom.done("GET", f"{organisation}/learners/{pupil.id}/data")
    assert erase(classroom, pupil.learner_id).status_code == 204
    kinds = [deed["kind"] for deed in classroom.done("GET", f"{organisation}/audit")["items"]]
    assert kinds[:2] == ["learner_erased", "learner_exported"]
    assert pupil.last_name not in json.dumps(classroom.done("GET", f"{organisation}/audit"))


@pytest.mark.parametrize("way", ["erased", "expired"])
def test_no_list_names_somebody_for_ever(classroom: Classroom, way: str) -> None:
    row = next(iter(fregata_rows(1)))
    imported(classroom, written([row]))
    people = classroom.done("GET", f"/v1/organisations/{classroom.organisation['id']}/learners")["items"]
    one = next(person for person in people if person["ine"])
    context = classroom.world.context

    def kept() -> str:
        with context.database.reading() as connection:
            rows = connection.execute(select(learner_import_rows)).all()
            return str(rows) + str(connection.execute(select(learner_imports)).all())

    assert one["last_name"] in kept()
    if way == "erased":
        assert erase(classroom, one["learner_id"]).status_code == 204
    else:
        apply_retention(context.database, context.settings, context.clock() + timedelta(days=2))
    assert one["last_name"] not in kept()


def test_an_account_with_a_certificate_in_force_is_kept(school: School) -> None:
    certified(school)
    context = school.world.context
    early = context.settings.model_copy(update={"keep_learners_days": 30, "keep_registrations_days": 30})
    with school.ago(days=-1):
        people = school.done("GET", f"/v1/organisations/{school.organisation['id']}/learners")["items"]
        for one in people:
            path = f"/v1/organisations/{school.organisation['id']}/learners/{one['id']}"
            school.done("PATCH", path, json={"active": False})
    today = context.clock()
    assert apply_retention(context.database, early, today + timedelta(days=400), dry_run=True).learners == 0
    assert apply_retention(context.database, early, today + timedelta(days=3 * 366), dry_run=True).learners == 1
