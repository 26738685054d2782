"""Several devices, many requests at once, two servers: one device answers, and every reply is stored once."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx2 as httpx
import pytest

from api.app import create_app
from api.runs.facts import WITHDRAWN
from api.settings import Settings
from api.tables import REPLY
from tests.certification.seats import Device, Room, another_server
from tests.load.answers import answer_to

Check = Callable[..., Any]
TIMES = 20
Call = tuple[str, str, Any]
"""Token, path and body of a request."""


def at_once(room: Room, settings: Settings, calls: list[Call]) -> list[httpx.Response]:
    """Post everything at the same moment, to a server of its own on the same database."""

    async def post() -> list[httpx.Response]:
        app = create_app(settings, room.clock)
        async with app.router.lifespan_context(app):
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://jalon") as client:
                return await asyncio.gather(
                    *(
                        client.post(path, json=body, headers={"Authorization": f"Bearer {token}"})
                        for token, path, body in calls
                    )
                )

    return asyncio.run(post())


def reply_to(pending: Any, **reply: Any) -> Any:
    reply = reply or {"answer": answer_to(pending["item"])}
    return {"position": pending["position"], "item": pending["item"]["id"], **reply}


def moved(room: Room, device: Device) -> Device:
    """Another device on which the candidate goes on."""
    other = room.enter()
    room.acted("authorise", device=other.name)
    other.do("return")
    return other


def test_a_candidate_goes_on_at_the_pending_item_on_another_machine(room: Room, problem: Check) -> None:
    device = room.begin()
    device.answer()
    pending = device.see()["pending"]
    other = room.enter()
    assert (other.see()["to_do"], other.see()["pending"]) == ("wait", None)
    problem(other.call("return"), 409, "not-now", "not authorised")
    problem(other.reply(pending), 409, "not-now")
    problem(other.call("reports", position=1, item=pending["item"]["id"], why="x"), 409, "not-now")
    problem(other.call("end", confirm=True), 409, "not-now")
    assert device.see()["pending"] == pending  # nothing has changed for the one in use
    room.acted("authorise", device=other.name)
    assert other.see()["to_do"] == "return"
    room.clock.move(minutes=3)
    view = other.do("return")
    assert (view["pending"], view["in_use"], view["clock"]["used"]) == (pending, True, 180.0)
    assert room.look()["device"] == other.name
    for call in (device.reply(pending), device.call("return"), device.call("start"), device.call("end", confirm=True)):
        problem(call, 401, "unauthenticated")
    problem(room.call("GET", "/v1/sitting", device.token), 401, "unauthenticated")
    assert other.do("return") == view  # sent again
    other.answer(pending)
    kinds = [event.kind for event in room.events()]
    assert kinds == ["enrolled", "arrived", "authorised", "started", "arrived", "authorised", "returned"]
    assert all(device.token not in str(event) for event in room.events())


def test_a_return_leaves_a_pause_and_a_report_as_they_are(room: Room) -> None:
    device = room.begin()
    room.acted("pause")
    device = moved(room, device)
    assert device.see()["to_do"] == "paused"
    room.acted("resume")
    device.report()
    device = moved(room, device)
    assert device.see()["to_do"] == "reported"
    room.acted("accept", why="x")
    device.answer()
    assert room.facts()[1].kind == WITHDRAWN


def test_the_device_that_comes_last_is_the_one_that_waits(room: Room, problem: Check) -> None:
    first, second = room.enter(), room.enter()
    problem(room.call("GET", "/v1/sitting", first.token), 401, "unauthenticated")
    problem(room.act("authorise", device=first.name), 409, "not-now", second.name)
    assert room.look()["waiting"] == second.name
    room.acted("authorise", device=second.name)
    third = room.enter()
    problem(third.call("start"), 409, "not-now", "not authorised")
    problem(second.call("start"), 401, "unauthenticated")
    room.acted("authorise", device=third.name)
    third.do("start")


def test_an_authorisation_serves_once(room: Room, problem: Check) -> None:
    device = room.begin()
    other = room.enter()
    problem(other.call("return"), 409, "not-now", "not authorised")
    room.acted("authorise")
    room.clock.move(minutes=15)
    problem(other.call("return"), 409, "not-now", "lapsed")
    device.answer()


@pytest.mark.parametrize("place", [0, 3])
def test_the_same_answer_twenty_times_at_once_is_one_fact(room: Room, settings: Settings, place: int) -> None:
    device = room.begin()
    for _ in range(place):
        device.answer()
    pending = device.see()["pending"]
    calls: list[Call] = [(device.token, "/v1/sitting/answers", reply_to(pending))] * TIMES
    responses = at_once(room, settings, calls)
    assert [response.status_code for response in responses] == [200] * TIMES
    assert len({response.text for response in responses}) == 1
    assert [fact.position for fact in room.facts() if fact.part == REPLY] == list(range(place + 1))
    assert device.see()["pending"] == responses[0].json()["pending"]


def test_the_last_answer_twenty_times_at_once_ends_the_test_once(room: Room, settings: Settings) -> None:
    device = room.begin()
    view = device.see()
    while view["pending"]["position"] < view["progress"]["at_most"] - 1:
        device.answer(view["pending"])
        view = device.see()
    calls: list[Call] = [(device.token, "/v1/sitting/answers", reply_to(view["pending"]))] * TIMES
    responses = at_once(room, settings, calls)
    assert [response.status_code for response in responses] == [200] * TIMES
    assert len({response.text for response in responses}) == 1
    assert responses[0].json()["state"] == "finished"
    assert [event.kind for event in room.events()].count("ended") == 1
    assert room.facts()[-1].kind == "ended"


def test_contradictory_answers_at_once_leave_one(room: Room, settings: Settings) -> None:
    device = room.begin()
    pending = device.see()["pending"]
    bodies = [reply_to(pending) if turn % 2 else reply_to(pending, skipped=True) for turn in range(TIMES)]
    responses = at_once(room, settings, [(device.token, "/v1/sitting/answers", body) for body in bodies])
    assert sorted(response.status_code for response in responses) == [200] * 10 + [409] * 10
    assert len({response.json()["outcome"] for response in responses if response.status_code == 200}) == 1
    assert len(room.facts()) == 3


def test_two_devices_answering_at_once_for_one_candidate(room: Room, settings: Settings) -> None:
    """One goes on elsewhere while the other answers: whatever the order, one device is in use and one reply stored."""
    first = room.begin()
    second = room.enter()
    room.acted("authorise", device=second.name)
    pending = first.see()["pending"]
    calls: list[Call] = []
    for _ in range(TIMES):
        calls.append((first.token, "/v1/sitting/answers", reply_to(pending)))
        calls.append((second.token, "/v1/sitting/return", {}))
        calls.append((second.token, "/v1/sitting/answers", reply_to(pending, skipped=True)))
    responses = at_once(room, settings, calls)
    assert {response.status_code for response in responses} <= {200, 401, 409}
    assert {response.status_code for response in responses[1::3]} == {200}
    replies = [fact for fact in room.facts() if fact.part == REPLY]
    assert len(replies) <= 1
    acknowledged = {r.json()["outcome"] for r in (*responses[::3], *responses[2::3]) if r.status_code == 200}
    assert acknowledged == {fact.kind for fact in replies}
    assert room.call("GET", "/v1/sitting", first.token).status_code == 401
    assert second.see()["in_use"]
    assert [event.kind for event in room.events()].count("returned") == 1


def test_a_test_starts_once_however_often_it_is_started(room: Room, settings: Settings) -> None:
    device = room.enter()
    room.acted("authorise")
    responses = at_once(room, settings, [(device.token, "/v1/sitting/start", {})] * TIMES)
    assert [response.status_code for response in responses] == [200] * TIMES
    assert len({str(response.json()["pending"]) for response in responses}) == 1
    assert [event.kind for event in room.events()].count("started") == 1
    assert len(room.facts()) == 1


@pytest.mark.parametrize("action", ["pause", "end", "accept", "dismiss"])
def test_an_action_twenty_times_at_once_happens_once(room: Room, settings: Settings, action: str) -> None:
    device = room.begin()
    if action in ("accept", "dismiss"):
        device.report()
    path = f"/v1/sessions/{room.session.id}/candidates/{room.candidates[0].id}/{action}"
    body = {"pause": {}, "end": {"end": "technical", "why": "x"}}.get(action, {"why": "x"})
    responses = at_once(room, settings, [(room.invigilator, path, body)] * TIMES)
    assert sorted(response.status_code for response in responses) == [200] + [409] * (TIMES - 1)
    room.facts()


def test_answers_pauses_and_reports_crossing(room: Room, settings: Settings) -> None:
    """Whatever wins, the facts follow from each other and the clock holds what they say."""
    device = room.begin()
    path = f"/v1/sessions/{room.session.id}/candidates/{room.candidates[0].id}"
    for _ in range(6):
        pending = device.see()["pending"]
        reply = (device.token, "/v1/sitting/answers", reply_to(pending))
        problem = {"position": pending["position"], "item": pending["item"]["id"], "why": "x"}
        responses = at_once(
            room,
            settings,
            [
                reply,
                (room.invigilator, f"{path}/pause", {}),
                (device.token, "/v1/sitting/reports", problem),
                reply,
                (room.invigilator, f"{path}/resume", {}),
                (room.invigilator, f"{path}/accept", {"why": "x"}),
                reply,
            ],
        )
        assert {response.status_code for response in responses} <= {200, 409}
        room.facts()
        match room.state().phase:
            case "paused":
                room.acted("resume")
            case "frozen":
                room.acted("accept", why="x")
    assert device.see()["to_do"] == "answer"


def test_a_test_may_go_from_server_to_server(room: Room, settings: Settings, problem: Check) -> None:
    device = room.begin()
    with another_server(room, settings) as elsewhere:
        there = Device(elsewhere, device.candidate_id, device.token, device.name)
        pending, turn = device.see()["pending"], 0
        while pending is not None:
            here, other = ((device, there), (there, device))[turn % 3 % 2]
            assert here.see()["pending"] == other.see()["pending"] == pending
            if turn == 4:
                here.report()
                problem(other.reply(pending), 409, "clock-stands")
                other.room.acted("accept", why="x")
                problem(here.reply(pending), 409, "already-answered")
                pending, turn = here.see()["pending"], turn + 1
                continue
            told = here.answer(pending)
            assert other.answer(pending) == told
            pending, turn = told["pending"], turn + 1
        assert there.see()["end"] == device.see()["end"] == "completed"
        assert elsewhere.look() == room.look()
    room.facts()


def test_a_stale_server_takes_no_answer_after_the_end(room: Room, settings: Settings, problem: Check) -> None:
    device = room.begin()
    device.answer()
    with another_server(room, settings) as elsewhere:
        there = Device(elsewhere, device.candidate_id, device.token, device.name)
        pending = there.see()["pending"]
        room.acted("end", end="technical", why="x")
        problem(there.reply(pending), 409, "run-finished")
        problem(there.reply(pending, answer={"nonsense": 1}), 409, "run-finished")
        assert there.see()["pending"] is None
    room.facts()
