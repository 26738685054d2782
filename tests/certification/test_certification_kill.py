"""The server is killed at random moments while a room answers: nothing acknowledged is lost, no clock is wrong.

``JALON_TEST_KILLS`` says how often; 200 in the full run, fewer in the suite.
"""

import asyncio
import os
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Connection as Stored

from api.app import create_app
from api.certification.records import Candidate
from api.certification.repository import candidate_events, candidates_of_session
from api.certification.states import Event, folded
from api.database import Database
from api.runs.facts import NOT_REACHED, WITHDRAWN, Fact
from api.runs.replay import prove
from api.runs.repository import facts_of
from api.settings import Settings
from api.tables import REPLY
from engine.clock import between, used
from tests.api.conftest import World
from tests.api.movable_clock import MovableClock
from tests.certification.killable import Killable
from tests.certification.seats import Room, copied, furnished
from tests.load.answers import answer_to
from tests.load.connection import Connection
from tests.load.server import free_port

KILLS = int(os.environ.get("JALON_TEST_KILLS", "10"))
CHAIRS = 50
DONE, LATER, PATIENCE = 20, 0.3, 6.0
"""A server dies after so many things done at most, and so many seconds later at most; or when it is slow."""
LIMIT = timedelta(hours=2)


@dataclass
class Story:
    """What was seen from outside."""

    acknowledged: list[tuple[str, int, str, Any]] = field(default_factory=list)
    pending: dict[tuple[str, int], set[str]] = field(default_factory=lambda: defaultdict(set))
    clocks: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    acts: Counter[tuple[str, str]] = field(default_factory=Counter)
    resent: int = 0
    ended: int = 0
    kills: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    enough: bool = False

    @property
    def done(self) -> int:
        """Number of things acknowledged."""
        return len(self.acknowledged) + self.acts.total()

    def saw(self, candidate_id: str, pending: Any) -> None:
        if pending is not None:
            self.pending[candidate_id, pending["position"]].add(str(pending))


@dataclass
class Line:
    """A client that calls until somebody answers."""

    port: int
    story: Story
    connection: Connection | None = None

    def close(self) -> None:
        if self.connection is not None:
            self.connection.writer.close()
        self.connection = None

    async def call(self, method: str, path: str, token: str, body: Any = None) -> tuple[int, Any]:
        while True:
            try:
                self.connection = self.connection or await Connection.open(self.port)
                return await self.connection.call(method, path, body, token)
            except (OSError, asyncio.IncompleteReadError):
                self.close()
                self.story.resent += 1
                await asyncio.sleep(0.05 + 0.2 * random.random())


@dataclass
class Chair:
    """Where one candidate after the other sits."""

    line: Line
    code: str
    story: Story

    async def enter(self, candidate: Candidate) -> str:
        who = {"first_name": candidate.first_name, "last_name": candidate.last_name, "birth_date": candidate.birth_date}
        status, told = await self.line.call("POST", "/v1/session-entries", "", {"code": self.code, **who})
        assert status == 201, told
        token: str = told["token"]
        return token

    async def sit(self, candidate: Candidate) -> None:
        token, who, story, line = await self.enter(candidate), candidate.id, self.story, self.line
        while True:
            status, view = await line.call("GET", "/v1/sitting", token)
            assert status == 200, view
            story.saw(who, view["pending"])
            story.clocks.append((who, view["clock"]))
            chance = random.random()
            match view["to_do"]:
                case "over":
                    story.ended += 1
                    return
                case _ if story.enough and chance < 0.2:
                    return  # the room is full of tests under way, too
                case "start" | "return":
                    status, told = await line.call("POST", f"/v1/sitting/{view['to_do']}", token)
                    story.acts[who, f"{view['to_do']}ed"] += status == 200
                    assert status in (200, 409), told
                case "answer":
                    await asyncio.sleep(0.0 if story.enough else 1.2 * random.random())
                    if chance < 0.02:
                        token = await self.enter(candidate)
                    elif chance < 0.05:
                        await self.report(token, who, view["pending"])
                    elif chance < 0.055:
                        status, _ = await line.call("POST", "/v1/sitting/end", token, {"confirm": True})
                        story.acts[who, "ended"] += status == 200
                    else:
                        await self.answer(token, who, view["pending"], again=chance > 0.9)
                case _:
                    await asyncio.sleep(0.3 * random.random())

    async def report(self, token: str, who: str, pending: Any) -> None:
        body = {"position": pending["position"], "item": pending["item"]["id"], "why": "It is blank."}
        status, told = await self.line.call("POST", "/v1/sitting/reports", token, body)
        assert status in (200, 409), told
        self.story.acts[who, "reported"] += status == 200

    async def answer(self, token: str, who: str, pending: Any, again: bool) -> None:
        item, answer = pending["item"], answer_to(pending["item"])
        body = {"position": pending["position"], "item": item["id"], "answer": answer}
        status, told = await self.line.call("POST", "/v1/sitting/answers", token, body)
        if status != 200:
            assert status == 409, told
            self.story.refused[told["type"]] += 1
            return
        self.story.acknowledged.append((who, pending["position"], item["id"], answer))
        self.story.saw(who, told["pending"])
        if again:
            status, repeated = await self.line.call("POST", "/v1/sitting/answers", token, body)
            assert repeated == told or repeated["type"].endswith("clock-stands"), repeated


