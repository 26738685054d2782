"""The states of a candidate: what each fact makes of them, and which facts are possible. Pure.

A candidate's state is folded from their facts, in order; :func:`after` refuses a fact that the state does not allow,
with a sentence. The clock of the test stands still while the invigilator pauses it, and while a reported problem waits
for the invigilator, for the item is hidden then.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from engine.clock import Standstill


class Phase(StrEnum):
    """Where a candidate stands."""

    ENROLLED = "enrolled"
    RUNNING = "running"
    PAUSED = "paused"
    FROZEN = "frozen"  # a reported problem waits for the invigilator
    ENDED = "ended"
    DECIDED = "decided"
    PUBLISHED = "published"
    REMOVED = "removed"
    ABSENT = "absent"


class Kind(StrEnum):
    """What may happen to a candidate."""

    ENROLLED = "enrolled"
    CHANGED = "changed"  # accommodations, before the start
    REMOVED = "removed"
    ARRIVED = "arrived"  # identified on a device, which waits to be authorised
    AUTHORISED = "authorised"
    STARTED = "started"
    RETURNED = "returned"  # goes on, on the authorised device
    PAUSED = "paused"
    RESUMED = "resumed"
    REPORTED = "reported"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"
    INCIDENT = "incident"
    ENDED = "ended"
    ABSENT = "absent"
    DECIDED = "decided"
    REVIEWED = "reviewed"
    RESCORED = "rescored"
    PUBLISHED = "published"
    REVOKED = "revoked"


TO_REVIEW: Final = "to_review"
VALIDATED: Final = "validated"
UNDER_WAY: Final = frozenset({Phase.RUNNING, Phase.PAUSED, Phase.FROZEN})
_BEFORE_END: Final = UNDER_WAY | {Phase.ENROLLED}
_SEATED: Final = frozenset(Phase) - {Phase.REMOVED}

POSSIBLE: Final[Mapping[Kind, frozenset[Phase]]] = {
    Kind.ENROLLED: frozenset({Phase.REMOVED}),  # again; and as the first fact
    Kind.CHANGED: frozenset({Phase.ENROLLED}),
    Kind.REMOVED: frozenset({Phase.ENROLLED}),
    Kind.ARRIVED: _BEFORE_END,
    Kind.AUTHORISED: _BEFORE_END,
    Kind.STARTED: frozenset({Phase.ENROLLED}),
    Kind.RETURNED: UNDER_WAY,
    Kind.PAUSED: frozenset({Phase.RUNNING}),
    Kind.RESUMED: frozenset({Phase.PAUSED}),
    Kind.REPORTED: frozenset({Phase.RUNNING}),
    Kind.ACCEPTED: frozenset({Phase.FROZEN}),
    Kind.DISMISSED: frozenset({Phase.FROZEN}),
    Kind.INCIDENT: _SEATED,
    Kind.ENDED: UNDER_WAY,
    Kind.ABSENT: frozenset({Phase.ENROLLED}),
    Kind.DECIDED: frozenset({Phase.ENDED}),
    Kind.REVIEWED: frozenset({Phase.DECIDED}),
    Kind.RESCORED: frozenset({Phase.DECIDED, Phase.PUBLISHED}),
    Kind.PUBLISHED: frozenset({Phase.DECIDED}),
    Kind.REVOKED: frozenset({Phase.PUBLISHED}),
}
"""Phases in which a fact may happen; being enrolled is the first fact of all."""

_LEADS_TO: Final[Mapping[Kind, Phase]] = {
    Kind.ENROLLED: Phase.ENROLLED,
    Kind.REMOVED: Phase.REMOVED,
    Kind.STARTED: Phase.RUNNING,
    Kind.PAUSED: Phase.PAUSED,
    Kind.RESUMED: Phase.RUNNING,
    Kind.REPORTED: Phase.FROZEN,
    Kind.ACCEPTED: Phase.RUNNING,
    Kind.DISMISSED: Phase.RUNNING,
    Kind.ENDED: Phase.ENDED,
    Kind.ABSENT: Phase.ABSENT,
    Kind.DECIDED: Phase.DECIDED,
    Kind.RESCORED: Phase.DECIDED,
    Kind.PUBLISHED: Phase.PUBLISHED,
}


class IllegalFactError(Exception):
    """The state does not allow the fact; the message says what to do."""


@dataclass(frozen=True)
class Event:
    """One fact of a candidate or of a session."""

    number: int
    kind: str
    at: datetime
    who: str
    why: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CandidateState:
    """A candidate after some facts.

    Parameters
    ----------
    phase : Phase
    version : int
        Facts so far; the next has this number.
    at : datetime
        Of the last fact.
    device, waiting : str or None
        Device (a name drawn by the server, never its token) that takes the test, and the one that asks to.
    authorised : str or None
        Device that may start or go on, until ``authorised_until``.
    started_at, ended_at : datetime or None
    standstills : tuple of Standstill
        When the clock stood still; the last may still be open.
    report : mapping or None
        ``position, item, asked_at`` (ISO 8601) and ``why`` of the problem that waits for the invigilator.
    end, end_why : str or None
        Why the test ended.
    outcome : str or None
        As decided, reviewed or scored again last.
    scoring : int or None
        Version of the scoring in force.
    revoked : bool
    """

    phase: Phase
    version: int
    at: datetime
    device: str | None = None
    waiting: str | None = None
    authorised: str | None = None
    authorised_until: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    standstills: tuple[Standstill, ...] = ()
    report: Mapping[str, Any] | None = None
    end: str | None = None
    end_why: str | None = None
    outcome: str | None = None
    scoring: int | None = None
    revoked: bool = False


def folded(events: Iterable[Event], authorised_minutes: float = 15.0) -> CandidateState | None:
    """State after all the facts of a candidate, None without any."""
    state = None
    for event in events:
        state = after(state, event, authorised_minutes)
    return state


def after(state: CandidateState | None, event: Event, authorised_minutes: float = 15.0) -> CandidateState:
    """State after one more fact.

    Parameters
    ----------
    state : CandidateState or None
        None before the first fact.
    event : Event
        Its time is not before that of the fact before.
    authorised_minutes : float
        How long an authorisation is valid.

    Returns
    -------
    CandidateState

    Raises
    ------
    IllegalFactError
        When the state does not allow it.
    """
    kind = Kind(event.kind)
    if state is None:
        if kind is not Kind.ENROLLED:
            raise IllegalFactError("The candidate is not enrolled yet: enrol them first.")
        return CandidateState(Phase.ENROLLED, 1, event.at)
    check(state, kind, event.at, event.data)
    moved = replace(state, phase=_LEADS_TO.get(kind, state.phase), version=state.version + 1, at=event.at)
    match kind:
        case Kind.ARRIVED:
            return replace(moved, waiting=event.data["device"])
        case Kind.AUTHORISED:
            until = event.at + timedelta(minutes=authorised_minutes)
            return replace(moved, authorised=state.waiting, authorised_until=until)
        case Kind.STARTED | Kind.RETURNED:
            used = {"device": event.data["device"], "waiting": None, "authorised": None, "authorised_until": None}
            begun = {"started_at": event.at} if kind is Kind.STARTED else {}
            return replace(moved, **used, **begun)  # type: ignore[arg-type]
        case Kind.REMOVED:
            return replace(moved, waiting=None, authorised=None, authorised_until=None)
        case Kind.PAUSED:
            return replace(moved, standstills=(*state.standstills, Standstill(event.at, None)))
        case Kind.REPORTED:
            report = {**event.data, "why": event.why}
            return replace(moved, report=report, standstills=(*state.standstills, Standstill(event.at, None)))
        case Kind.RESUMED | Kind.DISMISSED:
            return replace(moved, report=None, standstills=_closed(state, event.at))
        case Kind.ACCEPTED:
            assert state.report is not None
            given_back = Standstill(datetime.fromisoformat(state.report["asked_at"]), event.at)
            return replace(moved, report=None, standstills=(*_closed(state, event.at), given_back))
        case Kind.ENDED:
            at = datetime.fromisoformat(event.data["at"]) if "at" in event.data else event.at
            ended = {"ended_at": at, "end": event.data["end"], "end_why": event.why}
            gone = {"device": None, "waiting": None, "authorised": None, "authorised_until": None, "report": None}
            return replace(moved, **ended, **gone, standstills=_closed(state, at))  # type: ignore[arg-type]
        case Kind.DECIDED | Kind.RESCORED:
            return replace(moved, outcome=event.data["outcome"], scoring=event.data["scoring"])
        case Kind.REVIEWED:
            return replace(moved, outcome=event.data["outcome"])
        case Kind.REVOKED:
            return replace(moved, revoked=True)
        case Kind.PUBLISHED:
            return replace(moved, revoked=False)
        case _:
            return moved


def check(state: CandidateState, kind: Kind, at: datetime, data: Mapping[str, Any]) -> None:
    """Raise ``IllegalFactError`` when the state does not allow a fact."""
    if kind is Kind.ENROLLED and state.phase is not Phase.REMOVED:
        raise IllegalFactError("The candidate is enrolled already.")
    if state.phase not in POSSIBLE[kind]:
        raise IllegalFactError(f"{_SENTENCES[kind]}: the candidate is {state.phase.value}.")
    if at < state.at:
        raise IllegalFactError("The fact is older than the one before it: send it again.")
    if kind is Kind.AUTHORISED and state.waiting is None:
        raise IllegalFactError("Nobody waits to be authorised: the candidate first enters the code of the session.")
    if kind in (Kind.STARTED, Kind.RETURNED):
        _check_authorised(state, at, data)
    if kind is Kind.REVIEWED and state.outcome != TO_REVIEW:
        raise IllegalFactError(f"There is nothing to review: the outcome is {state.outcome}.")
    if kind is Kind.PUBLISHED and state.outcome == TO_REVIEW:
        raise IllegalFactError("The jury has not decided yet: review the candidate first.")
    if kind is Kind.REVOKED and (state.outcome != VALIDATED or state.revoked):
        raise IllegalFactError("There is no certificate to revoke.")


def _check_authorised(state: CandidateState, at: datetime, data: Mapping[str, Any]) -> None:
    if state.authorised is None or state.authorised != data["device"] or state.authorised_until is None:
        raise IllegalFactError("The invigilator has not authorised this device: ask the invigilator.")
    if at >= state.authorised_until:
        raise IllegalFactError("The authorisation has lapsed: ask the invigilator for another.")


def _closed(state: CandidateState, at: datetime) -> tuple[Standstill, ...]:
    """Standstills of which none is open after ``at``."""
    return tuple(still if still.end is not None else Standstill(still.begin, at) for still in state.standstills)


_SENTENCES: Final[Mapping[Kind, str]] = {
    Kind.CHANGED: "Accommodations cannot change now",
    Kind.REMOVED: "The candidate cannot be taken off the list now",
    Kind.ARRIVED: "The test cannot be entered now",
    Kind.AUTHORISED: "There is nothing to authorise now",
    Kind.STARTED: "The test cannot start now",
    Kind.RETURNED: "There is no test to go on with",
    Kind.PAUSED: "The test cannot be paused now",
    Kind.RESUMED: "The test is not paused",
    Kind.REPORTED: "No problem can be reported now",
    Kind.ACCEPTED: "No reported problem waits",
    Kind.DISMISSED: "No reported problem waits",
    Kind.INCIDENT: "No incident can be noted now",
    Kind.ENDED: "There is no test to end",
    Kind.ABSENT: "The candidate cannot be absent now",
    Kind.DECIDED: "Nothing can be decided now",
    Kind.REVIEWED: "Nothing can be reviewed now",
    Kind.RESCORED: "There is nothing to score again",
    Kind.PUBLISHED: "Nothing can be published now",
    Kind.REVOKED: "There is no certificate to revoke",
}
