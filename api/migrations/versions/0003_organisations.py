"""Organisations: centres become organisations with learners, invitations, an audit and campaigns."""

import sqlalchemy as sa
from alembic import op
from alembic.util import CommandError

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ID = sa.Uuid(as_uuid=False)
_MOMENT = sa.DateTime(timezone=True)
_JSON = sa.JSON(none_as_null=True)


def upgrade() -> None:
    """Rename centres, rebuild their members, and create the other tables."""
    _rename_centres()
    _rebuild_members()
    op.add_column("runs", sa.Column("counts", sa.Boolean(), nullable=False, server_default=sa.true()))
    _create_invitations()
    _create_registrations()
    _create_imports()
    _create_logs()
    _create_campaigns()
    _create_participations()


def downgrade() -> None:
    """Refuse: what organisations hold has no place in the tables of before."""
    raise CommandError("There is no way back from here: restore the database from before the change.")


def _rename_centres() -> None:
    op.drop_index("ix_centres_client_id_id", "centres")
    op.rename_table("centres", "organisations")
    op.create_index("ix_organisations_client_id_id", "organisations", ["client_id", "id"])
    op.drop_index("ix_sessions_centre_id_id", "sessions")
    op.execute("ALTER TABLE sessions RENAME COLUMN centre_id TO organisation_id")
    op.create_index("ix_sessions_organisation_id_id", "sessions", ["organisation_id", "id"])


def _rebuild_members() -> None:
    """Make the table again: SQLite cannot rename its constraints, nor the table to which session_members refers."""
    op.create_table(
        "members",
        sa.Column("id", _ID, nullable=False),
        _organisation(),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("revoked_at", _MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_members"),
        _of_organisation("members"),
        sa.UniqueConstraint("token_hash", name="uq_members_token_hash"),
    )
    op.execute(
        "INSERT INTO members (id, organisation_id, name, role, token_hash, created_at, revoked_at) "
        "SELECT id, centre_id, name, role, token_hash, created_at, revoked_at FROM centre_members"
    )
    op.create_index("ix_members_organisation_id_id", "members", ["organisation_id", "id"])
    op.create_table(
        "session_members_made_again",
        sa.Column("session_id", _ID, nullable=False),
        sa.Column("member_id", _ID, nullable=False),
        sa.PrimaryKeyConstraint("session_id", "member_id", name="pk_session_members_made_again"),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name="fk_session_members_session_id"),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_session_members_member_id"),
    )
    op.execute("INSERT INTO session_members_made_again SELECT session_id, member_id FROM session_members")
    op.drop_table("session_members")
    op.rename_table("session_members_made_again", "session_members")
    op.drop_table("centre_members")


def _create_invitations() -> None:
    op.create_table(
        "invitations",
        sa.Column("id", _ID, nullable=False),
        _organisation(),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("withdrawn_at", _MOMENT),
        sa.Column("member_id", _ID),
        sa.PrimaryKeyConstraint("id", name="pk_invitations"),
        _of_organisation("invitations"),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_invitations_member_id"),
        sa.UniqueConstraint("code_hash", name="uq_invitations_code_hash"),
        sa.UniqueConstraint("member_id", name="uq_invitations_member_id"),
    )
    op.create_index("ix_invitations_organisation_id_id", "invitations", ["organisation_id", "id"])


