"""A session is held when it is planned: no test starts much earlier or later, and the proof looks."""

from collections.abc import Callable
from typing import Any

import pytest

from api.certification.repository import change_session
from tests.certification.decided import certified, proof, tamper
from tests.certification.school import School
from tests.certification.seats import Room

Check = Callable[..., Any]


def test_no_test_starts_long_before_the_hour_or_after_it(room: Room, problem: Check) -> None:
    with room.database.writing() as connection:
        change_session(connection, room.session.id, {"time": "10:01"})  # it is nine
    device = room.enter()
    problem(room.act("authorise"), 409, "not-now", "10:01", "more than 60 minutes before")
    room.clock.move(minutes=1)
    room.acted("authorise")
    room.clock.move(hours=9, seconds=1)  # eight hours and a second after
    problem(room.act("authorise"), 409, "not-now", "more than 480 minutes after", "plan another")
    room.clock.move(seconds=-1)
    room.acted("authorise")
    room.clock.move(seconds=1)
    problem(device.call("start"), 409, "not-now", "more than 480 minutes after")


def test_a_session_that_is_over_is_not_opened(school: School, problem: Check) -> None:
    session = school.session()
    school.enrol(session, school.learner())
    path = f"/v1/sessions/{session['id']}/open"
    school.world.clock.move(hours=9, seconds=1)  # it was eight, the session is at nine
    found = problem(school.call("POST", path), 409, "not-now", "more than 480 minutes after", "plan another")
    assert found["reason"] == "too-late"
    school.world.clock.move(seconds=-1)
    assert school.done("POST", path)["state"] == "open"


def test_a_test_that_has_started_goes_on_at_any_hour(room: Room) -> None:
    room.clock.move(hours=8)
    device = room.begin()
    room.acted("pause")
    room.clock.move(hours=12)
    room.acted("resume")
    device.answer()
    assert room.facts()[-1].kind == "asked"


@pytest.mark.parametrize(("day", "words"), [("2099-01-11", "too far ahead"), ("2029-01-11", "too far ahead")])
def test_a_session_is_planned_two_years_ahead_at_most(school: School, problem: Check, day: str, words: str) -> None:
    body: Any = {"date": day, "time": "09:00", "place": "Tours", "room": "B 12"}
    path = f"/v1/organisations/{school.organisation['id']}/sessions"
    problem(school.call("POST", path, json=body), 422, "invalid-request", words)
    assert school.done("POST", path, json=body | {"date": "2029-01-10"})["date"] == "2029-01-10"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("date = '2027-01-12'", "where its facts say 2027-01-11"),
        ("time = '10:00'", "where its facts say 09:00"),
        ("zone = 'Asia/Tokyo'", "where its facts say Europe/Paris"),
    ],
)
def test_the_proof_finds_another_hour(school: School, change: str, words: str) -> None:
    _, result, _ = certified(school)
    assert proof(school, result["run_id"]).ok
    tamper(school, f"UPDATE sessions SET {change}")
    found = proof(school, result["run_id"])
    assert not found.ok
    assert words in str(found.difference)


@pytest.mark.parametrize(
    ("told", "words"), [("2027-01-12", "planned for 2027-01-12T08:00"), ("2026-11-12", "on which the rules allow none")]
)
def test_the_proof_finds_a_test_on_another_day_than_planned(school: School, told: str, words: str) -> None:
    _, result, _ = certified(school)
    tamper(
        school,
        f"UPDATE sessions SET date = '{told}'",
        f"UPDATE session_facts SET data = replace(data, '2027-01-11', '{told}') WHERE kind = 'created'",
    )
    found = proof(school, result["run_id"])
    assert not found.ok
    assert ("planned for" in str(found.difference)) or (words in str(found.difference))
