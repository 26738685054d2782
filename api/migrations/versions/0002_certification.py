"""Certification: centres, sessions, candidates, their facts, scorings and certificates; runs that certify."""

import sqlalchemy as sa
from alembic import op
from alembic.util import CommandError

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ID = sa.Uuid(as_uuid=False)
_MOMENT = sa.DateTime(timezone=True)
_JSON = sa.JSON(none_as_null=True)
_QUESTIONS = "(part = 0 AND kind IN ('asked', 'ended'))"
_OLD = f"{_QUESTIONS} OR (part = 1 AND kind IN ('answered', 'skipped', 'timed_out'))"
_NEW = f"{_QUESTIONS} OR (part = 1 AND kind IN ('answered', 'skipped', 'timed_out', 'withdrawn', 'not_reached'))"
_APPEND_ONLY = ("session_facts", "candidate_facts", "scorings")
_TABLES = ("certificates", "scorings", "candidate_facts", "session_facts", "candidates", "session_members", "sessions")


def upgrade() -> None:
    """Create the tables, and let runs and their facts certify."""
    op.execute(
        "ALTER TABLE runs ADD COLUMN rules_hash VARCHAR(64) CONSTRAINT fk_runs_rules_hash REFERENCES designs (hash)"
    )
    _kinds_of_facts(_NEW)
    _create_centres()
    _create_sessions()
    _create_candidates()
    _create_facts("session_facts", "session_id", "sessions")
    _create_facts("candidate_facts", "candidate_id", "candidates")
    _create_decisions()
    for table in _APPEND_ONLY:
        _forbid_changes(table)


def downgrade() -> None:
    """Drop what was created, on PostgreSQL; on SQLite a column cannot be dropped with its key."""
    if op.get_bind().dialect.name != "postgresql":
        raise CommandError("SQLite cannot go back from here: restore the file from before the change.")
    for table in (*_TABLES, "centre_members", "centres"):
        op.drop_table(table)
    _kinds_of_facts(_OLD)
    op.drop_column("runs", "rules_hash")


def _create_centres() -> None:
    op.create_table(
        "centres",
        sa.Column("id", _ID, nullable=False),
        sa.Column("client_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("uai", sa.String(8)),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_centres")),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name=op.f("fk_centres_client_id")),
    )
    op.create_index(op.f("ix_centres_client_id_id"), "centres", ["client_id", "id"])
    op.create_table(
        "centre_members",
        sa.Column("id", _ID, nullable=False),
        sa.Column("centre_id", _ID, nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("revoked_at", _MOMENT),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_centre_members")),
        sa.ForeignKeyConstraint(["centre_id"], ["centres.id"], name=op.f("fk_centre_members_centre_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_centre_members_token_hash")),
    )
    op.create_index(op.f("ix_centre_members_centre_id_id"), "centre_members", ["centre_id", "id"])


def _create_sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", _ID, nullable=False),
        sa.Column("centre_id", _ID, nullable=False),
        sa.Column("rules_hash", sa.String(64), nullable=False),
        sa.Column("date", sa.String(10), nullable=False),
        sa.Column("time", sa.String(5), nullable=False),
        sa.Column("zone", sa.String(64), nullable=False),
        sa.Column("place", sa.String(255), nullable=False),
        sa.Column("room", sa.String(255), nullable=False),
        sa.Column("window", sa.String(64), nullable=False),
        sa.Column("access_code", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.ForeignKeyConstraint(["centre_id"], ["centres.id"], name=op.f("fk_sessions_centre_id")),
        sa.ForeignKeyConstraint(["rules_hash"], ["designs.hash"], name=op.f("fk_sessions_rules_hash")),
        sa.UniqueConstraint("access_code", name=op.f("uq_sessions_access_code")),
    )
    op.create_index(op.f("ix_sessions_centre_id_id"), "sessions", ["centre_id", "id"])
    op.create_table(
        "session_members",
        sa.Column("session_id", _ID, nullable=False),
        sa.Column("member_id", _ID, nullable=False),
        sa.PrimaryKeyConstraint("session_id", "member_id", name=op.f("pk_session_members")),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name=op.f("fk_session_members_session_id")),
        sa.ForeignKeyConstraint(["member_id"], ["centre_members.id"], name=op.f("fk_session_members_member_id")),
    )


