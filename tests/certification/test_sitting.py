"""A candidate comes in, starts, answers, reports, leaves; the invigilator watches: all of it through HTTP."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from api.certification.states import Kind
from api.identifiers import parsed_access_code
from api.runs.facts import ENDED, NOT_REACHED
from api.runs.repository import run_of, run_of_code
from engine.clock import used
from itembank.certification import load_certification
from tests.certification.seats import Device, Room, furnished
from tests.load.answers import answer_to

Check = Callable[..., Any]


def kinds(room: Room) -> list[str]:
    return [event.kind for event in room.events()]


def test_a_whole_test(room: Room) -> None:
    device = room.enter()
    assert device.see()["to_do"] == "wait"
    authorised = room.acted("authorise", device=device.name)
    assert authorised["authorised"] == device.name
    assert authorised["authorised_until"] == "2027-01-11T08:15:00.000000Z"
    assert device.see()["to_do"] == "start"
    view = device.do("start")
    assert (view["phase"], view["to_do"], view["in_use"]) == ("running", "answer", True)
    pending, count = view["pending"], 0
    while pending is not None:
        assert device.see()["pending"] == pending
        assert pending["position"] == count
        room.clock.move(seconds=40)
        told = device.answer(pending)
        assert told["progress"]["answered"] == count + 1
        pending, count = told["pending"], count + 1
    assert told["state"] == "finished"
    assert count == told["progress"]["at_most"]
    view, seen = device.see(), room.look()
    assert (view["phase"], view["to_do"], view["end"], view["pending"]) == ("ended", "over", "completed", None)
    assert view["clock"]["used"] == seen["clock"]["used"] == 40.0 * count
    assert view["progress"] == seen["progress"] == {"answered": count, "at_most": count}
    assert kinds(room) == ["enrolled", "arrived", "authorised", "started", "ended"]
    assert [event.who for event in room.events()][1:] == [
        "candidate",
        room.events()[2].who,
        "candidate",
        "server",
    ]
    facts = room.facts()
    assert facts[-1].kind == ENDED
    assert facts[-1].result is None
    assert {fact.seconds for fact in facts[1:-1:2]} == {40.0}


def test_what_is_pinned_at_the_start(room: Room) -> None:
    room.begin()
    candidate = room.standing().candidate
    assert candidate.profile is not None
    assert set(candidate.profile) >= {"run_id", "earlier", "levels", "certifiable", "knowledge"}
    assert len(candidate.profile["certifiable"]) >= room.rules.reached
    with room.database.reading() as connection:
        run = run_of(connection, candidate.run_id or "")
    assert run is not None
    assert run.rules_hash == room.session.rules_hash
    assert list(run.competences) == candidate.profile["certifiable"]
    assert [list(pair) for pair in run.earlier] == [
        [run_id, weight * room.rules.profile_weight] for run_id, weight in candidate.profile["earlier"]
    ]
    assert run.created_at == room.state().started_at == room.facts()[0].at
    assert run.excluded  # the items of the positioning


def test_the_same_reply_gets_the_same_answer(room: Room, problem: Check) -> None:
    device = room.begin()
    pending = device.see()["pending"]
    told = device.answer(pending)
    room.clock.move(minutes=1)
    assert device.answer(pending) == told
    refused = problem(device.reply(pending, skipped=True), 409, "already-answered")
    assert refused["pending"] == told["pending"]


@pytest.mark.parametrize("later", ["accept", "leave", "time"])
def test_whatever_happens_later_the_same_reply_gets_the_same_answer(room: Room, later: str) -> None:
    device = room.begin()
    pending = device.see()["pending"]
    told = device.answer(pending)
    if later == "accept":
        device.report()
        room.acted("accept", why="x")
    elif later == "leave":
        device.do("end", confirm=True)
    else:
        room.clock.move(days=1)
    assert device.answer(pending) == told
    device.see()
    assert device.answer(pending) == told


def test_neither_answer_nor_item_while_the_clock_stands(room: Room, problem: Check) -> None:
    device = room.begin()
    before = device.answer(device.see()["pending"])
    pending = before["pending"]
    room.acted("pause", why="Fire drill.")
    view = device.see()
    assert (view["phase"], view["to_do"], view["pending"], view["clock"]["stands"]) == ("paused", "paused", None, True)
    for response in (device.reply(pending), device.reply({**pending, "position": 0})):
        refused = problem(response, 409, "clock-stands")
        assert pending["item"]["stem"] not in response.text
        assert refused["state"] == "paused"
    problem(device.call("reports", position=1, item=pending["item"]["id"], why="x"), 409, "clock-stands")
    room.clock.move(minutes=30)
    room.acted("resume")
    assert device.see()["pending"] == pending
    device.answer(pending)


@pytest.mark.parametrize("action", ["pause", "resume", "accept", "dismiss", "end"])
def test_the_invigilator_can_only_do_what_the_state_allows(room: Room, problem: Check, action: str) -> None:
    bodies = {"accept": {"why": "x"}, "dismiss": {"why": "x"}, "end": {"why": "x", "end": "technical"}}
    problem(room.act(action, **bodies.get(action, {})), 409, "not-now")
    device = room.begin()
    if action not in ("pause", "end"):
        problem(room.act(action, **bodies.get(action, {})), 409, "not-now")
    device.do("end", confirm=True)
    problem(room.act(action, **bodies.get(action, {})), 409, "not-now")


@pytest.mark.parametrize("phase", ["running", "paused", "frozen"])
def test_the_candidate_leaves(room: Room, problem: Check, phase: str) -> None:
    device = room.begin()
    device.answer()
    pending = device.see()["pending"]
    room.clock.move(seconds=20)
    if phase == "paused":
        room.acted("pause")
    if phase == "frozen":
        device.report()
    room.clock.move(seconds=20)
    problem(device.call("end"), 422, "invalid-request")
    problem(device.call("end", confirm=False), 422, "invalid-request")
    view = device.do("end", confirm=True)
    assert (view["phase"], view["end"], view["to_do"]) == ("ended", "candidate", "over")
    assert view["clock"]["used"] == (40.0 if phase == "running" else 20.0)
    assert view["progress"]["answered"] == 1
    assert device.do("end", confirm=True) == view
    *_, reply, ended = room.facts()
    assert (reply.kind, reply.position, reply.item) == (NOT_REACHED, 1, pending["item"]["id"])
    assert (ended.kind, ended.reason, ended.result) == (ENDED, "candidate", None)
    assert ended.at == reply.at == room.state().ended_at == room.clock()
    problem(device.reply(pending), 409, "run-finished")
    problem(device.reply(pending, timed_out=True), 409, "run-finished")
    problem(device.call("start"), 409, "not-now", "ended")
    problem(room.entry(room.candidates[0]), 409, "not-now", "ended")


@pytest.mark.parametrize("end", ["technical", "invigilator"])
def test_the_invigilator_ends_a_test_with_a_reason(room: Room, problem: Check, end: str) -> None:
    device = room.begin()
    seen = room.acted("end", end=end, why="The machine burns.")
    assert (seen["phase"], seen["end"], seen["end_why"]) == ("ended", end, "The machine burns.")
    assert room.facts()[-1].reason == end
    last = room.events()[-1]
    assert (last.kind, last.why, last.data) == ("ended", "The machine burns.", {"end": end})
    assert last.who.startswith("member:")
    problem(device.call("end", confirm=True), 409, "not-now")
    problem(room.act("end", end="candidate", why="x"), 422, "invalid-request")


def test_the_code_of_the_run_is_given_at_the_end_and_finds_it(room: Room) -> None:
    device = room.begin()
    assert device.see()["access_code"] is None
    code = device.do("end", confirm=True)["access_code"]
    with room.database.reading() as connection:
        run = run_of_code(connection, parsed_access_code(code) or "")
    assert run is not None
    assert run.id == room.standing().candidate.run_id


def test_a_test_that_certifies_is_no_positioning_run(room: Room, problem: Check) -> None:
    device = room.begin()
    run_id = room.standing().candidate.run_id
    problem(room.world.call("GET", f"/v1/runs/{run_id}", room.platform), 404, "unknown-run")
    pending = device.see()["pending"]
    reply = {"position": 0, "item": pending["item"]["id"], "answer": answer_to(pending["item"])}
    problem(room.world.call("POST", f"/v1/runs/{run_id}/answers", room.platform, json=reply), 404, "unknown-run")


@pytest.mark.parametrize(
    ("who", "status"), [("admin", 200), ("invigilator", 200), ("platform", 200), ("other", 404), ("device", 401)]
)
def test_who_may_watch_the_room(room: Room, who: str, status: int) -> None:
    token = {
        "admin": room.admin,
        "invigilator": room.invigilator,
        "platform": room.platform,
        "other": furnished(room.world, 0).invigilator,
        "device": room.begin().token,
    }[who]
    assert room.call("GET", f"/v1/sessions/{room.session.id}/room", token).status_code == status
    assert room.act("pause", token=token).status_code == status


def test_a_candidate_is_looked_for_in_their_own_session(room: Room, problem: Check) -> None:
    other = furnished(room.world, 0)
    path = f"/v1/sessions/{other.session.id}/candidates/{room.candidates[0].id}/pause"
    problem(room.call("POST", path, other.invigilator, json={}), 404, "unknown-candidate")


def test_items_that_run_out_end_the_test_as_completed(room: Room) -> None:
    rules = replace(load_certification(), least=2, most=2, each=2)
    small = furnished(room.world, 1, rules)
    device = small.begin()
    view = device.see()
    while view["pending"] is not None:
        view = device.answer(view["pending"])
    assert small.look()["end"] == "completed"
    assert small.facts()[-1].reason == "max_length"


def test_a_test_for_which_no_item_fits_any_more_ends_by_time(room: Room) -> None:
    device = room.begin()
    limit = device.see()["clock"]["limit"]
    room.clock.move(seconds=limit - 0.000_001)
    told = device.answer()
    assert told["state"] == "finished"
    assert room.look()["end"] == "time"
    assert room.facts()[-1].reason == "out_of_time"


def test_time_used_is_the_sum_of_what_the_replies_took(room: Room) -> None:
    device: Device = room.begin()
    for turn in range(9):
        room.clock.move(seconds=10.000_001 * (turn + 1))
        if turn % 3 == 1:
            room.acted("pause")
            room.clock.move(seconds=100)
            room.acted("resume")
        if turn % 4 == 3:
            device.report()
            room.clock.move(seconds=33)
            room.acted("accept" if turn == 3 else "dismiss", why="x")
        device.answer()
    state = room.state()
    assert state.started_at is not None
    taken = sum(fact.seconds for fact in room.facts() if fact.seconds is not None)
    assert taken == pytest.approx(used(state.started_at, state.standstills, room.clock()).total_seconds(), abs=1e-9)
    assert Kind.ACCEPTED in kinds(room)