def _create_registrations() -> None:
    op.create_table(
        "registrations",
        sa.Column("id", _ID, nullable=False),
        _organisation(),
        sa.Column("learner_id", _ID, nullable=False),
        *_learner_columns(),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("changed_at", _MOMENT, nullable=False),
        sa.Column("deactivated_at", _MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_registrations"),
        _of_organisation("registrations"),
        sa.ForeignKeyConstraint(["learner_id"], ["learners.id"], name="fk_registrations_learner_id"),
        sa.UniqueConstraint("organisation_id", "ine", name="uq_registrations_organisation_id_ine"),
        sa.UniqueConstraint("organisation_id", "external_id", name="uq_registrations_organisation_id_external_id"),
    )
    for columns in (["organisation_id", "id"], ["organisation_id", "birth_date"], ["learner_id"]):
        op.create_index(f"ix_registrations_{'_'.join(columns)}", "registrations", columns)
    op.create_table(
        "identities",
        sa.Column("client_id", sa.String(64), nullable=False),
        sa.Column("ine", sa.String(255), nullable=False),
        sa.Column("learner_id", _ID, nullable=False),
        sa.Column("birth_date", sa.String(10), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("client_id", "ine", name="pk_identities"),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name="fk_identities_client_id"),
        sa.ForeignKeyConstraint(["learner_id"], ["learners.id"], name="fk_identities_learner_id"),
    )
    op.create_index("ix_identities_learner_id", "identities", ["learner_id"])


def _create_imports() -> None:
    op.create_table(
        "learner_imports",
        sa.Column("id", _ID, nullable=False),
        _organisation(),
        sa.Column("who", sa.String(80), nullable=False),
        sa.Column("file_name", sa.String(255), nullable=False),
        sa.Column("key", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("told", _JSON),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("applied_at", _MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_learner_imports"),
        _of_organisation("learner_imports"),
    )
    op.create_index("ix_learner_imports_organisation_id_id", "learner_imports", ["organisation_id", "id"])
    op.create_table(
        "learner_import_rows",
        sa.Column("import_id", _ID, nullable=False),
        sa.Column("line", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("registration_id", _ID, nullable=False),
        sa.Column("learner_id", _ID, nullable=False),
        *_learner_columns(),
        sa.PrimaryKeyConstraint("import_id", "line", name="pk_learner_import_rows"),
        sa.ForeignKeyConstraint(["import_id"], ["learner_imports.id"], name="fk_learner_import_rows_import_id"),
    )
    for key in ("ine", "external_id", "registration_id"):
        op.create_index(f"ix_learner_import_rows_import_id_{key}", "learner_import_rows", ["import_id", key])


def _create_logs() -> None:
    op.create_table(
        "deeds",
        sa.Column("id", _ID, nullable=False),
        _organisation(),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("who", sa.String(80), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("data", _JSON),
        sa.PrimaryKeyConstraint("id", name="pk_deeds"),
        _of_organisation("deeds"),
    )
    op.create_index("ix_deeds_organisation_id_id", "deeds", ["organisation_id", "id"])
    op.create_table(
        "accesses",
        sa.Column("id", _ID, nullable=False),
        sa.Column("learner_id", _ID, nullable=False),
        sa.Column("organisation_id", _ID),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("who", sa.String(80), nullable=False),
        sa.Column("what", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_accesses"),
        sa.ForeignKeyConstraint(["learner_id"], ["learners.id"], name="fk_accesses_learner_id"),
        _of_organisation("accesses"),
    )
    op.create_index("ix_accesses_learner_id_id", "accesses", ["learner_id", "id"])
    op.create_index("ix_accesses_at", "accesses", ["at"])


def _create_campaigns() -> None:
    op.create_table(
        "campaigns",
        sa.Column("id", _ID, nullable=False),
        _organisation(),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("title", sa.String(255), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("course", sa.String(64)),
        sa.Column("competences", _JSON, nullable=False),
        sa.Column("targets", _JSON, nullable=False),
        sa.Column("length", sa.Integer()),
        sa.Column("skip", sa.String(16), nullable=False),
        sa.Column("locale", sa.String(8), nullable=False),
        sa.Column("opens_at", _MOMENT, nullable=False),
        sa.Column("closes_at", _MOMENT),
        sa.Column("archives_at", _MOMENT, nullable=False),
        sa.Column("archived_at", _MOMENT),
        sa.Column("several", sa.Boolean(), nullable=False),
        sa.Column("external_id_label", sa.String(255)),
        sa.Column("restricted", sa.Boolean(), nullable=False),
        sa.Column("access_code", sa.String(16), nullable=False),
        sa.Column("created_by", sa.String(80), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_campaigns"),
        _of_organisation("campaigns"),
        sa.UniqueConstraint("access_code", name="uq_campaigns_access_code"),
    )
    op.create_index("ix_campaigns_organisation_id_id", "campaigns", ["organisation_id", "id"])


def _create_participations() -> None:
    op.create_table(
        "participations",
        sa.Column("id", _ID, nullable=False),
        sa.Column("campaign_id", _ID, nullable=False),
        sa.Column("learner_id", _ID, nullable=False),
        sa.Column("registration_id", _ID),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("first_name", sa.String(255), nullable=False),
        sa.Column("last_name", sa.String(255), nullable=False),
        sa.Column("division", sa.String(255)),
        sa.Column("external_id", sa.String(255)),
        sa.Column("run_id", _ID),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("sent_at", _MOMENT),
        sa.Column("snapshot", _JSON),
        sa.PrimaryKeyConstraint("id", name="pk_participations"),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name="fk_participations_campaign_id"),
        sa.ForeignKeyConstraint(["learner_id"], ["learners.id"], name="fk_participations_learner_id"),
        sa.ForeignKeyConstraint(["registration_id"], ["registrations.id"], name="fk_participations_registration_id"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_participations_run_id"),
        sa.UniqueConstraint("run_id", name="uq_participations_run_id"),
        sa.UniqueConstraint("token_hash", name="uq_participations_token_hash"),
        sa.UniqueConstraint(
            "campaign_id", "learner_id", "attempt", name="uq_participations_campaign_id_learner_id_attempt"
        ),
    )
    for columns in (["campaign_id", "id"], ["learner_id"], ["registration_id"]):
        op.create_index(f"ix_participations_{'_'.join(columns)}", "participations", columns)


def _organisation() -> "sa.Column[str]":
    return sa.Column("organisation_id", _ID, nullable=False)


def _of_organisation(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=f"fk_{table}_organisation_id")


def _learner_columns() -> "list[sa.Column[str]]":
    optional = {"ine": 255, "external_id": 255}
    names = {"last_name": False, "usual_name": True, "first_name": False, "second_name": True, "third_name": True}
    rest = {"birth_city_code": 5, "birth_city": 255, "birth_department": 3, "birth_country": 5}
    more = {"status": 2, "mef": 255, "division": 255}
    return [
        *(sa.Column(name, sa.String(length)) for name, length in optional.items()),
        *(sa.Column(name, sa.String(255), nullable=nullable) for name, nullable in names.items()),
        sa.Column("sex", sa.String(1)),
        sa.Column("birth_date", sa.String(10), nullable=False),
        *(sa.Column(name, sa.String(length)) for name, length in (rest | more).items()),
    ]
