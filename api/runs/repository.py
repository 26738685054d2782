"""SQL of runs, their facts, and the banks and designs that they pin."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, insert, select, update

from api.runs.facts import Fact, Run
from api.storage import insert_missing
from api.tables import QUESTION, REPLY, designs, facts, runs, snapshots
from api.writer import Rows

_COLUMNS = tuple(column.name for column in facts.columns)


def add_run(connection: Connection, run: Run, token_hash: str) -> None:
    """Store a new run; its snapshot and design must be there."""
    row = asdict(run) | {"token_hash": token_hash, "earlier": [list(pair) for pair in run.earlier]}
    connection.execute(insert(runs).values(**row))


def add_facts(connection: Connection, new: Sequence[Fact]) -> None:
    """Append facts; a fact that is already there makes the database refuse (``IntegrityError``)."""
    new_facts(new)(connection)


def new_facts(new: Sequence[Fact]) -> Rows:
    """Make the job that appends facts, which the writer may do together with others."""
    return Rows(facts, [{name: getattr(fact, name) for name in _COLUMNS} for fact in new])


def finish_run(connection: Connection, run_id: str, at: datetime) -> None:
    """Note that a run is finished."""
    connection.execute(update(runs).where(runs.c.id == run_id).values(finished_at=at))


def run_of(connection: Connection, run_id: str) -> Run | None:
    """Return the run of that id."""
    row = connection.execute(select(runs).where(runs.c.id == run_id)).one_or_none()
    return None if row is None else _run(row)


def run_of_code(connection: Connection, access_code: str) -> Run | None:
    """Return the run that an access code opens."""
    row = connection.execute(select(runs).where(runs.c.access_code == access_code)).one_or_none()
    return None if row is None else _run(row)


def run_of_token(connection: Connection, token_hash: str) -> tuple[str, datetime, bool] | None:
    """Return the id of the run that has this learner's token, when it began, and whether it certifies."""
    columns = (runs.c.id, runs.c.created_at, runs.c.rules_hash)
    row = connection.execute(select(*columns).where(runs.c.token_hash == token_hash)).one_or_none()
    return None if row is None else (row.id, row.created_at, row.rules_hash is not None)


def runs_of_learner(connection: Connection, learner_id: str, after: str | None, limit: int) -> list[Run]:
    """Return positioning runs of a learner, the latest first, those before ``after``."""
    query = select(runs).where(runs.c.learner_id == learner_id, runs.c.rules_hash.is_(None))
    query = query.order_by(runs.c.id.desc()).limit(limit)
    if after is not None:
        query = query.where(runs.c.id < after)
    return [_run(row) for row in connection.execute(query)]


def finished_runs(connection: Connection, learner_id: str) -> list[Run]:
    """Return the finished positioning runs of a learner, the latest first."""
    query = select(runs).where(*_positioned(learner_id))
    return [_run(row) for row in connection.execute(query.order_by(runs.c.finished_at.desc(), runs.c.id.desc()))]


def latest_finished(connection: Connection, learner_id: str) -> tuple[Run, Fact] | None:
    """Return the positioning run that a learner finished last, with the fact that ended it."""
    query = select(runs).where(*_positioned(learner_id)).order_by(runs.c.finished_at.desc(), runs.c.id.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    run = _run(row)
    ended = connection.execute(select(facts).where(facts.c.run_id == run.id, facts.c.kind == "ended")).one()
    return run, _fact(ended)


def facts_of(connection: Connection, run_id: str) -> list[Fact]:
    """Return the facts of a run, in order."""
    query = select(facts).where(facts.c.run_id == run_id).order_by(facts.c.position, facts.c.part)
    return [_fact(row) for row in connection.execute(query)]


def last_fact(connection: Connection, run_id: str) -> Fact:
    """Return the latest fact of a run."""
    query = select(facts).where(facts.c.run_id == run_id).order_by(facts.c.position.desc(), facts.c.part.desc())
    return _fact(connection.execute(query.limit(1)).one())


def last_position(connection: Connection, run_id: str) -> int | None:
    """Return the position of the last question of a run."""
    query = select(func.max(facts.c.position)).where(facts.c.run_id == run_id)
    position: int | None = connection.execute(query).scalar_one()
    return position


def replies_of(connection: Connection, run_ids: Iterable[str]) -> dict[str, list[Fact]]:
    """Return the replies of several runs, in order."""
    found: dict[str, list[Fact]] = {run_id: [] for run_id in run_ids}
    query = select(facts).where(facts.c.run_id.in_(list(found)), facts.c.part == REPLY).order_by(facts.c.position)
    for row in connection.execute(query):
        found[row.run_id].append(_fact(row))
    return found


def facts_around(connection: Connection, run_id: str, position: int) -> tuple[Fact, Fact]:
    """Return the reply at a position that has one, and the question that followed it."""
    reply = (facts.c.position == position) & (facts.c.part == REPLY)
    following = (facts.c.position == position + 1) & (facts.c.part == QUESTION)
    query = select(facts).where(facts.c.run_id == run_id, reply | following).order_by(facts.c.position)
    first, second = connection.execute(query).all()
    return _fact(first), _fact(second)


def pin(
    connection: Connection, snapshot: tuple[str, Callable[[], str]], design: tuple[str, dict[str, Any]], at: datetime
) -> None:
    """Store a snapshot and a design, each as (hash, content), unless they are there."""
    if connection.execute(select(snapshots.c.hash).where(snapshots.c.hash == snapshot[0])).one_or_none() is None:
        insert_missing(connection, snapshots, {"hash": snapshot[0], "content": snapshot[1](), "created_at": at})
    if connection.execute(select(designs.c.hash).where(designs.c.hash == design[0])).one_or_none() is None:
        insert_missing(connection, designs, {"hash": design[0], "content": design[1], "created_at": at})


def pinned_snapshot(connection: Connection, snapshot_hash: str) -> str:
    """Return the content of a snapshot that some run pins."""
    content: str = connection.execute(select(snapshots.c.content).where(snapshots.c.hash == snapshot_hash)).scalar_one()
    return content


def pinned_design(connection: Connection, design_hash: str) -> dict[str, Any]:
    """Return the content of a design that some run pins."""
    query = select(designs.c.content).where(designs.c.hash == design_hash)
    content: dict[str, Any] = connection.execute(query).scalar_one()
    return content


def _positioned(learner_id: str) -> tuple[ColumnElement[bool], ...]:
    return (
        runs.c.learner_id == learner_id,
        runs.c.finished_at.is_not(None),
        runs.c.rules_hash.is_(None),
        runs.c.counts,
    )


def _run(row: Row[Any]) -> Run:
    values = row._asdict()
    values.pop("token_hash")
    for name in ("competences", "accessible", "excluded"):
        values[name] = tuple(values[name])
    values["earlier"] = tuple((run_id, weight) for run_id, weight in values["earlier"])
    return Run(**values)


def _fact(row: Row[Any]) -> Fact:
    values = row._asdict()
    values.pop("part")
    return Fact(**values)
