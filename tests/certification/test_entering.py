"""Coming in and starting: who is let in, and from when on the clock runs."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.certification.repository import change_candidate, change_session
from tests.certification.seats import Room

Check = Callable[..., Any]


def kinds(room: Room) -> list[str]:
    return [event.kind for event in room.events()]


@pytest.mark.parametrize(
    "typed",
    [
        {"first_name": "chloe"},
        {"first_name": "  CHLOÉ "},
        {"last_name": "LE  GOFF 0"},
        {"last_name": "Le-Goff 0"},
        {"first_name": "Chloe\u0301"},
    ],
)
def test_names_are_compared_as_people_write_them(room: Room, typed: dict[str, str]) -> None:
    assert room.entry(room.candidates[0], **typed).status_code == 201


def test_whatever_does_not_match_is_refused_alike(room: Room, problem: Check) -> None:
    wrong: list[dict[str, str]] = [
        {"code": "2346789BC"},
        {"code": "nonsense"},
        {"first_name": "Zoé"},
        {"last_name": "Goff"},
        {"birth_date": "2009-05-18"},
        {"code": "2346789BC", "first_name": "Zoé"},
    ]
    answers = [room.entry(room.candidates[0], **one) for one in wrong]
    for answer in answers:
        problem(answer, 404, "unknown-candidate", "invigilator")
    assert len({answer.text for answer in answers}) == 1
    assert kinds(room) == ["enrolled"]


def test_two_people_of_one_name_and_birthday_are_not_told_apart(room: Room) -> None:
    room.enrol(last_name=room.candidates[0].last_name)
    assert room.entry(room.candidates[0]).status_code == 404


def test_entries_are_counted(settings: Any, problem: Check) -> None:
    with TestClient(create_app(settings.model_copy(update={"entry_rate": "3/minute"}))) as client:
        body = {"code": "2346789BC", "first_name": "A", "last_name": "B", "birth_date": "2009-01-01"}
        answers = [client.post("/v1/session-entries", json=body) for _ in range(4)]
        staff = client.post("/team", data={"token": "jmt_forged"}, headers={"Origin": "http://testserver"})
    assert [answer.status_code for answer in answers] == [404, 404, 404, 429]
    problem(answers[-1], 429, "too-many-requests")
    assert staff.status_code == 403  # one door that is shut does not shut another


@pytest.mark.parametrize("state", ["draft", "finalised", "published", "cancelled"])
def test_nobody_comes_in_or_starts_unless_the_session_is_open(room: Room, problem: Check, state: str) -> None:
    device = room.enter()
    room.acted("authorise")
    with room.database.writing() as connection:
        change_session(connection, room.session.id, {"state": state})
    for answer in (room.entry(room.candidates[0]), device.call("start"), device.call("return"), room.act("authorise")):
        problem(answer, 409, "not-now", state)


def test_the_test_does_not_start_without_the_invigilator(room: Room, problem: Check) -> None:
    device = room.enter()
    problem(device.call("start"), 409, "not-now", "not authorised")
    pending = {"position": 0, "item": {"id": "crcn-1.1-01", "kind": "number"}}
    problem(device.reply(pending), 409, "not-now")
    problem(device.call("end", confirm=True), 409, "not-now")
    room.acted("authorise")
    room.clock.move(minutes=15)
    assert device.see()["to_do"] == "wait"
    problem(device.call("start"), 409, "not-now", "lapsed")
    room.acted("authorise")
    room.clock.move(minutes=15, microseconds=-1)
    assert device.do("start")["phase"] == "running"


def test_nobody_is_authorised_who_does_not_wait(room: Room, problem: Check) -> None:
    problem(room.act("authorise"), 409, "not-now", "Nobody waits")
    room.enter()
    problem(room.act("authorise", device="2222"), 409, "not-now", "Another device")


def test_who_is_not_eligible_any_more_is_told_which_competences_lack(room: Room, problem: Check) -> None:
    learner = room.world.learner()["id"]
    with room.database.writing() as connection:
        change_candidate(connection, room.candidates[0].id, {"learner_id": learner})
    device = room.enter()
    room.acted("authorise")
    told = problem(device.call("start"), 422, "not-eligible")
    assert set(told["words"]) == {"fr", "en"}
    assert room.state().phase == "enrolled"


def test_a_start_sent_again_changes_nothing(room: Room) -> None:
    device = room.begin()
    first = device.see()
    room.clock.move(seconds=5)
    again = device.do("start")
    assert again["pending"] == first["pending"]
    assert again["clock"]["started_at"] == first["clock"]["started_at"]
    assert kinds(room) == ["enrolled", "arrived", "authorised", "started"]
