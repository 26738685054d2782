"""SQL of everything that is kept of a learner, wherever it is."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, delete, exists, func, or_, select, update

from api.campaigns.tables import campaigns, participations
from api.certification.session_states import SessionPhase
from api.certification.tables import candidate_facts, candidates, certificates, scorings, sessions
from api.identifiers import fingerprint, new_access_code, new_secret
from api.organisations.tables import accesses, deeds, identities, learner_import_rows, learner_imports, registrations
from api.tables import facts, learners, runs

_SECRET = frozenset(("token_hash", "access_code", "device_hash", "waiting_hash", "code_hash"))
NOBODY = ""
"""What stands for a name that was erased."""
UNBORN = "0001-01-01"


def everything(connection: Connection, learner_id: str) -> dict[str, list[dict[str, Any]]]:
    """Return every row about an account, by table; nothing that opens a door."""
    own = (learners, learners.c.id == learner_id)
    ran = select(runs.c.id).where(runs.c.learner_id == learner_id)
    sat = select(candidates.c.id).where(candidates.c.learner_id == learner_id)
    parts = (
        own,
        *((table, table.c.learner_id == learner_id) for table in (identities, registrations, participations, runs)),
        (facts, facts.c.run_id.in_(ran)),
        (candidates, candidates.c.learner_id == learner_id),
        *((table, table.c.candidate_id.in_(sat)) for table in (candidate_facts, scorings, certificates)),
        (learner_import_rows, _waiting(learner_id)),
        (accesses, accesses.c.learner_id == learner_id),
    )
    return {table.name: _rows(connection, table, condition) for table, condition in parts}


def is_known(connection: Connection, learner_id: str, lock: bool = False) -> bool:
    """Tell whether there is an account of this id; ``lock`` keeps others from enrolling it."""
    query = select(learners.c.id).where(learners.c.id == learner_id)
    return connection.execute(query.with_for_update() if lock else query).one_or_none() is not None


def accesses_of(connection: Connection, learner_id: str, after: str | None, limit: int) -> list[dict[str, Any]]:
    """Return who saw what of a learner, the latest first, those before ``after``."""
    query = select(accesses).where(accesses.c.learner_id == learner_id)
    if after is not None:
        query = query.where(accesses.c.id < after)
    return [row._asdict() for row in connection.execute(query.order_by(accesses.c.id.desc()).limit(limit))]


def states_of_candidate(connection: Connection, learner_id: str) -> set[str]:
    """Return where the learner stands in every session that is not cancelled."""
    query = select(candidates.c.state).join(sessions, sessions.c.id == candidates.c.session_id)
    held = sessions.c.state != SessionPhase.CANCELLED.value  # nobody is taken off the list of one that is
    return set(connection.scalars(query.where(candidates.c.learner_id == learner_id, held)))


def candidates_of_learner(connection: Connection, learner_id: str) -> list[str]:
    """Return the ids of a learner's enrolments."""
    query = select(candidates.c.id).where(candidates.c.learner_id == learner_id)
    return list(connection.scalars(query.order_by(candidates.c.id)))


def organisations_of_learner(connection: Connection, learner_id: str) -> list[str]:
    """Return the organisations that keep something of a learner."""
    queries = (
        select(registrations.c.organisation_id).where(registrations.c.learner_id == learner_id),
        select(campaigns.c.organisation_id).join(participations).where(participations.c.learner_id == learner_id),
        select(sessions.c.organisation_id).join(candidates).where(candidates.c.learner_id == learner_id),
    )
    return sorted({found for query in queries for found in connection.scalars(query)})


def erase(connection: Connection, learner_id: str) -> None:
    """Forget who a learner is; answers, results that were sent and scorings stay, and lead to nobody.

    Accommodations stay with the facts of the sitting, which never change and from which its proof follows.
    """
    _forget_examples(connection, learner_id)
    _unname(connection, participations.c.learner_id == learner_id)
    connection.execute(delete(learner_import_rows).where(_waiting(learner_id)))
    connection.execute(delete(registrations).where(registrations.c.learner_id == learner_id))
    connection.execute(delete(identities).where(identities.c.learner_id == learner_id))
    connection.execute(delete(accesses).where(accesses.c.learner_id == learner_id))
    connection.execute(update(learners).where(learners.c.id == learner_id).values(external_id=None))
    for run_id in connection.scalars(select(runs.c.id).where(runs.c.learner_id == learner_id)).all():
        doors = {"access_code": new_access_code(), "token_hash": fingerprint(new_secret())}
        connection.execute(update(runs).where(runs.c.id == run_id).values(**doors))
    sat = select(candidates.c.id).where(candidates.c.learner_id == learner_id)
    connection.execute(
        update(certificates).where(certificates.c.candidate_id.in_(sat)).values(shows_name=False, shows_levels=False)
    )
    connection.execute(
        update(candidates)
        .where(candidates.c.learner_id == learner_id)
        .values(
            first_name=NOBODY,
            last_name=NOBODY,
            birth_date=UNBORN,
            equipment="",
            device_hash=None,
            waiting_hash=None,
        )
    )


def left_before(connection: Connection, moment: datetime, among: Sequence[str] | None = None) -> list[str]:
    """Return the registrations that were taken off a list before a moment."""
    query = select(registrations.c.id).where(_left(moment))
    return list(connection.scalars(query if among is None else query.where(registrations.c.id.in_(among))))


def forget_registrations(connection: Connection, ids: Sequence[str]) -> None:
    """Take learners who left off the lists for good; their participations stay until they are unnamed."""
    connection.execute(
        update(participations).where(participations.c.registration_id.in_(ids)).values(registration_id=None)
    )
    connection.execute(delete(registrations).where(registrations.c.id.in_(ids)))


