"""Something happens to a session: the one way in which its facts are stored."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from api.certification.records import Session
from api.certification.repository import add_session_event, change_session, session_events
from api.certification.session_states import SessionKind, after, folded
from api.certification.states import Event, IllegalFactError
from api.problems import NOT_NOW, Problem


def session_happen(
    connection: Connection,
    session: Session,
    kind: SessionKind,
    at: datetime,
    who: str,
    why: str | None = None,
    data: Mapping[str, Any] | None = None,
    changes: Mapping[str, Any] | None = None,
) -> Session:
    """Store a fact of a session.

    Parameters
    ----------
    connection : Connection
        Of the writer's transaction.
    session : Session
        Read with ``lock`` in the same transaction; or, when it is being created, to be stored in it.
    kind, at, who, why, data
        Of the fact; one that would be older than the last gets its time.
    changes : mapping, optional
        Columns of the session that change with it.

    Returns
    -------
    Session
        As it is now.

    Raises
    ------
    Problem
        409 when the state does not allow the fact.
    """
    now = folded(session_events(connection, session.id))
    number, moment = (1, at) if now is None else (now.version + 1, max(at, now.at))
    event = Event(number, kind.value, moment, who, why, data or {})
    try:
        state = after(now, event)
    except IllegalFactError as error:
        raise Problem(NOT_NOW, str(error), state=None if now is None else now.phase.value, reason="state") from None
    add_session_event(connection, session.id, event)
    values = {**(changes or {}), "state": state.phase.value, "version": state.version}
    change_session(connection, session.id, values)
    return Session(**{**vars(session), **values})
