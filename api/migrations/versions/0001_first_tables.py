"""First tables: clients, keys, learners, pinned banks and designs, runs, and facts that nobody can change."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.Uuid(as_uuid=False)
_MOMENT = sa.DateTime(timezone=True)
_JSON = sa.JSON(none_as_null=True)
_KINDS = "(part = 0 AND kind IN ('asked', 'ended')) OR (part = 1 AND kind IN ('answered', 'skipped', 'timed_out'))"


def upgrade() -> None:
    """Create the tables and the triggers."""
    _create_access()
    _create_pinned()
    _create_runs()
    _create_facts()
    _forbid_changes_of_facts()


def downgrade() -> None:
    """Drop everything."""
    for table in ("facts", "idempotency_keys", "runs", "designs", "snapshots", "learners", "signing_keys", "clients"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION facts_are_append_only()")


def _create_access() -> None:
    op.create_table(
        "clients",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("revoked_at", _MOMENT),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clients")),
    )
    op.create_table(
        "signing_keys",
        sa.Column("purpose", sa.String(32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("purpose", "version", name=op.f("pk_signing_keys")),
    )
    op.create_table(
        "learners",
        sa.Column("id", _ID, nullable=False),
        sa.Column("client_id", sa.String(64)),
        sa.Column("external_id", sa.String(255)),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_learners")),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name=op.f("fk_learners_client_id")),
        sa.UniqueConstraint("client_id", "external_id", name=op.f("uq_learners_client_id_external_id")),
    )
    op.create_index(op.f("ix_learners_client_id_id"), "learners", ["client_id", "id"])
    op.create_table(
        "idempotency_keys",
        sa.Column("client_id", sa.String(64), nullable=False),
        sa.Column("endpoint", sa.String(64), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("request_hash", sa.String(64), nullable=False),
        sa.Column("resource_id", _ID, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("client_id", "endpoint", "key", name=op.f("pk_idempotency_keys")),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name=op.f("fk_idempotency_keys_client_id")),
    )


def _create_pinned() -> None:
    for table, content in (("snapshots", sa.Text()), ("designs", _JSON)):
        op.create_table(
            table,
            sa.Column("hash", sa.String(64), nullable=False),
            sa.Column("content", content, nullable=False),
            sa.Column("created_at", _MOMENT, nullable=False),
            sa.PrimaryKeyConstraint("hash", name=op.f(f"pk_{table}")),
        )


def _create_runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", _ID, nullable=False),
        sa.Column("learner_id", _ID, nullable=False),
        sa.Column("client_id", sa.String(64)),
        sa.Column("snapshot_hash", sa.String(64), nullable=False),
        sa.Column("design_hash", sa.String(64), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("locale", sa.String(8), nullable=False),
        sa.Column("competences", _JSON, nullable=False),
        sa.Column("accessible", _JSON, nullable=False),
        sa.Column("earlier", _JSON, nullable=False),
        sa.Column("excluded", _JSON, nullable=False),
        sa.Column("access_code", sa.String(16), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("finished_at", _MOMENT),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
        sa.ForeignKeyConstraint(["learner_id"], ["learners.id"], name=op.f("fk_runs_learner_id")),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name=op.f("fk_runs_client_id")),
        sa.ForeignKeyConstraint(["snapshot_hash"], ["snapshots.hash"], name=op.f("fk_runs_snapshot_hash")),
        sa.ForeignKeyConstraint(["design_hash"], ["designs.hash"], name=op.f("fk_runs_design_hash")),
        sa.UniqueConstraint("access_code", name=op.f("uq_runs_access_code")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_runs_token_hash")),
    )
    op.create_index(op.f("ix_runs_learner_id_id"), "runs", ["learner_id", "id"])
    op.create_index(op.f("ix_runs_learner_id_finished_at"), "runs", ["learner_id", "finished_at"])


def _create_facts() -> None:
    op.create_table(
        "facts",
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
        sa.CheckConstraint(_KINDS, name=op.f("ck_facts_kind")),
    )


def _forbid_changes_of_facts() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION facts_are_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'facts are append-only'; END $$"
        )
        op.execute(
            "CREATE TRIGGER facts_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON facts "
            "FOR EACH STATEMENT EXECUTE FUNCTION facts_are_append_only()"
        )
    else:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER facts_no_{verb.lower()} BEFORE {verb} ON facts "
                "BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END"
            )
