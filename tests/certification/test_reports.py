"""A problem with an item: the clock stands until the invigilator accepts or dismisses it, with a reason."""

from collections.abc import Callable
from typing import Any

import pytest

from api.runs.facts import WITHDRAWN
from tests.certification.seats import Room

Check = Callable[..., Any]


def kinds(room: Room) -> list[str]:
    return [event.kind for event in room.events()]


@pytest.mark.parametrize("action", ["accept", "dismiss", "end"])
@pytest.mark.parametrize("why", [None, "", "  ", "x" * 1001])
def test_some_actions_need_a_reason(room: Room, problem: Check, action: str, why: str | None) -> None:
    room.begin().report()
    body = {"end": "technical"} if action == "end" else {}
    problem(room.act(action, **body, **({} if why is None else {"why": why})), 422, "invalid-request", "why")
    assert room.state().phase == "frozen"


def test_an_accepted_problem_takes_the_topic_out_and_gives_the_clock_back(room: Room, problem: Check) -> None:
    device = room.begin()
    room.clock.move(seconds=30)
    device.answer()
    pending = device.see()["pending"]
    room.clock.move(seconds=50)
    view = device.report("The image is missing.")
    assert (view["phase"], view["to_do"], view["pending"]) == ("frozen", "reported", None)
    problem(device.reply(pending), 409, "clock-stands")
    seen = room.look()["report"]
    assert seen == {"position": 1, "item": pending["item"], "why": "The image is missing."}
    room.clock.move(minutes=4)
    seen = room.acted("accept", why="It is missing indeed.")
    assert seen["clock"]["used"] == 30.0
    assert (seen["phase"], seen["report"]) == ("running", None)
    view = device.see()
    snapshot = room.world.context.served.bank("fr").snapshot
    topics = [snapshot.topic[snapshot.row(one["item"]["id"])] for one in (pending, view["pending"])]
    assert view["pending"]["position"] == 2
    assert topics[0] != topics[1]
    refused = problem(device.reply(pending), 409, "already-answered")
    assert refused["pending"] == view["pending"]
    while view["pending"] is not None:
        assert snapshot.topic[snapshot.row(view["pending"]["item"]["id"])] != topics[0]
        view = device.answer(view["pending"])
    facts = room.facts()
    assert [fact.kind for fact in facts if fact.position == 1] == ["asked", WITHDRAWN]
    assert facts[4].at == facts[3].at == room.clock()
    report, accepted = (room.events()[place] for place in (4, 5))
    assert (report.kind, report.who, report.why) == ("reported", "candidate", "The image is missing.")
    assert (accepted.kind, accepted.why) == ("accepted", "It is missing indeed.")
    assert accepted.who.startswith("member:")


def test_a_dismissed_problem_leaves_the_item_and_the_time_spent_on_it(room: Room) -> None:
    device = room.begin()
    pending = device.see()["pending"]
    room.clock.move(seconds=50)
    device.report()
    room.clock.move(minutes=4)
    assert room.acted("dismiss", why="It is there: scroll.")["clock"]["used"] == 50.0
    assert device.see()["pending"] == pending
    room.clock.move(seconds=10)
    device.answer(pending)
    assert room.facts()[1].seconds == 60.0


def test_only_the_pending_item_is_reported_and_once(room: Room, problem: Check) -> None:
    device = room.begin()
    pending = device.see()["pending"]
    body = {"position": 0, "item": pending["item"]["id"], "why": "x"}
    problem(device.call("reports", **{**body, "position": 1}), 409, "not-the-pending-item")
    problem(device.call("reports", **{**body, "item": "crcn-x"}), 409, "not-the-pending-item")
    device.do("reports", **body)
    assert device.do("reports", **body)["phase"] == "frozen"
    assert kinds(room).count("reported") == 1


def test_a_time_out_of_a_withdrawn_item_is_no_repetition(room: Room, problem: Check) -> None:
    device = room.begin()
    pending = device.see()["pending"]
    device.report()
    room.acted("accept", why="x")
    problem(device.reply(pending, timed_out=True), 409, "already-answered")
