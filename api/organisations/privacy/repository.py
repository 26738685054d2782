"""SQL that reads everything that is kept of a learner."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, select

from api.campaigns.tables import campaigns, participations
from api.certification.tables import candidate_facts, candidates, certificates, scorings, sessions
from api.clock import iso
from api.organisations.tables import accesses, identities, learner_import_rows, organisations, registrations
from api.tables import facts, learners, runs

_SECRET: Final = frozenset({"token_hash", "access_code", "code_hash", "device_hash", "waiting_hash", "seed"})
_OF_THE_TEST: Final = frozenset({"part", "parameters", "copied"})
"""What is said of the items and of other candidates, and not of the learner."""
_ORGANISATION: Final = organisations.c.name.label("organisation")


def learner_row(connection: Connection, learner_id: str) -> dict[str, Any] | None:
    """Return the account of that id, of any platform."""
    row = connection.execute(select(learners).where(learners.c.id == learner_id)).one_or_none()
    return None if row is None else _plain(row)


def identities_kept(connection: Connection, learner_id: str) -> list[dict[str, Any]]:
    """Return the INE by which an account is found again."""
    return _rows(connection, select(identities).where(identities.c.learner_id == learner_id))


def registrations_kept(connection: Connection, learner_id: str, of: str | None = None) -> list[dict[str, Any]]:
    """Return what lists of learners say of an account: every list, or that of one organisation."""
    query = select(registrations, _ORGANISATION).join(organisations)
    query = query.where(registrations.c.learner_id == learner_id, *_of(registrations.c.organisation_id, of))
    return _rows(connection, query.order_by(registrations.c.id))


def waiting_kept(connection: Connection, learner_id: str, registration_ids: Iterable[str]) -> list[dict[str, Any]]:
    """Return what files that wait to be applied say of an account."""
    query = select(learner_import_rows).where(
        (learner_import_rows.c.learner_id == learner_id)
        | learner_import_rows.c.registration_id.in_(list(registration_ids))
    )
    return _rows(connection, query.order_by(learner_import_rows.c.import_id, learner_import_rows.c.line))


def runs_kept(connection: Connection, learner_id: str) -> list[dict[str, Any]]:
    """Return the runs of an account, each with its facts."""
    found = _rows(connection, select(runs).where(runs.c.learner_id == learner_id).order_by(runs.c.id))
    for run in found:
        query = select(facts).where(facts.c.run_id == run["id"]).order_by(facts.c.position, facts.c.part)
        run["facts"] = _rows(connection, query)
    return found


def participations_kept(connection: Connection, learner_id: str, of: str | None = None) -> list[dict[str, Any]]:
    """Return the participations of an account in campaigns: all of them, or in those of one organisation."""
    query = (
        select(participations, campaigns.c.title.label("campaign"), campaigns.c.kind, _ORGANISATION)
        .join(campaigns, campaigns.c.id == participations.c.campaign_id)
        .join(organisations, organisations.c.id == campaigns.c.organisation_id)
        .where(participations.c.learner_id == learner_id, *_of(campaigns.c.organisation_id, of))
    )
    return _rows(connection, query.order_by(participations.c.id))


def certifications_kept(connection: Connection, learner_id: str, of: str | None = None) -> list[dict[str, Any]]:
    """Return the enrolments of an account, each with its facts, scorings and certificates."""
    query = (
        select(candidates, sessions.c.date, sessions.c.time, sessions.c.place, _ORGANISATION)
        .join(sessions, sessions.c.id == candidates.c.session_id)
        .join(organisations, organisations.c.id == sessions.c.organisation_id)
        .where(candidates.c.learner_id == learner_id, *_of(sessions.c.organisation_id, of))
    )
    found = _rows(connection, query.order_by(candidates.c.id))
    for candidate in found:
        for name, table, order in (
            ("facts", candidate_facts, candidate_facts.c.number),
            ("scorings", scorings, scorings.c.version),
            ("certificates", certificates, certificates.c.scoring_version),
        ):
            own = select(table).where(table.c.candidate_id == candidate["id"]).order_by(order)
            candidate[name] = _rows(connection, own)
    return found


def accesses_kept(
    connection: Connection, learner_id: str, of: str | None = None, after: str | None = None, limit: int | None = None
) -> list[dict[str, Any]]:
    """Return who saw what of a learner, the latest first, those before ``after``."""
    query = select(accesses).where(accesses.c.learner_id == learner_id, *_of(accesses.c.organisation_id, of))
    if after is not None:
        query = query.where(accesses.c.id < after)
    return _rows(connection, query.order_by(accesses.c.id.desc()).limit(limit))


def _of(column: ColumnElement[Any], organisation_id: str | None) -> list[ColumnElement[bool]]:
    return [] if organisation_id is None else [column == organisation_id]


def _rows(connection: Connection, query: Select[Any]) -> list[dict[str, Any]]:
    return [_plain(row) for row in connection.execute(query)]


def _plain(row: Row[Any]) -> dict[str, Any]:
    """Write a row as plain data, without the secrets that open something."""
    return {
        name: iso(value) if isinstance(value, datetime) else value
        for name, value in row._asdict().items()
        if name not in _SECRET | _OF_THE_TEST
    }
