from collections.abc import Callable
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.certification.repository import candidate_events, session_events
from api.certification.session_states import (
    POSSIBLE,
    SessionKind,
    SessionPhase,
    SessionState,
    after,
    folded,
)
from api.certification.states import Event, IllegalFactError
from api.certification.tables import candidates, sessions
from engine.certification import content_hash
from itembank.certification import load_certification
from tests.certification.school import MONDAY, School

Check = Callable[..., Any]
NOON = datetime(2027, 1, 11, 12, tzinfo=UTC)


def path_of(session: Any, rest: str = "") -> str:
    return f"/v1/sessions/{session['id']}{rest}"


def facts(school: School, session: Any) -> list[Event]:
    with school.world.context.database.reading() as connection:
        return session_events(connection, session["id"])


def test_a_session_is_planned_under_the_rules_in_force(school: School) -> None:
    session = school.session()
    rules = load_certification()
    assert session["state"] == "draft"
    assert session["rules"] == {"name": "crcn", "version": 2, "hash": content_hash(rules), "minutes": rules.minutes}
    assert session["starts_at"] == "2027-01-11T08:00:00.000000Z"  # nine in Paris
    assert session["window"] == "final-year classes"
    assert len(session["access_code"]) == 9
    assert school.done("GET", path_of(session), school.invigilator.token) == session
    with school.world.context.database.reading() as connection:
        assert school.world.context.pins.rules(connection, session["rules"]["hash"]) == rules
    (created,) = facts(school, session)
    assert (created.kind, created.who, created.at) == ("created", f"member:{school.admin.id}", MONDAY)


@pytest.mark.parametrize(
    ("day", "window"),
    [
        ("2027-03-04", "final-year classes"),
        ("2027-03-08", "troisieme"),
        ("2027-12-31", "final-year classes"),
        ("2028-01-01", "final-year classes"),
    ],
)
def test_the_window_follows_the_date(school: School, day: str, window: str) -> None:
    body = {"date": day, "time": "09:00", "place": "Tours", "room": "1"}
    made = school.done("POST", f"/v1/organisations/{school.organisation['id']}/sessions", json=body)
    assert made["window"] == window


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"date": "2027-03-05"}, "choose another date"),
        ({"date": "2027-03-05", "window": None}, "choose a date in a window"),
        ({"window": "nobody"}, "final-year classes"),
        ({"date": "2027-02-29"}, "2027-02-29"),
        ({"date": "2027-01-10"}, "is over"),
        ({"zone": "Europe/Nowhere"}, "Europe/Paris"),
        ({"zone": "../../etc/passwd"}, "Europe/Paris"),
        ({"time": "24:00"}, "time"),
        ({"invigilators": ["nobody"]}, "no member"),
        ({"place": " "}, "place"),
        ({"room": "x" * 256}, "room"),
        ({"more": 1}, "more"),
    ],
)
def test_a_session_that_cannot_be(school: School, problem: Check, change: dict[str, Any], words: str) -> None:
    body = {"date": "2027-01-11", "time": "09:00", "place": "Tours", "room": "1", "window": "final-year classes"}
    sent = {name: value for name, value in (body | change).items() if value is not None}
    response = school.call("POST", f"/v1/organisations/{school.organisation['id']}/sessions", json=sent)
    problem(response, 422, "invalid-request", words)


def test_the_date_is_over_where_the_session_is_held(school: School) -> None:
    school.world.clock.move(hours=16, minutes=30)  # 23:30 UTC on the 11th: the 12th in Paris
    body = {"date": "2027-01-11", "time": "09:00", "place": "Saint-Denis", "room": "1"}
    path = f"/v1/organisations/{school.organisation['id']}/sessions"
    assert school.call("POST", path, json=body).status_code == 422
    assert school.call("POST", path, json=body | {"zone": "America/Martinique"}).status_code == 201


def test_invigilators_see_the_sessions_assigned_to_them(school: School, problem: Check) -> None:
    mine, other = school.session(), school.session(invigilators=[])
    path = f"/v1/organisations/{school.organisation['id']}/sessions"
    assert [one["id"] for one in school.done("GET", path)["items"]] == [other["id"], mine["id"]]
    assert [one["id"] for one in school.done("GET", path, school.invigilator.token)["items"]] == [mine["id"]]
    problem(school.call("GET", path_of(other), school.invigilator.token), 404, "unknown-session")
    first = school.done("GET", f"{path}?limit=1")
    assert [one["id"] for one in school.done("GET", f"{path}?cursor={first['next']}")["items"]] == [mine["id"]]


def test_a_draft_changes(school: School) -> None:
    session = school.session()
    change = {"date": "2027-03-09", "time": "14:30", "zone": "Indian/Reunion", "room": "C 3", "invigilators": []}
    changed = school.done("PATCH", path_of(session), json=change)
    assert changed == session | change | {
        "window": "troisieme",
        "starts_at": "2027-03-09T10:30:00.000000Z",
        "version": 2,
    }
    assert facts(school, session)[-1].data["room"] == "C 3"
    assert school.done("PATCH", path_of(session), json={}) == changed  # nothing to change, no fact


