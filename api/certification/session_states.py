"""The states of a session: what each fact makes of them, and which facts are possible. Pure.

As with candidates, the state is folded from the facts in order, and :func:`after` refuses what the state does not
allow. What depends on more than the state (feasibility, candidates under way, outcomes to review) is for the services.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from api.certification.states import Event, IllegalFactError


class SessionPhase(StrEnum):
    """Where a session stands."""

    DRAFT = "draft"
    OPEN = "open"  # candidates may come in
    FINALISED = "finalised"  # every test has ended, for a known reason, and is decided on
    PUBLISHED = "published"
    CANCELLED = "cancelled"


class SessionKind(StrEnum):
    """What may happen to a session."""

    CREATED = "created"
    CHANGED = "changed"
    OPENED = "opened"
    INCIDENT = "incident"
    FINALISED = "finalised"
    PUBLISHED = "published"
    CANCELLED = "cancelled"


POSSIBLE: Final[Mapping[SessionKind, frozenset[SessionPhase]]] = {
    SessionKind.CHANGED: frozenset({SessionPhase.DRAFT, SessionPhase.OPEN}),
    SessionKind.OPENED: frozenset({SessionPhase.DRAFT}),
    SessionKind.INCIDENT: frozenset({SessionPhase.OPEN, SessionPhase.FINALISED, SessionPhase.PUBLISHED}),
    SessionKind.FINALISED: frozenset({SessionPhase.OPEN}),
    SessionKind.PUBLISHED: frozenset({SessionPhase.FINALISED, SessionPhase.PUBLISHED}),  # again after a new scoring
    SessionKind.CANCELLED: frozenset({SessionPhase.DRAFT, SessionPhase.OPEN}),
}
"""Phases in which a fact may happen; being created is the first fact and only that."""

_LEADS_TO: Final[Mapping[SessionKind, SessionPhase]] = {
    SessionKind.CREATED: SessionPhase.DRAFT,
    SessionKind.OPENED: SessionPhase.OPEN,
    SessionKind.FINALISED: SessionPhase.FINALISED,
    SessionKind.PUBLISHED: SessionPhase.PUBLISHED,
    SessionKind.CANCELLED: SessionPhase.CANCELLED,
}


@dataclass(frozen=True)
class SessionState:
    """A session after some facts; ``version`` is their number, ``at`` the time of the last."""

    phase: SessionPhase
    version: int
    at: datetime


def folded(events: Iterable[Event]) -> SessionState | None:
    """State after all the facts of a session, None without any.

    >>> from datetime import UTC
    >>> at = datetime(2027, 1, 11, 8, tzinfo=UTC)
    >>> folded([Event(1, "created", at, "member:x"), Event(2, "opened", at, "member:x")]).phase.value
    'open'
    """
    state = None
    for event in events:
        state = after(state, event)
    return state


def after(state: SessionState | None, event: Event) -> SessionState:
    """State after one more fact.

    Parameters
    ----------
    state : SessionState or None
        None before the first fact.
    event : Event
        Its time is not before that of the fact before.

    Returns
    -------
    SessionState

    Raises
    ------
    IllegalFactError
        When the state does not allow it.
    """
    kind = SessionKind(event.kind)
    if state is None:
        if kind is not SessionKind.CREATED:
            raise IllegalFactError("The session does not exist yet: create it first.")
        return SessionState(SessionPhase.DRAFT, 1, event.at)
    if kind is SessionKind.CREATED:
        raise IllegalFactError("The session exists already.")
    if state.phase not in POSSIBLE[kind]:
        raise IllegalFactError(f"{_SENTENCES[kind]}: it is {_WORDS[state.phase]}.")
    if event.at < state.at:
        raise IllegalFactError("The fact is older than the one before it: send it again.")
    return SessionState(_LEADS_TO.get(kind, state.phase), state.version + 1, event.at)


_WORDS: Final[Mapping[SessionPhase, str]] = {
    SessionPhase.DRAFT: "not open yet",
    SessionPhase.OPEN: "open",
    SessionPhase.FINALISED: "finalised",
    SessionPhase.PUBLISHED: "published",
    SessionPhase.CANCELLED: "cancelled",
}
_SENTENCES: Final[Mapping[SessionKind, str]] = {
    SessionKind.CHANGED: "The session cannot be changed now",
    SessionKind.OPENED: "The session cannot be opened now",
    SessionKind.INCIDENT: "No incident of the session can be noted now",
    SessionKind.FINALISED: "The session cannot be finalised now",
    SessionKind.PUBLISHED: "The session cannot be published now",
    SessionKind.CANCELLED: "The session cannot be cancelled now",
}
