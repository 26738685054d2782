import threading
from collections.abc import Callable
from typing import Any

import pytest

from api.certification.happening import standing
from api.certification.repository import candidate_events
from api.certification.states import Event, Phase
from api.identifiers import written_access_code
from tests.certification.school import School

Check = Callable[..., Any]


def path_of(session: Any, candidate: Any = None) -> str:
    return f"/v1/sessions/{session['id']}/candidates" + ("" if candidate is None else f"/{candidate['id']}")


def events(school: School, candidate: Any) -> list[Event]:
    with school.world.context.database.reading() as connection:
        return candidate_events(connection, candidate["id"])


def body(learner_id: str | None = None, **more: Any) -> dict[str, Any]:
    named = {} if learner_id is None else {"learner_id": learner_id}
    return named | {"first_name": "Camille", "last_name": "Martin", "birth_date": "2009-05-17"} | more


def test_an_eligible_learner_is_enrolled_with_their_accommodations(school: School) -> None:
    session = school.session()
    candidate = school.enrol(
        session, first_name="  Chloé ", extra_time=33.3, accessible=["deaf", "blind"], equipment="Plage braille"
    )
    assert candidate["first_name"] == "Chloé"
    assert candidate["accessible"] == ["blind", "deaf"]
    assert candidate["minutes"] == pytest.approx(120 * 1.333)
    assert (candidate["state"], candidate["version"], candidate["run_id"]) == ("enrolled", 1, None)
    assert school.done("GET", path_of(session, candidate), school.invigilator.token) == candidate
    (enrolled,) = events(school, candidate)
    assert (enrolled.kind, enrolled.who) == ("enrolled", f"member:{school.admin.id}")
    assert enrolled.data == {
        "extra_time": 33.3,
        "accessible": ["blind", "deaf"],
        "equipment": "Plage braille",
        "locale": "fr",
    }


def test_who_is_not_eligible_is_refused_in_words(school: School, problem: Check) -> None:
    learner_id = school.listed()
    response = school.call("POST", path_of(school.session()), json=body(learner_id))
    found = problem(response, 422, "not-eligible", "1.1", "5.2")
    assert found["detail"] == found["words"]["en"]
    assert "positionnement" in found["words"]["fr"]
    assert "1.1" in found["unmeasured"]
    assert found["lacks_positioned"] == 5


def test_a_learner_of_no_platform_is_named_by_their_code(school: School, problem: Check) -> None:
    session = school.session()
    learner_id = school.learner()
    (run,) = school.as_platform("GET", f"/v1/learners/{learner_id}/runs")["items"]
    typed = written_access_code(run["access_code"]).lower()
    made = school.done("POST", path_of(session), json=body(code=typed))
    assert made["learner_id"] == learner_id
    for code in ("BCDFGHJKM", "?", "1"):
        problem(school.call("POST", path_of(session), json=body(code=code)), 404, "unknown-code")
    other = school.world.another_platform()
    theirs = school.done("POST", "/v1/learners", other, json={})["id"]
    run = school.done("POST", "/v1/runs", other, json={"learner_id": theirs})
    problem(school.call("POST", path_of(session), json=body(code=run["access_code"])), 404, "unknown-code")
    problem(school.call("POST", path_of(session), json=body(theirs)), 404, "unknown-learner")


def test_one_name_for_the_learner_is_enough(school: School, problem: Check) -> None:
    path = path_of(school.session())
    problem(school.call("POST", path, json=body()), 422, "invalid-request", "learner_id")
    problem(school.call("POST", path, json=body("x", code="BCDFGHJKM")), 422, "invalid-request", "learner_id")


@pytest.mark.parametrize(
    "change",
    [
        {"birth_date": "2009-02-30"},
        {"birth_date": "2027-01-11"},
        {"birth_date": "1899-12-31"},
        {"birth_date": "17/05/2009"},
        {"first_name": ""},
        {"last_name": "\x00"},
        {"last_name": "a" * 256},
        {"extra_time": -1},
        {"extra_time": 201},
        {"extra_time": "33"},
        {"accessible": ["braille"]},
        {"equipment": "x" * 2001},
        {"locale": "fra"},
        {"locale": "xx"},
        {"more": 1},
    ],
)
def test_a_candidate_who_cannot_be(school: School, problem: Check, change: dict[str, Any]) -> None:
    learner_id = school.listed()
    response = school.call("POST", path_of(school.session()), json=body(learner_id) | change)
    kind = "not-eligible" if change == {"locale": "xx"} else "invalid-request"
    problem(response, 422, kind)


def test_a_language_that_the_bank_has_not(school: School, problem: Check) -> None:
    response = school.call("POST", path_of(school.session()), json=body(school.learner(), locale="xx"))
    problem(response, 422, "invalid-request", "'xx'")


