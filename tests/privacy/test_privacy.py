import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from api.campaigns.tables import participations
from api.organisations.tables import accesses, deeds, identities, registrations
from api.privacy.local import apply_retention, export_learner, forget_learner
from api.privacy.repository import everything
from api.privacy.service import plain
from api.runs.replay import prove
from engine.errors import SettingError
from tests.campaigns.classroom import Classroom
from tests.organisations.fregata import fregata_rows, written
from tests.organisations.test_imports import imported

Check = Callable[..., Any]


def named(classroom: Classroom) -> tuple[Any, str, Any]:
    """A learner from a file who sent something; their registration, account and what was sent."""
    row = next(iter(fregata_rows(1)))
    imported(classroom, written([row]))
    path = f"/v1/organisations/{classroom.organisation['id']}/learners"
    one = next(person for person in classroom.done("GET", path)["items"] if person["ine"])
    campaign = classroom.campaign()
    who = {"first_name": one["first_name"], "last_name": one["last_name"], "birth_date": one["birth_date"]}
    body = {"code": campaign["access_code"]} | who
    entered = classroom.world.client.post("/v1/participations", json=body).json()
    classroom.took(entered)
    return one, one["learner_id"], classroom.done("POST", f"/v1/participations/{entered['id']}/send", entered["token"])


def test_everything_about_a_learner_is_given_and_opens_no_door(classroom: Classroom) -> None:
    one, learner_id, sent = named(classroom)
    classroom.done("GET", f"/v1/participations/{sent['id']}/result", classroom.teacher.token)
    told = classroom.as_platform("GET", f"/v1/learners/{learner_id}/data")
    assert told["registrations"][0]["ine"] == one["ine"]
    assert told["participations"][0]["snapshot"] == sent["snapshot"]
    assert len(told["facts"]) == 9  # four questions with their replies, and the end
    assert [access["what"] for access in told["accesses"]] == ["result"]
    text = json.dumps(told)
    for door in ("token_hash", "access_code", sent["run_id"] and "jlt_"):
        assert door not in text
    log = classroom.as_platform("GET", f"/v1/learners/{learner_id}/accesses")["items"]
    assert [(one["what"], one["who"].partition(":")[0]) for one in log] == [("data", "platform"), ("result", "member")]
    with classroom.world.context.database.reading() as connection:
        assert export_learner(classroom.world.context.database, learner_id)["registrations"] == told["registrations"]
        assert plain(everything(connection, learner_id))["runs"] == told["runs"]


def test_an_organisation_gives_what_it_holds_alone(classroom: Classroom, problem: Check) -> None:
    one, learner_id, _ = named(classroom)
    classroom.position(learner_id, competences=["1.1"])
    path = f"/v1/organisations/{classroom.organisation['id']}/learners/{one['id']}/data"
    told = classroom.done("GET", path)
    assert set(told) == {"registrations", "participations", "accesses"}
    assert len(told["participations"]) == 1
    problem(classroom.call("GET", path, classroom.teacher.token), 403, "not-allowed")


def test_erasing_keeps_the_statistics_and_leads_to_nobody(classroom: Classroom, problem: Check) -> None:
    one, learner_id, sent = named(classroom)
    campaign = sent["campaign"]["title"]
    path = f"/v1/campaigns/{_campaign_of(classroom, campaign)}"
    before = classroom.done("GET", f"{path}/results", classroom.teacher.token)
    token = classroom.as_platform("GET", f"/v1/runs/{sent['run_id']}")
    assert classroom.call("DELETE", f"/v1/learners/{learner_id}", classroom.platform).status_code == 204
    assert classroom.done("GET", f"{path}/results", classroom.teacher.token) == before
    everything_left = json.dumps(classroom.as_platform("GET", f"/v1/learners/{learner_id}/data"))
    for personal in (one["ine"], one["last_name"], one["birth_date"]):
        assert personal not in everything_left
    database = classroom.world.context.database
    with database.reading() as connection:
        for table in (registrations, identities):
            assert connection.scalar(select(func.count()).where(table.c.learner_id == learner_id)) == 0
    proof = prove(database, sent["run_id"])
    assert proof.ok, proof.difference
    code = token["access_code"]
    assert classroom.as_platform("GET", f"/v1/runs/{sent['run_id']}")["access_code"] != code
    row = next(iter(fregata_rows(1)))
    imported(classroom, written([row]))  # somebody with the INE of one who was erased is somebody new
    listed = classroom.done("GET", f"/v1/organisations/{classroom.organisation['id']}/learners")["items"]
    assert learner_id not in {person["learner_id"] for person in listed}


def _campaign_of(classroom: Classroom, title: str) -> str:
    path = f"/v1/organisations/{classroom.organisation['id']}/campaigns"
    found: str = next(one for one in classroom.done("GET", path)["items"] if one["title"] == title)["id"]
    return found


def test_a_candidate_is_not_erased_before_their_test_is_over(classroom: Classroom, problem: Check) -> None:
    learner_id = classroom.pupils[0].learner_id
    with classroom.ago(days=3):
        classroom.position(learner_id, 4, ("1.1", "1.2", "2.1", "3.1", "4.1", "5.1"), 54)
    session = classroom.session(date="2027-01-11")
    classroom.enrol(session, learner_id)
    told = problem(classroom.call("DELETE", f"/v1/learners/{learner_id}", classroom.platform), 409, "not-now")
    assert told["reason"] == "enrolled"
    with pytest.raises(SettingError, match="enrolled in a session"):
        forget_learner(classroom.world.context.database, learner_id)
    with pytest.raises(SettingError, match="There is no learner"):
        forget_learner(classroom.world.context.database, "nobody")


def test_what_was_kept_long_enough_is_forgotten(classroom: Classroom) -> None:
    one, learner_id, sent = named(classroom)
    classroom.done("GET", f"/v1/participations/{sent['id']}/result", classroom.teacher.token)
    path = f"/v1/organisations/{classroom.organisation['id']}/learners/{one['id']}"
    classroom.done("PATCH", path, json={"active": False})
    context = classroom.world.context
    today = context.clock()

    def counts(days: float, dry_run: bool = True) -> dict[str, int]:
        found = apply_retention(context.database, context.settings, today + timedelta(days=days), dry_run)
        return {name: count for name, count in found.told().items() if count}

    assert counts(1) == {}
    assert set(counts(366)) == {"accesses"}
    assert counts(731)["registrations"] == 1
    assert counts(365 + 1_096)["participations"] == 1
    assert counts(1_826)["learners"] == 1
    with context.database.reading() as connection:  # nothing was forgotten yet
        assert connection.scalar(select(func.count()).select_from(accesses)) == 1
    done = counts(2_500, dry_run=False)
    assert done["deeds"] > 0
    assert counts(2_500) == {}
    with context.database.reading() as connection:
        assert set(connection.scalars(select(deeds.c.kind))) == {"learner_erased"}  # just now
        row = connection.execute(select(participations)).one()
        assert (row.last_name, row.registration_id) == ("", None)
        assert row.snapshot == sent["snapshot"]
        assert connection.scalar(select(func.count()).where(registrations.c.learner_id == learner_id)) == 0
