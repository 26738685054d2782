"""A candidate, two devices and an invigilator do anything in any order, through HTTP, against a model of the clock."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from api.app import create_app
from api.settings import Settings
from itembank.certification import load_certification
from tests.api.conftest import World
from tests.api.movable_clock import MovableClock
from tests.certification.seats import MONDAY, Device, Room, copied, furnished
from tests.load.answers import answer_to

RULES = replace(load_certification(), minutes=40.0)
LIMIT = int(RULES.minutes * 60_000_000)
VALID = int(RULES.authorised_minutes * 60_000_000)
OFTEN = (
    *("wait", "wait_for_the_end", "come_in", "authorise", "start", "go_on", "start_at_last", "go_on_elsewhere"),
    *("answer", "answer_here", "answer_here", "answer_here", "answer_again", "pause", "resume", "resume"),
    *("report", "report", "accept", "accept", "dismiss", "stop"),
)
UNDER_WAY = ("running", "paused", "frozen")


@contextmanager
def served() -> Iterator[Room]:
    """One server for all the stories of a machine."""
    with TemporaryDirectory() as folder:
        clock = MovableClock(MONDAY)
        chosen = Settings(database=f"sqlite:///{Path(folder) / 'jalon.db'}", entry_rate="1000000/minute")
        with TestClient(create_app(chosen, clock), raise_server_exceptions=False) as client:
            yield furnished(World(client, chosen, clock), rules=RULES)


class Sitting(RuleBasedStateMachine):
    """The model counts microseconds; what is shown must agree with it, and every refusal must be expected."""

    room: Room

    @initialize(begun=st.sampled_from([True, True, True, False]))
    def enrol(self, begun: bool) -> None:
        self.room.clock.stopped, self.room.clock.moved = MONDAY, timedelta()
        with self.room.database.writing() as connection:
            learner_id = copied(connection, self.room.candidates[0].learner_id)
        self.candidate = self.room.enrol(learner_id=learner_id)
        self.phase, self.end = "enrolled", None
        self.now = self.used = self.since = 0
        self.devices: list[Device] = []
        self.waiting: Device | None = None
        self.in_use: Device | None = None
        self.authorised: tuple[Device, int] | None = None
        self.pending: Any = None
        self.last: tuple[Any, Any] | None = None
        if begun:
            self.come_in()
            self.authorise()
            self.start(0)

    def act(self, what: str, allowed: bool, **body: Any) -> Any:
        response = self.room.act(what, self.candidate, **body)
        assert response.status_code == (200 if allowed else 409), response.text
        return response.json()

    def known(self, device: Device) -> bool:
        return device in (self.waiting, self.in_use)

    def chosen(self, place: int) -> Device:
        return self.devices[place % len(self.devices)]

    def wait(self, microseconds: int) -> None:
        self.room.clock.move(microseconds=microseconds)
        self.now += microseconds
        if self.phase == "running":
            self.used, self.since = self.used + microseconds, self.since + microseconds
            if self.used >= LIMIT:
                self.used, self.phase, self.end = LIMIT, "ended", "time"

    def come_in(self) -> None:
        response = self.room.entry(self.candidate)
        if self.phase == "ended":
            assert response.status_code == 409
            return
        told = response.json()
        self.waiting = Device(self.room, self.candidate.id, told["token"], told["device"])
        self.devices.append(self.waiting)

    def authorise(self) -> None:
        possible = self.phase != "ended" and self.waiting is not None
        self.act("authorise", possible)
        if possible and self.waiting is not None:
            self.authorised = self.waiting, self.now + VALID

    def may(self, device: Device) -> bool:
        """Whether a device may start, or go on."""
        return (
            self.authorised is not None
            and self.authorised[0] is device is self.waiting
            and self.now < self.authorised[1]
        )

    def start(self, place: int) -> None:
        device = self.chosen(place)
        response = device.call("start")
        if not self.known(device):
            assert response.status_code == 401
        elif self.phase in UNDER_WAY and device is self.in_use:
            assert response.status_code == 200
        elif self.phase == "enrolled" and self.may(device):
            assert response.status_code == 200, response.text
            self.in_use, self.waiting, self.authorised = device, None, None
            self.phase, self.pending, self.since = "running", response.json()["pending"], 0
            assert self.pending["position"] == 0
        else:
            assert response.status_code == 409, response.text

    def go_on(self, place: int) -> None:
        device = self.chosen(place)
        response = device.call("return")
        if not self.known(device):
            assert response.status_code == 401
        elif self.phase in UNDER_WAY and (device is self.in_use or self.may(device)):
            assert response.status_code == 200, response.text
            if device is not self.in_use:
                self.in_use, self.waiting, self.authorised = device, None, None
        else:
            assert response.status_code == 409, response.text

    def answer(self, place: int, skipped: bool) -> None:
        device = self.chosen(place)
        body = {"skipped": True} if skipped else {"answer": answer_to(self.pending["item"])}
        response = device.reply(self.pending, **body)
        if not self.known(device):
            assert response.status_code == 401
        elif device is not self.in_use or self.phase != "running":
            assert response.status_code == 409
            assert self.pending["item"]["stem"] not in response.text
        else:
            assert response.status_code == 200, response.text
            told = response.json()
            self.last, self.pending, self.since = ((self.pending, body), told), told["pending"], 0
            if self.pending is None:
                self.phase, self.end = "ended", self.room.look(self.candidate)["end"]
                assert self.end in ("completed", "time")

    def answer_again(self) -> None:
        assert self.last is not None
        assert self.in_use is not None
        (pending, body), told = self.last
        response = self.in_use.reply(pending, **body)
        if self.phase in ("paused", "frozen"):
            assert response.status_code == 409
        else:
            assert response.json() == told

    def pause(self) -> None:
        self.act("pause", self.phase == "running")
        self.phase = "paused" if self.phase == "running" else self.phase

    def resume(self) -> None:
        self.act("resume", self.phase == "paused")
        self.phase = "running" if self.phase == "paused" else self.phase

    def report(self) -> None:
        assert self.in_use is not None
        body = {"position": self.pending["position"], "item": self.pending["item"]["id"], "why": "It is blank."}
        response = self.in_use.call("reports", **body)
        assert response.status_code == (200 if self.phase in ("running", "frozen") else 409), response.text
        self.phase = "frozen" if self.phase == "running" else self.phase

    def dismiss(self) -> None:
        self.act("dismiss", self.phase == "frozen", why="It is not.")
        self.phase = "running" if self.phase == "frozen" else self.phase

    def accept(self) -> None:
        possible = self.phase == "frozen"
        self.act("accept", possible, why="It is.")
        if possible:
            assert self.in_use is not None
            view = self.in_use.see()
            self.used, self.since = self.used - self.since, 0
            self.phase, self.end, before = view["phase"], view["end"], self.pending
            self.pending = view["pending"]
            if self.pending is None:
                assert self.phase == "ended"
            else:
                assert self.pending["position"] == before["position"] + 1

    def stop(self, who: str) -> None:
        if who == "candidate":
            assert self.in_use is not None
            self.in_use.do("end", confirm=True)
        else:
            self.act("end", True, end=who, why="Enough.")
        self.phase, self.end = "ended", who

    @rule(
        steps=st.lists(
            st.tuples(st.sampled_from(OFTEN), st.integers(0, 3), st.integers(0, 60_000_000)), min_size=3, max_size=12
        )
    )
    def do(self, steps: list[tuple[str, int, int]]) -> None:
        """Several things, one after the other: one rule for all, for hypothesis would leave most of several out."""
        for what, place, number in steps:
            match what:
                case "wait":
                    self.wait(number * (1 + 9 * (place == 0)))
                case "wait_for_the_end" if self.phase == "running" and place == 0:
                    self.wait(max(LIMIT - self.used + number % 3 - 1, 0))
                case "come_in" | "authorise":
                    getattr(self, what)()
                case "start" | "go_on" if self.devices:
                    getattr(self, what)(place)
                case "start_at_last" if self.phase == "enrolled":
                    self.come_in()
                    self.authorise()
                    self.start(len(self.devices) - 1)
                case "go_on_elsewhere" if self.phase in UNDER_WAY:
                    self.come_in()
                    self.authorise()
                    self.go_on(len(self.devices) - 1)
                case "answer" if self.devices and self.pending is not None:
                    self.answer(place, skipped=number % 2 == 0)
                case "answer_here" if self.in_use is not None and self.pending is not None:
                    self.wait(number)
                    self.answer(self.devices.index(self.in_use), skipped=place == 0)
                case "answer_again" if self.last is not None and self.in_use is not None:
                    self.answer_again()
                case "report" if self.in_use is not None and self.pending is not None:
                    self.report()
                case "pause" | "resume" | "dismiss" if self.phase != "enrolled":
                    getattr(self, what)()
                case "accept" if self.phase in UNDER_WAY:
                    self.accept()
                case "stop" if self.phase in UNDER_WAY and place == 0:
                    self.stop(("candidate", "technical", "invigilator")[number % 3])
            self.what_is_shown_agrees()

    @invariant()
    def what_is_shown_agrees(self) -> None:
        if not hasattr(self, "candidate"):
            return
        seen = self.room.look(self.candidate)
        assert (seen["phase"], seen["end"]) == (self.phase, self.end)
        clock = seen["clock"]
        assert round(clock["used"] * 1_000_000) == self.used
        assert round(clock["remaining"] * 1_000_000) == LIMIT - self.used
        assert clock["stands"] == (self.phase in ("paused", "frozen"))
        assert (seen["report"] is not None) == (self.phase == "frozen")
        for device in self.devices[-3:]:
            response = self.room.call("GET", "/v1/sitting", device.token)
            assert response.status_code == (200 if self.known(device) else 401)
            if self.known(device):
                view = response.json()
                shown = self.pending if device is self.in_use and self.phase == "running" else None
                assert view["pending"] == shown
                assert {**view["clock"], "at": ""} == {**clock, "at": ""}
                assert view["in_use"] == (device is self.in_use)

    def teardown(self) -> None:
        """The stored facts lead to what was shown, and each follows from those before."""
        if getattr(self, "in_use", None) is not None:
            self.room.clock.move(days=1)
            self.room.look(self.candidate)
            self.room.facts(self.candidate)
            ended = self.room.state(self.candidate).phase == "ended"
            assert ended == (self.phase in ("ended", "running"))


def test_whatever_is_done_is_allowed_or_refused_as_the_model_says() -> None:
    with served() as room:
        machine = type("Machine", (Sitting,), {"room": room}).TestCase  # type: ignore[attr-defined]
        machine.settings = settings(
            max_examples=15,
            stateful_step_count=8,
            phases=[Phase.generate],  # to shrink a story takes minutes: it is short enough
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        )
        machine().runTest()
