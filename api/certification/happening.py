"""Something happens to a candidate: the one way in which their facts are stored.

The state is folded from the facts inside the transaction of the writer, the row being locked, so that no two facts
are decided on the same ground; :mod:`api.certification.states` says whether the fact is possible.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from api.certification.records import Candidate
from api.certification.repository import add_candidate_event, candidate_events, candidate_of, change_candidate
from api.certification.states import CandidateState, Event, IllegalFactError, Kind, after, check, folded
from api.problems import NOT_NOW, UNKNOWN_CANDIDATE, Problem


@dataclass(frozen=True)
class Standing:
    """A candidate with the state that their facts lead to."""

    candidate: Candidate
    state: CandidateState


def unknown_candidate() -> Problem:
    """Build the problem for a candidate who does not exist, or whom the caller may not know of."""
    return Problem(UNKNOWN_CANDIDATE, "There is no candidate of this id here: check the id and the session.")


def standing(connection: Connection, candidate_id: str, minutes: float = 15.0, lock: bool = False) -> Standing:
    """Read where a candidate stands; ``lock`` when something will be stored in the same transaction."""
    candidate = candidate_of(connection, candidate_id, lock)
    if candidate is None:
        raise unknown_candidate()
    state = folded(candidate_events(connection, candidate_id), minutes)
    assert state is not None
    return Standing(candidate, state)


def happen(
    connection: Connection,
    now: Standing,
    kind: Kind,
    at: datetime,
    who: str,
    why: str | None = None,
    data: Mapping[str, Any] | None = None,
    changes: Mapping[str, Any] | None = None,
    minutes: float = 15.0,
) -> Standing:
    """Store a fact of a candidate.

    Parameters
    ----------
    connection : Connection
        Of the writer's transaction.
    now : Standing
        Read with ``lock`` in the same transaction.
    kind, at, who, why, data
        Of the fact; one that would be older than the last gets its time.
    changes : mapping, optional
        Columns of the candidate that change with it.
    minutes : float
        For which an authorisation is valid.

    Raises
    ------
    Problem
        409 when the state does not allow the fact.
    """
    event = Event(now.state.version + 1, kind.value, max(at, now.state.at), who, why, data or {})
    try:
        state = after(now.state, event, minutes)
    except IllegalFactError as error:
        raise Problem(NOT_NOW, str(error), state=now.state.phase.value, reason="state") from None
    add_candidate_event(connection, now.candidate.id, event)
    values = {**(changes or {}), "state": state.phase.value, "version": state.version}
    change_candidate(connection, now.candidate.id, values)
    return Standing(Candidate(**{**vars(now.candidate), **values}), state)


def possible(now: Standing, kind: Kind, at: datetime, data: Mapping[str, Any] | None = None) -> None:
    """Raise a 409 problem when the state of a candidate does not allow a fact."""
    try:
        check(now.state, kind, max(at, now.state.at), data or {})
    except IllegalFactError as error:
        raise Problem(NOT_NOW, str(error), state=now.state.phase.value, reason="state") from None


Change = Callable[[Connection, Standing], Standing]
"""What a request does to a candidate, in the writer's transaction."""
