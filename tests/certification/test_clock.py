"""The clock of a test, through HTTP: nothing is given and nothing is taken, to the microsecond."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient

import api.certification.sitting.answering as answering
import api.clock
from api.app import create_app
from api.certification.happening import standing
from api.certification.repository import change_session
from api.certification.sitting.settle import ON_THE_WAY, settle
from api.clock import SteadyClock, iso
from api.runs.facts import ENDED, NOT_REACHED
from api.settings import Settings
from engine.clock import used
from itembank.certification import load_certification
from tests.api.conftest import World
from tests.api.movable_clock import MovableClock
from tests.certification.seats import Device, Room, furnished

Check = Callable[..., Any]
MICROSECOND = timedelta(microseconds=1)
PARIS = ZoneInfo("Europe/Paris")
TWO_HOURS = timedelta(hours=2)


def at_remaining(room: Room, device: Device, left: timedelta) -> None:
    """Move to a moment at which so much time is left."""
    due = datetime.fromisoformat(device.see()["clock"]["deadline"])
    room.clock.move(seconds=(due - left - room.clock()).total_seconds())
    assert room.clock() == due - left


def test_an_answer_is_taken_one_microsecond_before_the_deadline(room: Room) -> None:
    device = room.begin()
    device.answer()
    pending = device.see()["pending"]
    at_remaining(room, device, MICROSECOND)
    assert device.see()["clock"]["remaining"] == 0.000_001
    device.answer(pending)
    assert room.facts()[3].at - room.facts()[0].at == TWO_HOURS - MICROSECOND


def test_an_answer_is_refused_at_the_deadline(room: Room, problem: Check) -> None:
    device = room.begin()
    first = device.see()["pending"]
    told = device.answer(first)
    at_remaining(room, device, timedelta())
    refused = problem(device.reply(told["pending"]), 409, "time-is-up", "counts")
    assert "pending" not in refused
    view = device.see()
    assert (view["phase"], view["to_do"], view["end"], view["pending"]) == ("ended", "over", "time", None)
    assert (view["clock"]["used"], view["clock"]["remaining"]) == (7200.0, 0.0)
    assert device.answer(first) == told  # what was acknowledged is acknowledged again
    for call in ("start", "return"):
        assert device.call(call).status_code == 409
    problem(device.call("reports", position=1, item=told["pending"]["item"]["id"], why="x"), 409, "time-is-up")
    problem(device.call("end", confirm=True), 409, "time-is-up")
    for action in ("pause", "resume", "authorise"):
        assert room.act(action).status_code == 409
    assert room.entry(room.candidates[0]).status_code == 409


@pytest.mark.parametrize("who", ["candidate", "invigilator"])
def test_whoever_looks_ends_the_test_at_its_deadline(room: Room, who: str) -> None:
    device = room.begin()
    device.answer()
    at_remaining(room, device, timedelta())
    due = room.clock()
    room.clock.move(days=3)
    _ = device.see() if who == "candidate" else room.look()
    last = room.events()[-1]
    assert (last.kind, last.at, last.who, last.data) == ("ended", due, "server", {"end": "time"})
    *_, reply, ended = room.facts()
    assert (reply.kind, reply.at, reply.position) == (NOT_REACHED, due, 1)
    assert (ended.kind, ended.at, ended.reason) == (ENDED, due, "time")
    assert device.see()["access_code"] is not None
    assert device.see()["progress"]["answered"] == 1


def test_an_incident_noted_after_the_deadline_changes_no_clock(room: Room) -> None:
    device = room.begin()
    at_remaining(room, device, timedelta())
    due = room.clock()
    room.clock.move(minutes=10)
    path = f"/v1/sessions/{room.session.id}/incidents"
    room.done("POST", path, room.invigilator, json={"why": "Noise.", "candidate_id": room.candidates[0].id})
    assert device.see()["clock"]["used"] == 7200.0
    assert room.look()["ended_at"] == iso(due)
    assert room.state().ended_at == due == room.facts()[-1].at
    assert [event.kind for event in room.events()][-2:] == ["incident", "ended"]
    assert room.events()[-1].at == room.events()[-2].at


def test_a_reply_that_came_during_a_pause_is_not_taken_after_it(
    room: Room, monkeypatch: pytest.MonkeyPatch, problem: Check
) -> None:
    device = room.begin()
    pending = device.see()["pending"]
    post_reply = answering.post_reply
    room.clock.move(seconds=5)

    async def slow(*arguments: Any) -> Any:
        if room.state().version == 4:
            room.clock.move(seconds=-1)
            await asyncio.to_thread(room.acted, "pause")
            room.clock.move(seconds=60)
            await asyncio.to_thread(room.acted, "resume")
        return await post_reply(*arguments)

    monkeypatch.setattr(answering, "post_reply", slow)
    problem(device.reply(pending), 409, "clock-stands")
    room.clock.move(seconds=1)
    device.answer(pending)
    assert room.facts()[1].seconds == 5.0


def test_settling_is_for_every_service(room: Room) -> None:
    device = room.begin()
    at_remaining(room, device, MICROSECOND)
    candidate_id = room.candidates[0].id

    def settled() -> str:
        with room.database.writing() as connection:
            now = standing(connection, candidate_id, lock=True)
            return settle(connection, room.world.context.pins, now, room.clock()).state.phase.value

    assert settled() == "running"
    room.clock.move(microseconds=1)
    assert settled() == "ended"
    assert settled() == "ended"
    assert room.state().ended_at == room.clock()
    room.facts()


def test_a_reply_that_came_in_time_is_taken_however_long_it_waits_its_turn(
    room: Room, monkeypatch: pytest.MonkeyPatch, problem: Check
) -> None:
    device = room.begin()
    pending = device.see()["pending"]
    at_remaining(room, device, MICROSECOND)
    post_reply = answering.post_reply

    async def busy(*arguments: Any) -> Any:
        room.clock.move(seconds=1)
        seen.append(await asyncio.to_thread(room.look))  # who looks does not cut it off
        return await post_reply(*arguments)

    seen: list[Any] = []
    monkeypatch.setattr(answering, "post_reply", busy)
    told = device.answer(pending)
    assert seen[0]["phase"] == "ended"
    assert told["outcome"] == "answered"
    assert room.facts()[1].kind == "answered"
    room.clock.move(seconds=ON_THE_WAY.total_seconds())
    assert room.look()["phase"] == "ended"


@pytest.mark.parametrize(("extra", "hours"), [(0.0, 2.0), (33.0, 2.66), (100 / 3, 8 / 3), (50.0, 3.0)])
def test_extra_time_is_a_share_of_the_time(room: Room, problem: Check, extra: float, hours: float) -> None:
    candidate = room.enrol(extra_time=extra)
    device = room.begin(candidate)
    clock = device.see()["clock"]
    assert clock["limit"] == clock["remaining"] == hours * 3600
    pending = device.see()["pending"]
    at_remaining(room, device, MICROSECOND)
    assert device.reply(pending, skipped=True).status_code == 200
    other = room.begin(room.enrol(extra_time=extra))
    pending = other.see()["pending"]
    at_remaining(room, other, timedelta())
    problem(other.reply(pending), 409, "time-is-up")


def test_pauses_take_and_give_nothing_to_the_microsecond(room: Room) -> None:
    device = room.begin()
    started, ran, stood = room.clock(), 0, 0
    for turn in range(1, 6):
        room.clock.move(microseconds=60_000_007 * turn)
        ran += 60_000_007 * turn
        room.acted("pause", why="A lesson on the clock.")
        assert device.see()["clock"]["stands"] is True
        assert device.see()["clock"]["deadline"] is None
        room.clock.move(microseconds=7_200_000_011 * turn)
        stood += 7_200_000_011 * turn
        clock = room.acted("resume")["clock"]
        assert clock["used"] * 1e6 == pytest.approx(ran, abs=0.01)
        assert datetime.fromisoformat(clock["deadline"]) == started + TWO_HOURS + timedelta(microseconds=stood)
    at_remaining(room, device, MICROSECOND)
    assert room.clock() == started + TWO_HOURS + timedelta(microseconds=stood - 1)
    assert device.see()["to_do"] == "answer"
    room.clock.move(microseconds=1)
    assert device.see()["to_do"] == "over"
    room.clock.move(days=1)
    assert room.look()["ended_at"] == iso(started + TWO_HOURS + timedelta(microseconds=stood))
    assert room.facts()[-1].at == room.state().ended_at


def test_no_deadline_passes_while_the_clock_stands(room: Room) -> None:
    device = room.begin()
    device.report()
    room.clock.move(days=1)
    assert device.see()["phase"] == "frozen"
    room.acted("dismiss", why="x")
    room.acted("pause")
    room.clock.move(days=1)
    assert device.see()["phase"] == "paused"
    assert device.see()["clock"]["remaining"] == 7200.0


def test_accepting_gives_back_what_ran_since_the_question_and_not_the_pause_twice(room: Room) -> None:
    device = room.begin()
    started = room.clock()
    room.clock.move(seconds=100)
    device.answer()
    room.clock.move(seconds=11)
    room.acted("pause")
    room.clock.move(seconds=1_000)
    room.acted("resume")
    room.clock.move(seconds=13)
    device.report()
    room.clock.move(seconds=500)
    clock = room.acted("accept", why="x")["clock"]
    assert clock["used"] == 100.0
    assert datetime.fromisoformat(clock["deadline"]) == started + TWO_HOURS + timedelta(seconds=11 + 1_000 + 13 + 500)
    room.clock.move(seconds=17)
    device.answer()
    assert room.facts()[-2].seconds == 17.0


@pytest.mark.parametrize(
    "begins",
    [
        datetime(2027, 1, 11, 23, 10, tzinfo=PARIS),  # across midnight
        datetime(2027, 3, 28, 1, 30, tzinfo=PARIS),  # the clocks go forward at two
        datetime(2027, 10, 31, 2, 10, tzinfo=PARIS),  # the clocks go back at three
        datetime(2026, 12, 31, 23, 30, tzinfo=PARIS),
    ],
)
def test_midnight_and_the_change_of_the_clocks_are_moments_as_others(room: Room, begins: datetime) -> None:
    room = furnished(room.world, 0, replace(load_certification(), windows=()))
    with room.database.writing() as connection:
        planned = {"date": begins.date().isoformat(), "time": begins.strftime("%H:%M")}
        change_session(connection, room.session.id, planned)
    begins = begins.astimezone(UTC)
    room.clock.stopped, room.clock.moved = begins - timedelta(days=3), timedelta()
    candidate = room.enrol()
    room.clock.stopped = begins
    device = room.begin(candidate)
    room.clock.move(minutes=40)
    device.answer()
    room.acted("pause", candidate)
    room.clock.move(minutes=30)
    room.acted("resume", candidate)
    clock = device.see()["clock"]
    assert (clock["used"], clock["remaining"]) == (2400.0, 4800.0)
    assert datetime.fromisoformat(clock["deadline"]) == begins + timedelta(minutes=150)
    pending = device.see()["pending"]
    at_remaining(room, device, MICROSECOND)
    assert room.clock() - begins == timedelta(minutes=150) - MICROSECOND
    device.answer(pending)
    room.facts(candidate)


class Host:
    """A machine whose clock is set, and whose counter nobody sets."""

    def __init__(self) -> None:
        self.time = datetime(2027, 1, 11, 8, 0, tzinfo=UTC)
        self.counter = 10**15

    def now(self, _: Any) -> datetime:
        return self.time

    def pass_time(self, **by: float) -> None:
        self.time += timedelta(**by)
        self.counter += int(timedelta(**by) / MICROSECOND) * 1_000


class Steady(MovableClock):
    """The server's own clock, which a test may move besides."""

    def __init__(self) -> None:
        super().__init__()
        self.steady = SteadyClock()

    def __call__(self) -> datetime:
        return self.steady() + self.moved


