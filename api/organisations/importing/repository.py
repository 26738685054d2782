"""SQL of lists that wait: their rows are compared and applied by sets, so that memory does not grow with them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    delete,
    exists,
    false,
    func,
    insert,
    literal,
    or_,
    select,
    true,
    update,
)

from api.identifiers import new_id
from api.organisations.importing.reader import Row
from api.organisations.tables import identities, learner_import_rows, learner_imports, registrations
from api.storage import insert_rows, look_again
from api.tables import Moment, learners

ROWS = learner_import_rows.c
LISTED = registrations.c
EXAMPLES = 20
"""Learners told by name of each kind of difference."""


@dataclass(frozen=True)
class LearnerImport:
    """A list that was read and waits, or was applied."""

    id: str
    organisation_id: str
    who: str
    file_name: str
    key: str
    """What learners are known by: ine, external_id, or both."""
    state: str
    """reading, refused, checked or applied."""
    rows: int
    told: dict[str, Any] | None
    created_at: datetime
    expires_at: datetime
    applied_at: datetime | None = None


def add_import(connection: Connection, new: LearnerImport) -> None:
    """Store a list that is being read."""
    connection.execute(insert(learner_imports).values(**vars(new)))


def import_of(connection: Connection, organisation_id: str, import_id: str, lock: bool = False) -> LearnerImport | None:
    """Return a list of an organisation; ``lock`` keeps others from applying it."""
    query = select(learner_imports).where(
        learner_imports.c.organisation_id == organisation_id, learner_imports.c.id == import_id
    )
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else LearnerImport(**row._asdict())


def change_import(connection: Connection, import_id: str, values: Mapping[str, Any]) -> None:
    """Change columns of a list."""
    connection.execute(update(learner_imports).where(learner_imports.c.id == import_id).values(**values))


def add_import_rows(connection: Connection, import_id: str, rows: Sequence[Row]) -> None:
    """Put rows of a file beside the list, each with the ids that it takes if it is new."""
    insert_rows(
        connection,
        learner_import_rows,
        [
            {
                "import_id": import_id,
                "line": row.line,
                "registration_id": new_id(),
                "learner_id": new_id(),
                **asdict(row.values),
            }
            for row in rows
        ],
    )


def look_at_rows(connection: Connection) -> None:
    """Let the database see how many rows wait now."""
    look_again(connection, learner_import_rows)


def drop_import_rows(connection: Connection, import_ids: Iterable[str]) -> None:
    """Forget the rows of lists."""
    connection.execute(delete(learner_import_rows).where(ROWS.import_id.in_(list(import_ids))))


def expired_imports(connection: Connection, organisation_id: str, at: datetime) -> list[str]:
    """Return the lists of an organisation whose rows nobody may apply any more."""
    query = select(learner_imports.c.id).where(
        learner_imports.c.organisation_id == organisation_id,
        learner_imports.c.state.in_(("reading", "checked")),
        learner_imports.c.expires_at <= at,
    )
    return list(connection.scalars(query))


def repeated(connection: Connection, import_id: str, field: str, most: int) -> list[tuple[str, int, int]]:
    """Return an identifier, its line and the line where it came first, for those that come again, at most so many."""
    column = ROWS[field]
    first = (
        select(column.label("name"), func.min(ROWS.line).label("line"))
        .where(ROWS.import_id == import_id, column.is_not(None))
        .group_by(column)
        .having(func.count() > 1)
        .subquery()
    )
    query = (
        select(column, ROWS.line, first.c.line)
        .join(first, first.c.name == column)
        .where(ROWS.import_id == import_id, ROWS.line > first.c.line)
        .order_by(ROWS.line)
        .limit(most)
    )
    return [(row[0], row[1], row[2]) for row in connection.execute(query)]


def match(connection: Connection, new: LearnerImport, client_id: str) -> None:
    """Give each row the registration that has its identifier, and the account that its INE belongs to."""
    look_again(connection, learner_import_rows, registrations, identities)
    ours = ROWS.import_id == new.id
    for field in ("external_id", "ine"):
        found = select(LISTED.id).where(LISTED.organisation_id == new.organisation_id, LISTED[field] == ROWS[field])
        connection.execute(
            update(learner_import_rows)
            .where(ours, ROWS[field].is_not(None), exists(found))
            .values(registration_id=found.scalar_subquery())
        )
    account = select(identities.c.learner_id).where(
        identities.c.client_id == client_id,
        identities.c.ine == ROWS.ine,
        identities.c.birth_date == ROWS.birth_date,
    )
    connection.execute(
        update(learner_import_rows)
        .where(ours, ROWS.ine.is_not(None), exists(account))
        .values(learner_id=account.scalar_subquery())
    )


def differences(connection: Connection, new: LearnerImport, client_id: str, fields: Sequence[str]) -> dict[str, Any]:
    """Count and exemplify what a list would change."""
    joined = learner_import_rows.join(registrations, LISTED.id == ROWS.registration_id)
    ours = ROWS.import_id == new.id
    change = _changed(fields)
    kinds: dict[str, ColumnElement[bool]] = {
        "changed": and_(LISTED.active, change),
        "back": ~LISTED.active,
        "unchanged": and_(LISTED.active, ~change),
    }
    told: dict[str, Any] = {"active": _count_active(connection, new.organisation_id)}
    fresh = and_(ours, ~exists().where(LISTED.id == ROWS.registration_id))
    told["new"] = connection.scalar(select(func.count()).select_from(learner_import_rows).where(fresh))
    for kind, condition in kinds.items():
        told[kind] = connection.scalar(select(func.count()).select_from(joined).where(ours, condition))
    gone = _gone(new)
    told["deactivated"] = connection.scalar(select(func.count()).select_from(registrations).where(gone))
    names = (ROWS.last_name, ROWS.first_name, ROWS.division)
    before = (LISTED.last_name, LISTED.first_name, LISTED.division)
    told["examples"] = {
        "new": _people(connection, select(*names).where(fresh).order_by(ROWS.line)),
        "changed": [
            {**person, "what": what}
            for person, what in _changes(connection, select(*ROWS, *_before()).select_from(joined), ours, kinds, fields)
        ],
        "back": _people(connection, select(*names).select_from(joined).where(ours, kinds["back"]).order_by(ROWS.line)),
        "deactivated": _people(connection, select(*before).where(gone).order_by(LISTED.last_name, LISTED.id)),
    }
    other = exists().where(
        identities.c.client_id == client_id,
        identities.c.ine == ROWS.ine,
        identities.c.birth_date != ROWS.birth_date,
    )
    apart = select(ROWS.line).where(fresh, other).order_by(ROWS.line).limit(EXAMPLES)
    told["other_birth_date"] = list(connection.scalars(apart))
    return told


def apply(connection: Connection, new: LearnerImport, client_id: str, fields: Sequence[str], at: datetime) -> None:
    """Make the list of the organisation what the file says: new, changed and back; whoever is absent is deactivated."""
    ours = ROWS.import_id == new.id
    moment = literal(at, Moment)
    fresh = and_(ours, ~exists().where(LISTED.id == ROWS.registration_id))
    account = select(ROWS.learner_id, literal(client_id), literal(None), moment).where(
        fresh, ~exists().where(learners.c.id == ROWS.learner_id)
    )
    connection.execute(insert(learners).from_select(["id", "client_id", "external_id", "created_at"], account))
    person = select(literal(client_id), ROWS.ine, ROWS.learner_id, ROWS.birth_date, moment).where(
        fresh,
        ROWS.ine.is_not(None),
        ~exists().where(identities.c.client_id == client_id, identities.c.ine == ROWS.ine),
    )
    names = ["client_id", "ine", "learner_id", "birth_date", "created_at"]
    connection.execute(insert(identities).from_select(names, person))
    copied = [column for column in ROWS if column.name not in ("import_id", "line", "registration_id", "learner_id")]
    listed = select(
        ROWS.registration_id,
        literal(new.organisation_id, registrations.c.organisation_id.type),
        ROWS.learner_id,
        *copied,
        true(),
        moment,
        moment,
    ).where(fresh)
    names = ["id", "organisation_id", "learner_id", *(column.name for column in copied)]
    # absent ones first: those who are new must not be taken for absent
    connection.execute(update(registrations).where(_gone(new)).values(active=false(), deactivated_at=at, changed_at=at))
    connection.execute(
        update(identities)
        .where(
            identities.c.client_id == client_id,
            identities.c.ine == ROWS.ine,
            identities.c.learner_id == LISTED.learner_id,
            LISTED.id == ROWS.registration_id,
            ours,
            identities.c.birth_date != ROWS.birth_date,
        )
        .values(birth_date=ROWS.birth_date)
    )
    connection.execute(
        update(registrations)
        .where(LISTED.id == ROWS.registration_id, ours, or_(~LISTED.active, _changed(fields)))
        .values(
            {LISTED[name]: ROWS[name] for name in fields}
            | {LISTED.active: true(), LISTED.deactivated_at: None, LISTED.changed_at: at}
        )
    )
    connection.execute(insert(registrations).from_select([*names, "active", "created_at", "changed_at"], listed))
    change_import(connection, new.id, {"state": "applied", "applied_at": at})
    drop_import_rows(connection, [new.id])


def applied_since(connection: Connection, new: LearnerImport) -> bool:
    """Tell whether another list was applied after this one was read."""
    query = select(learner_imports.c.id).where(
        learner_imports.c.organisation_id == new.organisation_id, learner_imports.c.applied_at > new.created_at
    )
    return connection.execute(query.limit(1)).one_or_none() is not None


def _count_active(connection: Connection, organisation_id: str) -> int:
    query = select(func.count()).where(LISTED.organisation_id == organisation_id, LISTED.active)
    return int(connection.scalar(query) or 0)


def _changed(fields: Sequence[str]) -> ColumnElement[bool]:
    return or_(*(LISTED[name].is_distinct_from(ROWS[name]) for name in fields))


def _gone(new: LearnerImport) -> ColumnElement[bool]:
    """Active learners who are known by the same kind of identifier as the list's, and are not in it."""
    keys = {"ine": LISTED.ine.is_not(None), "external_id": LISTED.external_id.is_not(None)}
    kind = keys.get(new.key, or_(*keys.values()))
    there = exists().where(ROWS.import_id == new.id, ROWS.registration_id == LISTED.id)
    return and_(LISTED.organisation_id == new.organisation_id, LISTED.active, kind, ~there)


def _before() -> list[ColumnElement[Any]]:
    return [column.label(f"before_{column.name}") for column in LISTED]


def _people(connection: Connection, query: Any) -> list[dict[str, Any]]:
    rows = connection.execute(query.limit(EXAMPLES))
    return [{"last_name": row[0], "first_name": row[1], "division": row[2]} for row in rows]


def _changes(
    connection: Connection,
    query: Any,
    ours: ColumnElement[bool],
    kinds: Mapping[str, ColumnElement[bool]],
    fields: Sequence[str],
) -> list[tuple[dict[str, Any], list[str]]]:
    rows = connection.execute(query.where(ours, kinds["changed"]).order_by(ROWS.line).limit(EXAMPLES))
    found = []
    for row in rows:
        values = row._asdict()
        person = {name: values[name] for name in ("last_name", "first_name", "division")}
        found.append((person, [name for name in fields if values[name] != values[f"before_{name}"]]))
    return found
