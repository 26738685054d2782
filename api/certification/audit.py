"""The audit file: every row from which a certification follows, for a third party who has the package alone.

Names, dates of birth, codes and tokens are left out, for no proof needs them; so are the other candidates of the
session: what was found in comparing answers with theirs is taken as stored.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Table, insert, select
from sqlalchemy.exc import SQLAlchemyError

from api.certification import tables as certification
from api.certification.eligibility import runs_seen
from api.certification.proof import earlier_runs
from api.certification.repository import candidate_of_run, session_of
from api.clock import iso
from api.database import Database
from api.organisations.tables import organisations
from api.runs.facts import Run
from api.runs.replay import Proof, prove_stored
from api.runs.repository import pinned_design, run_of
from api.tables import Moment, clients, designs, facts, learners, runs, snapshots
from engine.certification import from_dict
from engine.errors import SettingError

FORMAT: Final = 1
TABLES: Final[tuple[Table, ...]] = (
    clients,
    learners,
    snapshots,
    designs,
    runs,
    facts,
    organisations,
    certification.sessions,
    certification.session_facts,
    certification.candidates,
    certification.candidate_facts,
    certification.scorings,
    certification.certificates,
)
"""In an order in which rows refer to earlier ones."""
_LEFT_OUT: Final[Mapping[str, Mapping[str, Any]]] = {
    "clients": {"name": "", "secret_hash": "", "scopes": ""},
    "learners": {"external_id": None},
    "runs": {"access_code": "{number}", "token_hash": "{number}"},
    "organisations": {"name": "", "uai": None},
    "sessions": {"access_code": "{number}", "place": "", "room": ""},
    "session_facts": {"why": None, "data": None},
    "candidates": {
        "first_name": "",
        "last_name": "",
        "birth_date": "",
        "equipment": "",
        "device_hash": None,
        "waiting_hash": None,
    },
    "certificates": {"code_hash": "{number}"},
}
"""What is put in the place of columns; the number of the row where they must differ."""


def audit_of(connection: Connection, run_id: str) -> bytes:
    """Write the audit file of a run that certifies.

    Parameters
    ----------
    connection : Connection
    run_id : str

    Returns
    -------
    bytes
        JSON in UTF-8.
    """
    run = run_of(connection, run_id)
    assert run is not None
    rows = {table.name: _rows(connection, table, where) for table, where in _wanted(connection, run)}
    for scoring in rows["scorings"]:
        if scoring["copied"] is not None:
            scoring["copied"] = {**scoring["copied"], "with": None}
    content = {"format": FORMAT, "run_id": run.id, "rows": rows}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def check_audit(path: Path) -> Proof:
    """Derive again what an audit file tells, with nothing but the package.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Proof

    Raises
    ------
    SettingError
        When the file is no audit file.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        run_id, rows = content["run_id"], content["rows"]
        readable = content["format"] == FORMAT and isinstance(run_id, str) and isinstance(rows, dict)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingError(f"The file {path} cannot be read as an audit file: get it again from the server.") from error
    if not readable:
        raise SettingError(f"The file {path} is not an audit file of format {FORMAT}: read it with another version.")
    with TemporaryDirectory() as folder, Database(f"sqlite:///{Path(folder) / 'audit.db'}") as database:
        database.migrate()
        try:
            with database.writing() as connection:
                connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")  # a certificate names the one that follows
                for table in TABLES:
                    _insert(connection, table, rows.get(table.name, []))
            with database.reading() as connection:
                return prove_stored(connection, run_id, whole=False)
        except (SQLAlchemyError, LookupError, ValueError, TypeError, AttributeError, AssertionError) as error:
            raise SettingError(f"The file {path} lacks rows or has strange ones: get it again.") from error


def _wanted(connection: Connection, run: Run) -> Iterable[tuple[Table, ColumnElement[bool]]]:
    """Which rows of each table are needed."""
    candidate = candidate_of_run(connection, run.id)
    assert candidate is not None
    assert run.rules_hash is not None
    session = session_of(connection, candidate.session_id)
    assert session is not None
    rules = from_dict(pinned_design(connection, run.rules_hash))
    needed = {run.id, *(earlier.id for earlier in earlier_runs(connection, run))}
    needed |= set(runs_seen(connection, run.learner_id, rules.seen_runs, run))
    used = [found for found in (run_of(connection, run_id) for run_id in sorted(needed)) if found is not None]
    own = certification.scorings.c.candidate_id == candidate.id
    scored = connection.execute(
        select(certification.scorings.c.snapshot_hash, certification.scorings.c.rules_hash).where(own)
    ).all()
    pinned = {one.snapshot_hash for one in used} | {row.snapshot_hash for row in scored}
    designed = {one.design_hash for one in used} | {one.rules_hash for one in used if one.rules_hash}
    designed |= {row.rules_hash for row in scored} | {session.rules_hash}
    organisation = select(organisations.c.client_id).where(organisations.c.id == session.organisation_id)
    owners = {one.client_id for one in used if one.client_id} | set(connection.scalars(organisation))
    owner = select(learners.c.client_id).where(learners.c.id == run.learner_id)
    owners |= {client for client in connection.scalars(owner) if client is not None}
    return (
        (clients, clients.c.id.in_(sorted(owners))),
        (learners, learners.c.id == run.learner_id),
        (snapshots, snapshots.c.hash.in_(sorted(pinned))),
        (designs, designs.c.hash.in_(sorted(designed))),
        (runs, runs.c.id.in_([one.id for one in used])),
        (facts, facts.c.run_id.in_([one.id for one in used])),
        (organisations, organisations.c.id == session.organisation_id),
        (certification.sessions, certification.sessions.c.id == session.id),
        (certification.session_facts, certification.session_facts.c.session_id == session.id),
        (certification.candidates, certification.candidates.c.id == candidate.id),
        (certification.candidate_facts, certification.candidate_facts.c.candidate_id == candidate.id),
        (certification.scorings, own),
        (certification.certificates, certification.certificates.c.candidate_id == candidate.id),
    )


def _rows(connection: Connection, table: Table, where: ColumnElement[bool]) -> list[dict[str, Any]]:
    """Read rows as plain data, without what is left out."""
    order = list(table.primary_key.columns)
    found = []
    for number, row in enumerate(connection.execute(select(table).where(where).order_by(*order))):
        plain = {name: iso(value) if isinstance(value, datetime) else value for name, value in row._asdict().items()}
        for name, instead in _LEFT_OUT.get(table.name, {}).items():
            plain[name] = instead.format(number=number) if isinstance(instead, str) else instead
        found.append(plain)
    return found


def _insert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        values = {
            column.name: datetime.fromisoformat(row[column.name])
            if isinstance(column.type, Moment) and row[column.name] is not None
            else row[column.name]
            for column in table.columns
        }
        connection.execute(insert(table).values(**values))