def test_of_an_open_session_only_the_room_and_the_invigilators_change(school: School, problem: Check) -> None:
    session, _ = school.open_session()
    other = school.member("Ida")
    changed = school.done("PATCH", path_of(session), json={"room": "C 3", "invigilators": [other.id]})
    assert (changed["room"], changed["invigilators"]) == ("C 3", [other.id])
    for name, value in {"date": "2027-01-12", "time": "10:00", "place": "Blois", "zone": "UTC"}.items():
        problem(school.call("PATCH", path_of(session), json={name: value}), 409, "not-now", name)
    problem(school.call("PATCH", path_of(session), json={"invigilators": []}), 409, "not-now", "invigilator")


def test_a_session_opens_with_candidates_and_invigilators_only(school: School, problem: Check) -> None:
    session = school.session(invigilators=[])
    problem(school.call("POST", path_of(session, "/open")), 409, "not-now", "candidate")
    school.enrol(session)
    problem(school.call("POST", path_of(session, "/open")), 409, "not-now", "invigilator")
    school.done("PATCH", path_of(session), json={"invigilators": [school.invigilator.id]})
    school.call("DELETE", f"/v1/organisations/{school.organisation['id']}/members/{school.invigilator.id}")
    problem(school.call("POST", path_of(session, "/open")), 409, "not-now", "invigilator")
    school.done("PATCH", path_of(session), json={"invigilators": [school.admin.id]})
    assert school.opened(session)["state"] == "open"
    problem(school.call("POST", path_of(session, "/open")), 409, "not-now", "open")


