"""The pure states of a candidate: what can be reached, what is refused, and the time that each history leaves."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from api.certification.states import (
    TO_REVIEW,
    UNDER_WAY,
    VALIDATED,
    CandidateState,
    Event,
    IllegalFactError,
    Kind,
    Phase,
    after,
    folded,
)
from engine.clock import used

NINE = datetime(2027, 1, 11, 8, 0, tzinfo=UTC)
MINUTES = 15.0
DEVICES = ("AAAA", "BBBB")
OUTCOMES = (VALIDATED, TO_REVIEW, "rejected", "cancelled")

E, R, P, F, X, D, U, G, A = (
    *(Phase.ENROLLED, Phase.RUNNING, Phase.PAUSED, Phase.FROZEN, Phase.ENDED),
    *(Phase.DECIDED, Phase.PUBLISHED, Phase.REMOVED, Phase.ABSENT),
)
TRANSITIONS: Mapping[Kind, Mapping[Phase, Phase]] = {
    Kind.ENROLLED: {G: E},
    Kind.CHANGED: {E: E},
    Kind.REMOVED: {E: G},
    Kind.ARRIVED: {E: E, R: R, P: P, F: F},
    Kind.AUTHORISED: {E: E, R: R, P: P, F: F},
    Kind.STARTED: {E: R},
    Kind.RETURNED: {R: R, P: P, F: F},
    Kind.PAUSED: {R: P},
    Kind.RESUMED: {P: R},
    Kind.REPORTED: {R: F},
    Kind.ACCEPTED: {F: R},
    Kind.DISMISSED: {F: R},
    Kind.INCIDENT: {E: E, R: R, P: P, F: F, X: X, D: D, U: U, A: A},
    Kind.ENDED: {R: X, P: X, F: X},
    Kind.ABSENT: {E: A},
    Kind.DECIDED: {X: D},
    Kind.REVIEWED: {D: D},
    Kind.RESCORED: {D: D, U: D},
    Kind.PUBLISHED: {D: U},
    Kind.REVOKED: {U: U},
}
"""The whole of it, written down once more by hand."""


def data_of(kind: Kind, device: str = "AAAA", outcome: str = VALIDATED, at: datetime = NINE) -> dict[str, Any]:
    match kind:
        case Kind.ARRIVED | Kind.STARTED | Kind.RETURNED:
            return {"device": device}
        case Kind.REPORTED:
            return {"position": 3, "item": "x", "asked_at": at.isoformat()}
        case Kind.ENDED:
            return {"end": "completed"}
        case Kind.DECIDED | Kind.RESCORED:
            return {"outcome": outcome, "scoring": 1}
        case Kind.REVIEWED:
            return {"outcome": outcome}
        case _:
            return {}


def reached() -> dict[Phase, list[CandidateState]]:
    """Every state that twelve facts at most lead to, one second after the other, told apart by what decides."""

    def key(state: CandidateState) -> Any:
        return state.phase, state.waiting, state.authorised, state.outcome, state.revoked, state.report is None

    first = after(None, Event(1, Kind.ENROLLED, NINE, "member:x"))
    found, border = {key(first): first}, [first]
    while border:
        following = []
        for state, kind, device, outcome in product(border, Kind, DEVICES, OUTCOMES):
            at = state.at + timedelta(seconds=1)
            try:
                state = after(state, Event(state.version + 1, kind, at, "x", "why", data_of(kind, device, outcome, at)))
            except IllegalFactError:
                continue
            if key(state) not in found:
                found[key(state)] = state
                following.append(state)
        border = following
    states: dict[Phase, list[CandidateState]] = {}
    for state in found.values():
        states.setdefault(state.phase, []).append(state)
    return states


REACHED = reached()


def test_no_phase_is_unreachable() -> None:
    assert set(REACHED) == set(Phase)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("phase", Phase)
def test_facts_are_possible_exactly_where_the_table_says(phase: Phase, kind: Kind) -> None:
    outcomes = set()
    for state, device, outcome in product(REACHED[phase], DEVICES, OUTCOMES):
        at = state.at + timedelta(seconds=1)
        event = Event(state.version + 1, kind, at, "x", "why", data_of(kind, device, outcome, at))
        try:
            outcomes.add(after(state, event).phase)
        except IllegalFactError:
            continue
    assert outcomes == ({TRANSITIONS[kind][phase]} if phase in TRANSITIONS[kind] else set())


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.ENROLLED])
def test_nothing_happens_before_the_enrolment(kind: Kind) -> None:
    with pytest.raises(IllegalFactError, match="enrol"):
        after(None, Event(1, kind, NINE, "x", None, data_of(kind)))


@pytest.mark.parametrize(("late", "starts"), [(-1, True), (0, False), (1, False)])
def test_an_authorisation_lapses_to_the_microsecond(late: int, starts: bool) -> None:
    events = [Event(1, Kind.ENROLLED, NINE, "x"), Event(2, Kind.ARRIVED, NINE, "x", None, {"device": "AAAA"})]
    state = folded([*events, Event(3, Kind.AUTHORISED, NINE, "x")], MINUTES)
    assert state is not None
    at = NINE + timedelta(minutes=MINUTES, microseconds=late)
    start = Event(4, Kind.STARTED, at, "x", None, {"device": "AAAA"})
    if starts:
        assert after(state, start, MINUTES).phase is Phase.RUNNING
    else:
        with pytest.raises(IllegalFactError, match="lapsed"):
            after(state, start, MINUTES)


def test_a_fact_older_than_the_last_is_refused() -> None:
    state = after(None, Event(1, Kind.ENROLLED, NINE, "x"))
    with pytest.raises(IllegalFactError, match="older"):
        after(state, Event(2, Kind.INCIDENT, NINE - timedelta(microseconds=1), "x"))


IN_THE_ROOM = (Kind.PAUSED, Kind.RESUMED, Kind.REPORTED, Kind.REPORTED, Kind.ACCEPTED, Kind.DISMISSED)
IN_THE_ROOM += (Kind.ARRIVED, Kind.AUTHORISED, Kind.RETURNED, Kind.ENDED)
AFTERWARDS = (Kind.DECIDED, Kind.REVIEWED, Kind.RESCORED, Kind.PUBLISHED, Kind.REVOKED)


class Histories(RuleBasedStateMachine):
    """Any facts at any moments, against a model that counts microseconds one stretch after the other."""

    @initialize()
    def enrol(self) -> None:
        self.at = NINE
        self.events = [Event(1, Kind.ENROLLED, NINE, "member:x")]
        self.state = after(None, self.events[0], MINUTES)
        self.stretches: list[tuple[datetime, datetime]] = []  # in which the clock ran

    @rule(
        kind=st.sampled_from(Kind),
        wait=st.integers(0, 3_600_000_000),
        device=st.sampled_from(DEVICES),
        outcome=st.sampled_from(OUTCOMES),
        asked=st.floats(0, 1),
    )
    def anything(self, kind: Kind, wait: int, device: str, outcome: str, asked: float) -> None:
        self.happen(kind, wait, device, outcome, asked)

    @precondition(lambda self: self.state.phase in UNDER_WAY)
    @rule(kind=st.sampled_from(IN_THE_ROOM), wait=st.integers(0, 600_000_000), asked=st.floats(0, 1))
    def in_the_room(self, kind: Kind, wait: int, asked: float) -> None:
        self.happen(kind, wait, DEVICES[0], VALIDATED, asked)

    @precondition(lambda self: self.state.phase is Phase.FROZEN)
    @rule(kind=st.sampled_from([Kind.ACCEPTED, Kind.DISMISSED]), wait=st.integers(0, 600_000_000))
    def look_into_it(self, kind: Kind, wait: int) -> None:
        self.happen(kind, wait, DEVICES[0], VALIDATED, 0.0)

    @precondition(lambda self: self.state.phase in (Phase.ENDED, Phase.DECIDED, Phase.PUBLISHED))
    @rule(kind=st.sampled_from(AFTERWARDS), outcome=st.sampled_from(OUTCOMES))
    def afterwards(self, kind: Kind, outcome: str) -> None:
        self.happen(kind, 1, DEVICES[0], outcome, 0.0)

    @precondition(lambda self: self.state.phase is Phase.ENROLLED)
    @rule(device=st.sampled_from(DEVICES))
    def start(self, device: str) -> None:
        for kind in (Kind.ARRIVED, Kind.AUTHORISED, Kind.STARTED):
            self.happen(kind, 1, device, VALIDATED, 0.0)

    @precondition(lambda self: self.state.phase in UNDER_WAY)
    @rule(device=st.sampled_from(DEVICES))
    def go_on_elsewhere(self, device: str) -> None:
        for kind in (Kind.ARRIVED, Kind.AUTHORISED, Kind.RETURNED):
            self.happen(kind, 1, device, VALIDATED, 0.0)

    def happen(self, kind: Kind, wait: int, device: str, outcome: str, asked: float) -> None:
        self.pass_time(wait)
        begun = self.state.started_at or self.at
        asked_at = begun + timedelta(microseconds=int((self.at - begun) / timedelta(microseconds=1) * asked))
        event = Event(self.state.version + 1, kind, self.at, "x", "why", data_of(kind, device, outcome, asked_at))
        before = replace(self.state)
        try:
            state = after(self.state, event, MINUTES)
        except IllegalFactError:
            assert self.state == before
            if self.state.phase in TRANSITIONS[kind]:
                assert not self.allowed(kind, device)
            return
        assert TRANSITIONS[kind][self.state.phase] is state.phase
        assert self.allowed(kind, device)
        if kind is Kind.ACCEPTED:
            assert self.state.report is not None
            back = datetime.fromisoformat(self.state.report["asked_at"])
            self.stretches = [(begin, min(end, back)) for begin, end in self.stretches if begin < back]
        self.state, self.events = state, [*self.events, event]

    def allowed(self, kind: Kind, device: str) -> bool:
        """What a phase that allows a fact asks for besides."""
        state = self.state
        match kind:
            case Kind.AUTHORISED:
                return state.waiting is not None
            case Kind.STARTED | Kind.RETURNED:
                until = state.authorised_until
                return state.authorised == device and until is not None and self.at < until
            case Kind.REVIEWED:
                return state.outcome == TO_REVIEW
            case Kind.PUBLISHED:
                return state.outcome != TO_REVIEW
            case Kind.REVOKED:
                return state.outcome == VALIDATED and not state.revoked
            case _:
                return True

    def pass_time(self, wait: int) -> None:
        at = self.at + timedelta(microseconds=wait)
        if self.state.phase is Phase.RUNNING:
            self.stretches.append((self.at, at))
        self.at = at

    @invariant()
    def folding_is_stepping(self) -> None:
        assert folded(self.events, MINUTES) == self.state
        assert self.state.version == len(self.events)

    @invariant()
    def what_is_known_suits_the_phase(self) -> None:
        state = self.state
        assert (state.started_at is not None) == (state.phase not in (E, G, A))
        assert (state.ended_at is not None) == (state.end is not None) == (state.phase in (X, D, U))
        assert any(still.end is None for still in state.standstills) == (state.phase in (P, F))
        assert (state.report is not None) == (state.phase is F)
        assert (state.device is not None) == (state.phase in UNDER_WAY)
        assert (state.outcome is not None) == (state.scoring is not None) == (state.phase in (D, U))
        assert state.outcome != TO_REVIEW or state.phase is D

    @invariant()
    def the_time_used_is_the_time_that_ran(self) -> None:
        state = self.state
        if state.started_at is not None:
            ran = sum((end - begin for begin, end in self.stretches), timedelta())
            assert used(state.started_at, state.standstills, state.ended_at or self.at) == ran


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=200, stateful_step_count=40)