def test_a_host_whose_clock_is_set_gives_no_second_and_takes_none(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = Host()
    monkeypatch.setattr(api.clock, "datetime", type("Set", (), {"now": staticmethod(host.now)}))
    monkeypatch.setattr(api.clock, "_nanoseconds", lambda: host.counter)
    clock = Steady()
    with TestClient(create_app(settings, clock), raise_server_exceptions=False) as client:
        room = furnished(World(client, settings, clock))
        device = room.begin()
        host.pass_time(minutes=10)
        host.time -= timedelta(hours=5)
        assert device.see()["clock"]["used"] == 600.0
        host.pass_time(minutes=10)
        host.time += timedelta(days=400)
        assert device.see()["clock"]["used"] == 1200.0
        device.answer()
        assert room.facts()[1].seconds == 1200.0
        host.pass_time(minutes=100, microseconds=-1)
        assert device.see()["phase"] == "running"
        host.pass_time(microseconds=1)
        assert device.see()["phase"] == "ended"


def test_a_server_that_starts_again_on_a_host_set_back_keeps_the_order_of_the_facts(room: Room) -> None:
    device = room.begin()
    room.clock.move(seconds=30)
    device.answer()
    room.clock.move(hours=-1)
    device.answer()
    device.report()
    room.acted("accept", why="x")
    device.do("end", confirm=True)
    facts, events = room.facts(), room.events()
    assert [fact.at for fact in facts] == sorted(fact.at for fact in facts)
    assert [event.at for event in events] == sorted(event.at for event in events)


def test_the_time_used_is_told_by_the_facts_alone(room: Room) -> None:
    device = room.begin()
    room.clock.move(seconds=77)
    room.acted("pause")
    room.clock.move(seconds=5)
    state, seen = room.state(), room.look()
    assert state.started_at is not None
    assert used(state.started_at, state.standstills, room.clock()).total_seconds() == seen["clock"]["used"] == 77.0
    assert device.see()["clock"] == seen["clock"]