def _create_candidates() -> None:
    op.create_table(
        "candidates",
        sa.Column("id", _ID, nullable=False),
        sa.Column("session_id", _ID, nullable=False),
        sa.Column("learner_id", _ID, nullable=False),
        sa.Column("first_name", sa.String(255), nullable=False),
        sa.Column("last_name", sa.String(255), nullable=False),
        sa.Column("birth_date", sa.String(10), nullable=False),
        sa.Column("extra_time", sa.Float(53), nullable=False),
        sa.Column("accessible", _JSON, nullable=False),
        sa.Column("equipment", sa.Text(), nullable=False),
        sa.Column("locale", sa.String(8), nullable=False),
        sa.Column("run_id", _ID),
        sa.Column("profile", _JSON),
        sa.Column("device_hash", sa.String(64)),
        sa.Column("waiting_hash", sa.String(64)),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_candidates")),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name=op.f("fk_candidates_session_id")),
        sa.ForeignKeyConstraint(["learner_id"], ["learners.id"], name=op.f("fk_candidates_learner_id")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_candidates_run_id")),
        sa.UniqueConstraint("run_id", name=op.f("uq_candidates_run_id")),
        sa.UniqueConstraint("device_hash", name=op.f("uq_candidates_device_hash")),
        sa.UniqueConstraint("waiting_hash", name=op.f("uq_candidates_waiting_hash")),
        sa.UniqueConstraint("session_id", "learner_id", name=op.f("uq_candidates_session_id_learner_id")),
    )
    op.create_index(op.f("ix_candidates_learner_id_id"), "candidates", ["learner_id", "id"])


def _create_facts(name: str, owner: str, owners: str) -> None:
    op.create_table(
        name,
        sa.Column(owner, _ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("who", sa.String(80), nullable=False),
        sa.Column("why", sa.Text()),
        sa.Column("data", _JSON),
        sa.PrimaryKeyConstraint(owner, "number", name=op.f(f"pk_{name}")),
        sa.ForeignKeyConstraint([owner], [f"{owners}.id"], name=op.f(f"fk_{name}_{owner}")),
    )


def _create_decisions() -> None:
    op.create_table(
        "scorings",
        sa.Column("candidate_id", _ID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("run_id", _ID, nullable=False),
        sa.Column("snapshot_hash", sa.String(64), nullable=False),
        sa.Column("rules_hash", sa.String(64), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("who", sa.String(80), nullable=False),
        sa.Column("why", sa.Text()),
        sa.Column("end", sa.String(16), nullable=False),
        sa.Column("copied", _JSON),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("result", _JSON, nullable=False),
        sa.PrimaryKeyConstraint("candidate_id", "version", name=op.f("pk_scorings")),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidates.id"], name=op.f("fk_scorings_candidate_id")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_scorings_run_id")),
        sa.ForeignKeyConstraint(["snapshot_hash"], ["snapshots.hash"], name=op.f("fk_scorings_snapshot_hash")),
        sa.ForeignKeyConstraint(["rules_hash"], ["designs.hash"], name=op.f("fk_scorings_rules_hash")),
    )
    op.create_table(
        "certificates",
        sa.Column("id", _ID, nullable=False),
        sa.Column("candidate_id", _ID, nullable=False),
        sa.Column("scoring_version", sa.Integer(), nullable=False),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.Column("issued_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("revoked_at", _MOMENT),
        sa.Column("revoked_why", sa.Text()),
        sa.Column("replaced_by", _ID),
        sa.Column("shows_name", sa.Boolean(), nullable=False),
        sa.Column("shows_levels", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificates")),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidates.id"], name=op.f("fk_certificates_candidate_id")),
        sa.ForeignKeyConstraint(["replaced_by"], ["certificates.id"], name=op.f("fk_certificates_replaced_by")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_certificates_code_hash")),
        sa.UniqueConstraint(
            "candidate_id", "scoring_version", name=op.f("uq_certificates_candidate_id_scoring_version")
        ),
    )


def _kinds_of_facts(kinds: str) -> None:
    """Change what facts a run may have; SQLite changes no constraint, so the table is made again."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(op.f("ck_facts_kind"), "facts", type_="check")
        op.create_check_constraint(op.f("ck_facts_kind"), "facts", kinds)
        return
    op.create_table(
        "facts_made_again",
        sa.Column("run_id", _ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("part", sa.SmallInteger(), nullable=False, autoincrement=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("item", sa.String(255)),
        sa.Column("parameters", _JSON),
        sa.Column("response", sa.SmallInteger()),
        sa.Column("answer", _JSON),
        sa.Column("seconds", sa.Float(53)),
        sa.Column("reason", sa.String(32)),
        sa.Column("result", _JSON),
        sa.PrimaryKeyConstraint("run_id", "position", "part", name=op.f("pk_facts")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_facts_run_id")),
        sa.CheckConstraint("position >= 0", name=op.f("ck_facts_position")),
        sa.CheckConstraint(kinds, name=op.f("ck_facts_kind")),
    )
    op.execute("INSERT INTO facts_made_again SELECT * FROM facts")
    op.drop_table("facts")
    op.rename_table("facts_made_again", "facts")
    _forbid_changes("facts")


def _forbid_changes(table: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION facts_are_append_only()"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            "BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END"
        )
