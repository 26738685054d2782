"""The tables of certification, in SQLAlchemy Core. Its facts and scorings are append-only, as those of runs."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from api.tables import Moment, metadata

_Id = Uuid(as_uuid=False)
_Json = JSON(none_as_null=True)

sessions = Table(
    "sessions",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("organisation_id", _Id, ForeignKey("organisations.id"), nullable=False),
    Column("rules_hash", String(64), ForeignKey("designs.hash"), nullable=False),
    Column("date", String(10), nullable=False),  # of the place, YYYY-MM-DD
    Column("time", String(5), nullable=False),  # of the place, HH:MM
    Column("zone", String(64), nullable=False),  # such as Europe/Paris
    Column("place", String(255), nullable=False),
    Column("room", String(255), nullable=False),
    Column("window", String(64), nullable=False),  # name of a window of the certification design
    Column("access_code", String(16), nullable=False, unique=True),
    Column("state", String(16), nullable=False),  # of api.certification.session_states.SessionPhase
    Column("version", Integer, nullable=False),  # number of its facts
    Column("created_at", Moment, nullable=False),
    Index(None, "organisation_id", "id"),
)

session_members = Table(
    "session_members",
    metadata,
    Column("session_id", _Id, ForeignKey("sessions.id"), primary_key=True),
    Column("member_id", _Id, ForeignKey("members.id"), primary_key=True),
)

candidates = Table(
    "candidates",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("session_id", _Id, ForeignKey("sessions.id"), nullable=False),
    Column("learner_id", _Id, ForeignKey("learners.id"), nullable=False),
    Column("first_name", String(255), nullable=False),
    Column("last_name", String(255), nullable=False),
    Column("birth_date", String(10), nullable=False),  # YYYY-MM-DD
    Column("extra_time", Float(53), nullable=False),  # per cent
    Column("accessible", _Json, nullable=False),  # flags
    Column("equipment", Text, nullable=False),
    Column("locale", String(8), nullable=False),
    Column("run_id", _Id, ForeignKey("runs.id"), unique=True),
    Column("profile", _Json),  # pinned at the start: the run it comes from, its levels and what is certifiable
    Column("device_hash", String(64), unique=True),  # of the token of the device that takes the test
    Column("waiting_hash", String(64), unique=True),  # of the token of the device that asks to start or to go on
    Column("state", String(16), nullable=False),  # of api.certification.states.Phase
    Column("version", Integer, nullable=False),  # number of its facts
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("session_id", "learner_id"),
    Index(None, "learner_id", "id"),
)


def _facts(name: str, owner: str, owners: str) -> Table:
    return Table(
        name,
        metadata,
        Column(owner, _Id, ForeignKey(f"{owners}.id"), primary_key=True),
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("kind", String(16), nullable=False),
        Column("at", Moment, nullable=False),
        Column("who", String(80), nullable=False),  # member:ID, candidate, platform:ID or server
        Column("why", Text),
        Column("data", _Json),
    )


session_facts = _facts("session_facts", "session_id", "sessions")
candidate_facts = _facts("candidate_facts", "candidate_id", "candidates")

scorings = Table(
    "scorings",
    metadata,
    Column("candidate_id", _Id, ForeignKey("candidates.id"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),  # 1, 2, ...
    Column("run_id", _Id, ForeignKey("runs.id"), nullable=False),
    Column("snapshot_hash", String(64), ForeignKey("snapshots.hash"), nullable=False),
    Column("rules_hash", String(64), ForeignKey("designs.hash"), nullable=False),
    Column("at", Moment, nullable=False),
    Column("who", String(80), nullable=False),
    Column("why", Text),
    Column("end", String(16), nullable=False),
    Column("copied", _Json),  # p-value and with whom, from the other candidates of the session; None: not looked at
    Column("outcome", String(16), nullable=False),
    Column("result", _Json, nullable=False),
)

certificates = Table(
    "certificates",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("candidate_id", _Id, ForeignKey("candidates.id"), nullable=False),
    Column("scoring_version", Integer, nullable=False),
    Column("code_hash", String(64), nullable=False, unique=True),
    Column("issued_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("revoked_at", Moment),
    Column("revoked_why", Text),
    Column("replaced_by", _Id, ForeignKey("certificates.id")),
    Column("shows_name", Boolean, nullable=False),
    Column("shows_levels", Boolean, nullable=False),
    UniqueConstraint("candidate_id", "scoring_version"),
)