async def invigilate(line: Line, room: Room, story: Story) -> None:
    """Authorise whoever waits, pause now and then, and decide on what is reported."""
    path = f"/v1/sessions/{room.session.id}"
    while True:
        status, seen = await line.call("GET", f"{path}/room", room.invigilator)
        assert status == 200, seen
        for one in seen["candidates"]:
            story.clocks.append((one["id"], one["clock"]))
            kind, body = chosen(one)
            if kind is not None:
                status, told = await line.call(
                    "POST", f"{path}/candidates/{one['id']}/{kind[0]}", room.invigilator, body
                )
                assert status in (200, 409), told
                story.acts[one["id"], kind[1]] += status == 200
        await asyncio.sleep(0.05)


def chosen(one: Any) -> tuple[tuple[str, str] | None, Any]:
    """What the invigilator does about a candidate."""
    chance = random.random()
    if one["phase"] == "paused":
        return (("resume", "resumed"), {}) if chance < 0.3 else (None, None)
    if one["phase"] == "frozen":
        kind = ("accept", "accepted") if chance < 0.5 else ("dismiss", "dismissed")
        return (kind, {"why": "Seen."})
    if one["waiting"] is not None and one["authorised"] != one["waiting"]:
        return ("authorise", "authorised"), {"device": one["waiting"]}
    if one["phase"] == "running" and chance < 0.01:
        return ("pause", "paused"), {}
    return None, None