def named_before(connection: Connection, moment: datetime) -> int:
    """Count the participations with a name in campaigns that were archived before a moment."""
    query = select(func.count()).select_from(participations).where(participations.c.last_name != NOBODY, _old(moment))
    return int(connection.scalar(query) or 0)


def unname_before(connection: Connection, moment: datetime, at_once: int) -> bool:
    """Take the names off some participations in campaigns archived before a moment; tell whether any was left."""
    return _unname(connection, _old(moment), at_once) > 0


def idle_since(connection: Connection, moment: datetime, at: datetime, among: Sequence[str] | None = None) -> list[str]:
    """Return the accounts with something personal, and no certificate in force, silent since a moment."""
    holds = (
        select(certificates.c.id)
        .join(candidates, candidates.c.id == certificates.c.candidate_id)
        .where(candidates.c.learner_id == learners.c.id, certificates.c.expires_at > at)
        .where(certificates.c.revoked_at.is_(None), certificates.c.replaced_by.is_(None))
        .exists()
    )
    heard = [
        exists().where(runs.c.learner_id == learners.c.id, runs.c.created_at >= moment),
        exists().where(participations.c.learner_id == learners.c.id, participations.c.created_at >= moment),
        exists().where(registrations.c.learner_id == learners.c.id, registrations.c.active),
        exists().where(candidates.c.learner_id == learners.c.id, candidates.c.created_at >= moment),
        holds,
    ]
    personal = or_(
        learners.c.external_id.is_not(None),
        exists().where(identities.c.learner_id == learners.c.id),
        exists().where(registrations.c.learner_id == learners.c.id),
        exists().where(participations.c.learner_id == learners.c.id, participations.c.last_name != NOBODY),
        exists().where(candidates.c.learner_id == learners.c.id, candidates.c.last_name != NOBODY),
    )
    query = select(learners.c.id).where(learners.c.created_at < moment, personal, *(~one for one in heard))
    return list(connection.scalars(query if among is None else query.where(learners.c.id.in_(among))))


def count_logs(connection: Connection, seen: datetime, done: datetime, expired: datetime) -> tuple[int, int, int]:
    """Count the accesses, deeds and rows of lists that are older than each moment."""
    old = select(learner_imports.c.id).where(learner_imports.c.expires_at < expired)
    queries = (
        select(func.count()).select_from(accesses).where(accesses.c.at < seen),
        select(func.count()).select_from(deeds).where(deeds.c.at < done),
        select(func.count()).select_from(learner_import_rows).where(learner_import_rows.c.import_id.in_(old)),
    )
    first, second, third = (int(connection.scalar(query) or 0) for query in queries)
    return first, second, third


def forget_logs(connection: Connection, seen: datetime, done: datetime, expired: datetime) -> None:
    """Forget the accesses, deeds and rows of lists that are older than each moment."""
    old = select(learner_imports.c.id).where(learner_imports.c.expires_at < expired)
    connection.execute(delete(accesses).where(accesses.c.at < seen))
    connection.execute(delete(deeds).where(deeds.c.at < done))
    connection.execute(delete(learner_import_rows).where(learner_import_rows.c.import_id.in_(old)))
    for row in connection.execute(select(learner_imports).where(learner_imports.c.expires_at < expired)).all():
        _thin_examples(connection, row)


def _waiting(learner_id: str) -> Any:
    """Rows of lists that wait which are about an account."""
    listed = select(registrations.c.id).where(registrations.c.learner_id == learner_id)
    return (learner_import_rows.c.learner_id == learner_id) | learner_import_rows.c.registration_id.in_(listed)


def _forget_examples(connection: Connection, learner_id: str) -> None:
    """Take a learner out of the examples that lists keep of what they changed."""
    listed = connection.execute(select(registrations).where(registrations.c.learner_id == learner_id)).all()
    for one in listed:
        own = learner_imports.c.organisation_id == one.organisation_id
        for row in connection.execute(select(learner_imports).where(own)).all():
            _thin_examples(connection, row, (one.last_name, one.first_name))


def _thin_examples(connection: Connection, row: Any, name: tuple[str, str] | None = None) -> None:
    """Take those of one name, or everybody, out of the examples of a list."""
    examples = (row.told or {}).get("examples") or {}
    left = {
        kind: [one for one in people if name is not None and (one["last_name"], one["first_name"]) != name]
        for kind, people in examples.items()
    }
    if left != examples:
        told = {**row.told, "examples": left}
        connection.execute(update(learner_imports).where(learner_imports.c.id == row.id).values(told=told))


def _left(moment: datetime) -> Any:
    return ~registrations.c.active & (registrations.c.deactivated_at < moment)


def _old(moment: datetime) -> Any:
    ended = func.coalesce(campaigns.c.archived_at, campaigns.c.archives_at)
    return participations.c.campaign_id.in_(select(campaigns.c.id).where(ended < moment))


def _unname(connection: Connection, condition: Any, at_once: int | None = None) -> int:
    """Take the names off participations, and give each a door that nobody has the key of; return how many."""
    named = select(participations.c.id).where(condition, participations.c.last_name != NOBODY).limit(at_once)
    ids = connection.scalars(named).all()
    for one in ids:
        connection.execute(
            update(participations)
            .where(participations.c.id == one)
            .values(
                first_name=NOBODY,
                last_name=NOBODY,
                external_id=None,
                registration_id=None,
                token_hash=fingerprint(new_secret()),
            )
        )
    return len(ids)


def _rows(connection: Connection, table: Table, condition: Any) -> list[dict[str, Any]]:
    columns = [column for column in table.c if column.name not in _SECRET]
    return [dict(row._mapping) for row in connection.execute(select(*columns).where(condition))]