def test_what_the_bank_cannot_serve_keeps_a_session_closed(
    school: School, problem: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = school.session()
    seen = school.enrol(session)
    blind = school.enrol(session, accessible=["blind"], extra_time=33)
    assert school.done("GET", path_of(session, "/feasibility")) == {"feasible": True, "findings": []}
    bank = school.world.context.served.bank("fr").snapshot
    allowed = type(bank).allowed

    def without_33(self: Any, accessible: Any = (), *rest: Any, **named: Any) -> Any:
        found = allowed(self, accessible, *rest, **named)
        if "blind" in accessible:
            found &= self.competence != self.framework.index("3.3")
        return found

    monkeypatch.setattr(type(bank), "allowed", without_33)
    told = school.done("GET", path_of(session, "/feasibility"))
    assert not told["feasible"]
    (finding,) = told["findings"]
    assert finding["candidates"] == [blind["id"]]
    assert finding["extra_time"] == 33
    assert seen["id"] not in str(told)
    found = problem(school.call("POST", path_of(session, "/open")), 422, "not-feasible", "3.3")
    assert found["findings"] == told["findings"]
    assert school.done("GET", path_of(session))["state"] == "draft"
    school.done("PATCH", path_of(session, f"/candidates/{blind['id']}"), json={"accessible": []})
    assert school.opened(session)["state"] == "open"
    change = {"json": {"accessible": ["blind"]}}
    problem(school.call("PATCH", path_of(session, f"/candidates/{blind['id']}"), **change), 422, "not-feasible", "3.3")


def test_a_cancelled_session_sets_its_candidates_free(school: School, problem: Check) -> None:
    session, (candidate,) = school.open_session()
    school.world.clock.move(minutes=5)
    problem(school.call("POST", path_of(session, "/cancel"), json={"why": " "}), 422, "invalid-request")
    cancelled = school.done("POST", path_of(session, "/cancel"), json={"why": "Grève"})
    assert (cancelled["state"], cancelled["candidates"]) == ("cancelled", 0)
    assert (facts(school, session)[-1].why, facts(school, session)[-1].kind) == ("Grève", "cancelled")
    with school.world.context.database.reading() as connection:
        events = candidate_events(connection, candidate["id"])
    assert [(event.kind, event.why) for event in events] == [("enrolled", None), ("removed", "Grève")]
    problem(school.call("POST", path_of(session, "/cancel"), json={"why": "Encore"}), 409, "not-now", "cancelled")
    problem(school.call("PATCH", path_of(session), json={"room": "1"}), 409, "not-now")
    assert school.enrol(school.session(), candidate["learner_id"])["state"] == "enrolled"


def test_a_session_in_which_a_test_has_begun_is_not_cancelled(school: School, problem: Check) -> None:
    session, (candidate,) = school.open_session()
    entry = {"code": session["access_code"], "birth_date": "2009-05-17"}
    entry |= {name: candidate[name] for name in ("first_name", "last_name")}
    device = school.world.client.post("/v1/session-entries", json=entry).json()["token"]
    school.done("POST", path_of(session, f"/candidates/{candidate['id']}/authorise"), school.invigilator.token, json={})
    school.done("POST", "/v1/sitting/start", device, json={})
    problem(school.call("POST", path_of(session, "/cancel"), json={"why": "Grève"}), 409, "not-now", "begun")
    path = path_of(session, f"/candidates/{candidate['id']}")
    problem(school.call("PATCH", path, json={"extra_time": 50}), 409, "not-now", "running")
    problem(school.call("DELETE", path), 409, "not-now", "running")


def test_incidents_are_kept_in_order(school: School, problem: Check) -> None:
    draft = school.session()
    problem(school.call("POST", path_of(draft, "/incidents"), json={"why": "Rien"}), 409, "not-now")
    session, (candidate,) = school.open_session()
    path, by = path_of(session, "/incidents"), school.invigilator
    school.done("POST", path, by.token, json={"why": "Panne de courant"})
    school.world.clock.move(minutes=1)
    school.done("POST", path, by.token, json={"why": "Malaise", "candidate_id": candidate["id"]})
    school.world.clock.move(minutes=1)
    school.done("POST", path, json={"why": "Retour au calme\nà 10 h 12"})
    told = school.done("GET", path, by.token)["items"]
    assert [one["why"] for one in told] == ["Panne de courant", "Malaise", "Retour au calme\nà 10 h 12"]
    assert [one["candidate_id"] for one in told] == [None, candidate["id"], None]
    assert [one["who"] for one in told] == [f"member:{by.id}"] * 2 + [f"member:{school.admin.id}"]
    unknown = {"json": {"why": "Qui ?", "candidate_id": draft["id"]}}
    problem(school.call("POST", path, **unknown), 404, "unknown-candidate")


def test_a_session_sent_again_with_its_key_is_the_same(school: School) -> None:
    key = {"Idempotency-Key": "once"}
    body = {"date": "2027-01-11", "time": "09:00", "place": "Tours", "room": "1"}
    path = f"/v1/organisations/{school.organisation['id']}/sessions"
    assert len({school.done("POST", path, json=body, headers=key)["id"] for _ in range(3)}) == 1
    assert len(school.done("GET", path)["items"]) == 1


def test_the_row_says_what_the_facts_say(school: School) -> None:
    session, _ = school.open_session()
    school.done("PATCH", path_of(session), json={"room": "C 3"})
    school.done("POST", path_of(session, "/cancel"), json={"why": "Grève"})
    state = folded(facts(school, session))
    assert state is not None
    with school.world.context.database.reading() as connection:
        row = connection.execute(sessions.select().where(sessions.c.id == session["id"])).one()
        people = connection.execute(candidates.select()).all()
    assert (row.state, row.version) == (state.phase.value, state.version) == ("cancelled", 4)
    assert {one.state for one in people} == {"removed"}


def event(kind: SessionKind, number: int = 2, at: datetime = NOON) -> Event:
    return Event(number, kind.value, at, "member:x")


@pytest.mark.parametrize(("phase", "kind"), list(product(SessionPhase, SessionKind)))
def test_only_what_is_possible_happens(phase: SessionPhase, kind: SessionKind) -> None:
    state = SessionState(phase, 1, NOON)
    if phase in POSSIBLE.get(kind, frozenset()):
        assert after(state, event(kind)).version == 2
    else:
        with pytest.raises(IllegalFactError):
            after(state, event(kind))


def test_every_phase_is_reached_and_the_first_fact_is_the_creation() -> None:
    start = after(None, event(SessionKind.CREATED, 1))
    reached, waiting = {start.phase}, [start]
    while waiting:
        state = waiting.pop()
        for kind in SessionKind:
            if state.phase in POSSIBLE.get(kind, frozenset()):
                following = after(state, event(kind, state.version + 1))
                waiting += [following] if following.phase not in reached else []
                reached.add(following.phase)
    assert reached == set(SessionPhase)
    with pytest.raises(IllegalFactError):
        after(None, event(SessionKind.OPENED, 1))
    with pytest.raises(IllegalFactError):
        after(start, event(SessionKind.OPENED, 2, datetime(2027, 1, 11, 11, tzinfo=UTC)))


@given(kinds=st.lists(st.sampled_from(SessionKind), max_size=12))
def test_whatever_happens_nothing_leads_back(kinds: list[SessionKind]) -> None:
    order = {SessionPhase.DRAFT: 0, SessionPhase.OPEN: 1, SessionPhase.FINALISED: 2, SessionPhase.PUBLISHED: 3}
    state = after(None, event(SessionKind.CREATED, 1))
    for kind in kinds:
        try:
            following = after(state, event(kind, state.version + 1))
        except IllegalFactError:
            continue
        assert following.version == state.version + 1
        assert state.phase is not SessionPhase.CANCELLED
        assert following.phase is SessionPhase.CANCELLED or order[following.phase] >= order[state.phase]
        state = following
