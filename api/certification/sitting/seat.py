"""Where a candidate sits: their state, their session and its rules, and what is left of their time."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from api.certification.happening import Standing, unknown_candidate
from api.certification.records import Candidate, Session
from api.certification.repository import candidate_events, candidate_of, session_of
from api.certification.states import UNDER_WAY, CandidateState, Event, Phase, folded
from api.identifiers import CODE_ALPHABET
from api.problems import CLOCK_STANDS, TIME_IS_UP, Problem
from api.runs.pinned import Pins
from engine.certification import CertificationDesign
from engine.clock import deadline, used

TIME: Final = "time"
"""Why a test ended whose time was up."""
_LETTERS: Final = 4


@dataclass(frozen=True)
class Seat:
    """A candidate in their session."""

    standing: Standing
    session: Session
    rules: CertificationDesign

    @property
    def candidate(self) -> Candidate:
        """The candidate."""
        return self.standing.candidate

    @property
    def state(self) -> CandidateState:
        """What their facts lead to."""
        return self.standing.state

    @property
    def run_id(self) -> str:
        """The run that the candidate takes, or took."""
        assert self.candidate.run_id is not None
        return self.candidate.run_id

    @property
    def limit(self) -> timedelta:
        """Time of the test."""
        return self.candidate.limit(self.rules.minutes)

    @property
    def deadline(self) -> datetime | None:
        """When the time is up; None while that is not known: before the start, and while the clock stands."""
        return deadline_of(self.standing, self.rules)

    def over(self, at: datetime) -> bool:
        """Whether the time of a test under way is up."""
        due = self.deadline if self.state.phase in UNDER_WAY else None
        return due is not None and at >= due

    def used(self, at: datetime) -> timedelta:
        """Time used so far, or in all when the test is over."""
        state = self.state
        if state.started_at is None:
            return timedelta()
        return used(state.started_at, state.standstills, at if state.ended_at is None else state.ended_at)

    def shown(self, at: datetime) -> CandidateState:
        """State to show: a test whose time is up has ended, even when that is not stored yet."""
        if not self.over(at):
            return self.state
        return replace(self.state, phase=Phase.ENDED, ended_at=self.deadline, end=TIME, device=None, waiting=None)

    def moved(self, standing: Standing) -> "Seat":
        """Return the same seat after something happened."""
        return replace(self, standing=standing)


def deadline_of(now: Standing, rules: CertificationDesign) -> datetime | None:
    """When the time of a candidate is up; None before the start, and while the clock stands."""
    state = now.state
    if state.started_at is None:
        return None
    return deadline(state.started_at, now.candidate.limit(rules.minutes), state.standstills)


def seat_of(connection: Connection, pins: Pins, candidate_id: str, lock: bool = False) -> Seat:
    """Read where a candidate sits; ``lock`` when something will be stored in the same transaction."""
    candidate = candidate_of(connection, candidate_id, lock)
    if candidate is None:
        raise unknown_candidate()
    session = session_of(connection, candidate.session_id)
    assert session is not None
    rules = pins.rules(connection, session.rules_hash)
    return taken(candidate, session, rules, candidate_events(connection, candidate_id))


def taken(candidate: Candidate, session: Session, rules: CertificationDesign, events: list[Event]) -> Seat:
    """Make the seat of a candidate from their facts."""
    state = folded(events, rules.authorised_minutes)
    assert state is not None
    return Seat(Standing(candidate, state), session, rules)


def device_name(token_hash: str) -> str:
    """Name a device by a few letters, for the room to tell devices apart: they say nothing of its token.

    >>> device_name("00" * 32)
    '2222'
    """
    number, letters = int(token_hash[-12:], 16), ""
    for _ in range(_LETTERS):
        number, place = divmod(number, len(CODE_ALPHABET))
        letters += CODE_ALPHABET[place]
    return letters


def time_is_up() -> Problem:
    """Build the problem for what comes after the end of the time."""
    return Problem(TIME_IS_UP, "The time of the test is up: nothing more is taken, and what was answered counts.")


def clock_stands(phase: Phase) -> Problem:
    """Build the problem for an answer while the test is paused, or waits for the invigilator."""
    what = "The test is paused" if phase is Phase.PAUSED else "The invigilator looks at the reported problem"
    detail = f"{what}, and the clock stands: send it again when the test goes on."
    return Problem(CLOCK_STANDS, detail, state=phase.value)