async def scenario(server: Killable, room: Room) -> Story:
    story, queue = Story(), list(room.candidates)

    lines: list[Line] = []

    def line() -> Line:
        lines.append(Line(server.port, story))
        return lines[-1]

    async def chair() -> None:
        while queue and not story.enough:
            await Chair(line(), room.session.access_code, story).sit(queue.pop())

    watch = asyncio.create_task(invigilate(line(), room, story))
    chairs = [asyncio.create_task(chair()) for _ in range(CHAIRS)]
    while story.kills < KILLS and not any(task.done() for task in (*chairs, watch)):
        await somewhat(story)
        server.kill()
        story.kills += 1
        await asyncio.to_thread(server.up)
    story.enough = True
    try:
        everybody = asyncio.gather(*chairs)
        done, _ = await asyncio.wait([watch, everybody], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            await task
    finally:
        for task in (watch, *chairs):
            task.cancel()
        await asyncio.gather(watch, *chairs, return_exceptions=True)
        for one in lines:
            one.close()
        await asyncio.sleep(0)
    return story


async def somewhat(story: Story) -> None:
    """Wait for a random number of things to be done, and then a random time."""
    done, until = story.done + random.randrange(DONE), time.monotonic() + PATIENCE
    while story.done < done and time.monotonic() < until:
        await asyncio.sleep(0.001)
    await asyncio.sleep(LATER * random.random())


def furnish(url: str, count: int) -> Room:
    """A room with many candidates, who all have the positioning of the first."""
    clock = MovableClock()
    chosen = Settings(database=url)
    with TestClient(create_app(chosen, clock)) as client:
        room = furnished(World(client, chosen, clock))
        with room.database.writing() as connection:
            learners = [copied(connection, room.candidates[0].learner_id) for _ in range(count - 1)]
        for learner_id in learners:
            room.enrol(learner_id=learner_id)
        return room


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the servers are forked")
def test_a_killed_server_loses_no_answer_and_no_second(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    url = settings.database
    room = furnish(url, CHAIRS + KILLS)
    server = Killable(free_port(), {"JALON_DATABASE": url, "JALON_CODE_RATE": "1000000/minute"})
    server.begin()
    begun = time.monotonic()
    try:
        server.up()
        story = asyncio.run(scenario(server, room))
    finally:
        server.end()
    took = time.monotonic() - begun

    assert story.kills == KILLS
    assert {candidate for (candidate, _), shown in story.pending.items() if len(shown) > 1} == set()
    checked: Counter[str] = Counter()
    with Database(url) as database:
        with database.reading() as connection:
            known = {one.id: one for one in candidates_of_session(connection, room.session.id)}
            stories = {one.id: told(connection, one) for one in known.values() if one.run_id is not None}
        for candidate_id, (events, facts) in stories.items():
            check_time(known[candidate_id], events, facts)
            proof = prove(database, known[candidate_id].run_id or "")
            assert proof.ok, proof.difference
            checked["runs proved"] += 1
            checked["decisions proved"] += proof.decisions
    replies = {
        (candidate_id, fact.position): (fact.item, fact.answer)
        for candidate_id, (_, facts) in stories.items()
        for fact in facts
        if fact.part == REPLY
    }
    for candidate_id, position, item, answer in story.acknowledged:
        assert replies[candidate_id, position] == (item, answer)
    for (candidate_id, kind), count in story.acts.items():
        if count and candidate_id in stories:
            assert count <= sum(event.kind == kind for event in stories[candidate_id][0]), kind
    for candidate_id, clock in story.clocks:
        if clock["started_at"] is not None:
            check_clock(stories[candidate_id][0], clock)
            checked["clocks checked"] += 1
    acts: Counter[str] = Counter()
    for (_, kind), count in story.acts.items():
        acts[kind] += count
    with capsys.disabled():
        print(f"\n{story.kills} kills in {took:.0f} s, {len(story.acknowledged)} answers acknowledged,")
        print(
            f"{story.resent} requests sent again, {story.ended} tests ended, {len(story.pending)} pending items seen,"
        )
        print(f"{dict(checked)}, acts {dict(acts)}, refused {dict(story.refused)}")


def told(connection: Stored, candidate: Candidate) -> tuple[list[Event], list[Fact]]:
    return candidate_events(connection, candidate.id), facts_of(connection, candidate.run_id or "")


def check_time(candidate: Candidate, events: list[Event], facts: list[Fact]) -> None:
    """The replies of a test took the time that ran: all of it, and no more."""
    state = folded(events)
    assert state is not None
    assert (candidate.state, candidate.version) == (state.phase, state.version)
    assert state.started_at == facts[0].at
    questions, replies = facts[::2], facts[1::2]
    ran = timedelta()
    for question, reply in zip(questions, replies, strict=False):
        if reply.kind not in (WITHDRAWN, NOT_REACHED):
            took = between(question.at, reply.at, state.standstills)
            assert reply.seconds == pytest.approx(took.total_seconds(), abs=1e-9)
        ran += between(question.at, reply.at, state.standstills)
    if state.ended_at is not None:
        assert state.ended_at == facts[-1].at
        assert ran == used(state.started_at, state.standstills, state.ended_at) < LIMIT
    for question, reply in zip(questions[1:], replies, strict=False):
        assert question.at == reply.at


def check_clock(events: list[Event], clock: dict[str, Any]) -> None:
    """A clock that was shown is that of the facts stored by then; one fact may have come while it was written."""
    at = datetime.fromisoformat(clock["at"])
    by_then = sum(event.at <= at for event in events)
    shown: Callable[[int], float] = lambda count: shown_by(events[:count], at)  # noqa: E731
    assert any(abs(shown(count) - clock["used"]) < 1e-6 for count in range(by_then, max(by_then - 3, 3), -1)), clock


def shown_by(events: list[Event], at: datetime) -> float:
    state = folded(events)
    assert state is not None
    if state.started_at is None:
        return -1.0
    return used(state.started_at, state.standstills, state.ended_at or at).total_seconds()