def test_nobody_sits_twice(school: School, problem: Check) -> None:
    first, second = school.session(), school.session()
    candidate = school.enrol(first)
    again = body(candidate["learner_id"])
    problem(school.call("POST", path_of(first), json=again), 409, "not-now", "this session")
    problem(school.call("POST", path_of(second), json=again), 409, "not-now", "another session")
    school.call("DELETE", path_of(first, candidate), params={"why": "Malade"})
    assert school.enrol(second, candidate["learner_id"])["state"] == "enrolled"
    problem(school.call("POST", path_of(first), json=again), 409, "not-now", "another session")


def test_twenty_requests_at_once_enrol_a_learner_once(school: School) -> None:
    first, second = school.session(), school.session()
    learner_id = school.learner()
    statuses: list[int] = []

    def enrol(session: Any) -> None:
        statuses.append(school.call("POST", path_of(session), json=body(learner_id)).status_code)

    threads = [threading.Thread(target=enrol, args=(one,)) for _ in range(10) for one in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201] + [409] * 19


def test_a_request_sent_again_with_its_key_enrols_once(school: School, problem: Check) -> None:
    session, key = school.session(), {"Idempotency-Key": "once"}
    learner_id = school.learner()
    made = [school.done("POST", path_of(session), json=body(learner_id), headers=key) for _ in range(2)]
    assert made[0] == made[1]
    other = body(learner_id, first_name="Alix")
    problem(school.call("POST", path_of(session), json=other, headers=key), 409, "idempotency-key-reused")


def test_who_was_taken_off_the_list_may_come_back(school: School) -> None:
    session = school.session()
    candidate = school.enrol(session, extra_time=33)
    for _ in range(2):
        assert school.call("DELETE", path_of(session, candidate), params={"why": "Absent"}).status_code == 204
    assert school.done("GET", f"/v1/sessions/{session['id']}")["candidates"] == 0
    again = school.enrol(session, candidate["learner_id"], last_name="Durand", accessible=["deaf"])
    assert again["id"] == candidate["id"]
    assert (again["last_name"], again["extra_time"], again["accessible"]) == ("Durand", 0.0, ["deaf"])
    assert [(event.kind, event.why) for event in events(school, again)] == [
        ("enrolled", None),
        ("removed", "Absent"),
        ("enrolled", None),
    ]
    with school.world.context.database.reading() as connection:
        now = standing(connection, again["id"])
    assert (now.state.phase, now.candidate.version) == (Phase.ENROLLED, 3)


def test_accommodations_change_until_the_test_begins(school: School, problem: Check) -> None:
    session = school.session()
    candidate = school.enrol(session)
    change = {"last_name": "Durand", "extra_time": 50, "accessible": ["blind"], "equipment": "Écran large"}
    changed = school.done("PATCH", path_of(session, candidate), json=change)
    assert changed == candidate | change | {"minutes": 180, "version": 2}
    last = events(school, changed)[-1]
    assert last.data["changed"] == sorted(change)
    assert "Durand" not in str(last.data)  # facts are kept for ever; names are not
    assert school.done("PATCH", path_of(session, candidate), json={}) == changed
    problem(
        school.call("PATCH", path_of(session, candidate), json={"birth_date": "2027-02-01"}), 422, "invalid-request"
    )
    problem(school.call("PATCH", path_of(session, candidate), json={"locale": "xx"}), 422, "invalid-request")
    problem(school.call("PATCH", path_of(session, {"id": "x"}), json=change), 404, "unknown-candidate")
    other = school.session()
    problem(school.call("PATCH", path_of(other, candidate), json=change), 404, "unknown-candidate")


def test_a_list_that_is_closed_changes_no_more(school: School, problem: Check) -> None:
    session, (candidate,) = school.open_session()
    late = school.enrol(session, last_name="Tard")  # somebody may still come to an open session
    assert late["state"] == "enrolled"
    school.done("POST", f"/v1/sessions/{session['id']}/cancel", json={"why": "Grève"})
    problem(school.call("POST", path_of(session), json=body(candidate["learner_id"])), 409, "not-now", "cancelled")
    problem(school.call("PATCH", path_of(session, candidate), json={"extra_time": 33}), 409, "not-now", "cancelled")


def test_candidates_are_listed_by_name_page_by_page(school: School) -> None:
    session = school.session()
    for name in ("Zola", "aragon", "Élu"):
        school.enrol(session, last_name=name)
    first = school.done("GET", path_of(session) + "?limit=2", school.invigilator.token)
    rest = school.done("GET", path_of(session) + f"?limit=2&cursor={first['next']}")
    assert [one["last_name"] for one in first["items"] + rest["items"]] == ["aragon", "Élu", "Zola"]
    assert rest["next"] is None
    unknown = school.done("GET", path_of(session) + f"?cursor={'0' * 32}")
    assert unknown == {"items": [], "next": None}


def test_an_invigilator_enrols_nobody(school: School, problem: Check) -> None:
    session = school.session()
    response = school.call("POST", path_of(session), school.invigilator.token, json=body("x"))
    problem(response, 403, "not-allowed")
