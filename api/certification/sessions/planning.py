"""What a session may look like: its day, its window, its zone and its invigilators, checked before it is stored."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import Connection

from api.certification.records import Session
from api.organisations.repository import members_of_organisation
from api.problems import INVALID_REQUEST, NOT_NOW, Problem
from engine.certification import CertificationDesign

AHEAD = timedelta(days=730)
"""How far ahead a session may be planned."""


def starts_at(session: Session) -> datetime:
    """Moment at which a session is to begin; of an hour that comes twice, the first."""
    return datetime.fromisoformat(f"{session.date}T{session.time}").replace(tzinfo=ZoneInfo(session.zone))


def checked_window(rules: CertificationDesign, day: str, window: str | None) -> str:
    """Return the name of the window in which a session lies, empty when the rules have none; raise 422."""
    when = date.fromisoformat(day)
    names = [one.name for one in rules.windows]
    if window is None:
        found = rules.window(when)
        if found is not None or not names:
            return "" if found is None else found.name
        spans = ", ".join(f"{one.name} from {one.first} to {one.last}" for one in rules.windows)
        raise Problem(
            INVALID_REQUEST,
            f"No session may be held on {day}: choose a date in a window ({spans}).",
            reason="no-window",
        )
    chosen = next((one for one in rules.windows if one.name == window), None)
    if chosen is None:
        known = f"use one of {', '.join(map(repr, names))}" if names else "leave it out"
        raise Problem(INVALID_REQUEST, f"The rules have no window {window!r}: {known}.", reason="unknown-window")
    if not chosen.holds(when):
        raise Problem(
            INVALID_REQUEST,
            f"{day} is not in the window {window!r}, which runs from {chosen.first} to {chosen.last}: choose another "
            "date, or another window.",
            reason="outside-window",
        )
    return window


def checked_zone(zone: str) -> str:
    """Return the name of a time zone; raise 422 when there is none of it."""
    if zone not in _zones():
        raise Problem(
            INVALID_REQUEST, f"There is no time zone {zone!r}: write one such as Europe/Paris.", reason="unknown-zone"
        )
    return zone


def checked_day(day: str, zone: str, at: datetime) -> str:
    """Return a day that is not over where the session is held; raise 422."""
    today = at.astimezone(ZoneInfo(zone)).date().isoformat()
    if day < today:
        raise Problem(INVALID_REQUEST, f"{day} is over: choose a date from {today} on.", reason="day-over")
    last = (at + AHEAD).date().isoformat()
    if day > last:
        raise Problem(INVALID_REQUEST, f"{day} is too far ahead: choose a date until {last}.", reason="too-far")
    return day


def check_hour(rules: CertificationDesign, session: Session, at: datetime) -> None:
    """Raise a 409 problem unless a test of a session may start at a moment."""
    if rules.too_early(starts_at(session), at):
        raise Problem(
            NOT_NOW,
            f"The session is planned for {_planned(session)}, and no test starts more than "
            f"{rules.early_minutes:g} minutes before: wait until then.",
            state=session.state,
            reason="too-early",
            minutes=rules.early_minutes,
        )
    check_not_over(rules, session, at)


def check_not_over(rules: CertificationDesign, session: Session, at: datetime) -> None:
    """Raise a 409 problem when no test of a session may start any more at a moment."""
    if rules.too_late(starts_at(session), at):
        raise Problem(
            NOT_NOW,
            f"The session was planned for {_planned(session)}, and no test starts more than "
            f"{rules.late_minutes:g} minutes after: plan another session.",
            state=session.state,
            reason="too-late",
            minutes=rules.late_minutes,
        )


def checked_invigilators(connection: Connection, organisation_id: str, ids: Sequence[str]) -> list[str]:
    """Return the ids of members of the organisation, each once; raise 422 when one is not, or not any more."""
    working = {
        member.id for member in members_of_organisation(connection, organisation_id) if member.revoked_at is None
    }
    wanted = list(dict.fromkeys(one.lower() for one in ids))
    for one in wanted:
        if one not in working:
            raise Problem(
                INVALID_REQUEST,
                f"The organisation has no member {one!r} whose token works: name members as invigilators.",
                reason="unknown-invigilator",
            )
    return wanted


def _planned(session: Session) -> str:
    return f"{session.date} at {session.time} ({session.zone})"


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
