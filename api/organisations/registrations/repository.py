"""SQL of registrations and identities."""

from collections.abc import Mapping
from itertools import islice
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from api.organisations.registrations.names import is_called
from api.organisations.registrations.records import Identity, Registration
from api.organisations.tables import identities, registrations


def registration_of(connection: Connection, organisation_id: str, registration_id: str) -> Registration | None:
    """Return a learner of an organisation, active or not."""
    query = select(registrations).where(
        registrations.c.organisation_id == organisation_id, registrations.c.id == registration_id
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else Registration(**row._asdict())


def registrations_of(
    connection: Connection,
    organisation_id: str,
    after: str | None,
    limit: int,
    division: str | None = None,
    active: bool | None = True,
    name: str | None = None,
) -> list[Registration]:
    """Return learners of an organisation, in the order of their coming, those behind ``after``.

    ``name`` keeps those each word of which begins a word of their names, whatever the case and the accents.
    """
    query = select(registrations).where(registrations.c.organisation_id == organisation_id)
    if after is not None:
        query = query.where(registrations.c.id > after)
    if division is not None:
        query = query.where(registrations.c.division == division)
    if active is not None:
        query = query.where(registrations.c.active == active)
    if name is None:
        rows = connection.execute(query.order_by(registrations.c.id).limit(limit))
        return [Registration(**row._asdict()) for row in rows]
    with connection.execute(query.order_by(registrations.c.id).execution_options(yield_per=500)) as rows:
        found = (Registration(**row._asdict()) for row in rows)
        called = (one for one in found if is_called((one.last_name, one.usual_name or "", one.first_name), name))
        return list(islice(called, limit))


def registrations_of_learner(connection: Connection, learner_id: str) -> list[Registration]:
    """Return every registration of an account."""
    query = select(registrations).where(registrations.c.learner_id == learner_id).order_by(registrations.c.id)
    return [Registration(**row._asdict()) for row in connection.execute(query)]


def registration_of_learner(connection: Connection, organisation_id: str, learner_id: str) -> Registration | None:
    """Return the registration of an account that is active in an organisation; the latest, should there be two."""
    query = select(registrations).where(
        registrations.c.organisation_id == organisation_id,
        registrations.c.learner_id == learner_id,
        registrations.c.active,
    )
    row = connection.execute(query.order_by(registrations.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else Registration(**row._asdict())


def registration_by_key(connection: Connection, organisation_id: str, key: str) -> Registration | None:
    """Return the active learner of an organisation who has this INE or this number of the organisation's own."""
    query = select(registrations).where(
        registrations.c.organisation_id == organisation_id,
        (registrations.c.ine == key) | (registrations.c.external_id == key),
        registrations.c.active,
    )
    row = connection.execute(query.order_by(registrations.c.ine.is_(None)).limit(1)).one_or_none()
    return None if row is None else Registration(**row._asdict())


def born_on(connection: Connection, organisation_id: str, birth_date: str) -> list[Registration]:
    """Return the active learners of an organisation born on a day."""
    query = select(registrations).where(
        registrations.c.organisation_id == organisation_id,
        registrations.c.birth_date == birth_date,
        registrations.c.active,
    )
    return [Registration(**row._asdict()) for row in connection.execute(query.order_by(registrations.c.id))]


def divisions_of(connection: Connection, organisation_id: str) -> list[tuple[str | None, int]]:
    """Return the classes of an organisation with the number of their active learners."""
    query = (
        select(registrations.c.division, func.count())
        .where(registrations.c.organisation_id == organisation_id, registrations.c.active)
        .group_by(registrations.c.division)
    )
    return sorted(((row[0], row[1]) for row in connection.execute(query)), key=lambda pair: (pair[0] is None, pair[0]))


def add_registration(connection: Connection, registration: Registration) -> None:
    """Store a new registration."""
    connection.execute(insert(registrations).values(**vars(registration)))


def change_registration(connection: Connection, registration_id: str, values: Mapping[str, Any]) -> None:
    """Change columns of a registration."""
    connection.execute(update(registrations).where(registrations.c.id == registration_id).values(**values))


def identity_of(connection: Connection, client_id: str, ine: str) -> Identity | None:
    """Return which account of a platform an INE belongs to."""
    query = select(identities).where(identities.c.client_id == client_id, identities.c.ine == ine)
    row = connection.execute(query).one_or_none()
    return None if row is None else Identity(**row._asdict())


def add_identity(connection: Connection, identity: Identity) -> None:
    """Note which account an INE belongs to."""
    connection.execute(insert(identities).values(**vars(identity)))
