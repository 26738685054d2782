"""The tables, in SQLAlchemy Core. Facts are append-only: triggers forbid to change or delete one."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    Uuid,
    true,
)

QUESTION, REPLY = 0, 1
KINDS = {"asked": QUESTION, "ended": QUESTION, "answered": REPLY, "skipped": REPLY, "timed_out": REPLY}
KINDS |= {"withdrawn": REPLY, "not_reached": REPLY}  # in runs that certify


class Moment(TypeDecorator[datetime]):
    """A moment in UTC: aware in Python, a timestamp with time zone in PostgreSQL, UTC text in SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Write an aware moment; SQLite keeps no zone, so it gets UTC."""
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Read an aware moment in UTC."""
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
_Id = Uuid(as_uuid=False)
_Json = JSON(none_as_null=True)

clients = Table(
    "clients",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(255), nullable=False),
    Column("secret_hash", String(64), nullable=False),
    Column("scopes", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("revoked_at", Moment),
)

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("purpose", String(32), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("secret", LargeBinary, nullable=False),
    Column("created_at", Moment, nullable=False),
)

learners = Table(
    "learners",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("client_id", String(64), ForeignKey("clients.id")),
    Column("external_id", String(255)),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("client_id", "external_id"),
    Index(None, "client_id", "id"),
)

snapshots = Table(
    "snapshots",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("content", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
)

designs = Table(
    "designs",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("content", _Json, nullable=False),
    Column("created_at", Moment, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("learner_id", _Id, ForeignKey("learners.id"), nullable=False),
    Column("client_id", String(64), ForeignKey("clients.id")),
    Column("snapshot_hash", String(64), ForeignKey("snapshots.hash"), nullable=False),
    Column("design_hash", String(64), ForeignKey("designs.hash"), nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("locale", String(8), nullable=False),
    Column("competences", _Json, nullable=False),
    Column("accessible", _Json, nullable=False),
    Column("earlier", _Json, nullable=False),
    Column("excluded", _Json, nullable=False),
    Column("access_code", String(16), nullable=False, unique=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
    Column("finished_at", Moment),
    Column("rules_hash", String(64), ForeignKey("designs.hash")),  # of the certification design, in runs that certify
    Column("counts", Boolean, nullable=False, server_default=true()),  # whether the profile takes it in
    Index(None, "learner_id", "id"),
    Index(None, "learner_id", "finished_at"),
)

facts = Table(
    "facts",
    metadata,
    Column("run_id", _Id, ForeignKey("runs.id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("part", SmallInteger, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),
    Column("at", Moment, nullable=False),
    Column("item", String(255)),
    Column("parameters", _Json),
    Column("response", SmallInteger),
    Column("answer", _Json),
    Column("seconds", Float(53)),
    Column("reason", String(32)),
    Column("result", _Json),
    CheckConstraint("position >= 0", name="position"),
    CheckConstraint(
        "(part = 0 AND kind IN ('asked', 'ended')) OR "
        "(part = 1 AND kind IN ('answered', 'skipped', 'timed_out', 'withdrawn', 'not_reached'))",
        name="kind",
    ),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("client_id", String(64), ForeignKey("clients.id"), primary_key=True),
    Column("endpoint", String(64), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("request_hash", String(64), nullable=False),
    Column("resource_id", _Id, nullable=False),
    Column("created_at", Moment, nullable=False),
)
