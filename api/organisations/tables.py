"""The tables of organisations: who works there, who learns there, and who did and saw what."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    Uuid,
)

from api.tables import Moment, metadata

_Id = Uuid(as_uuid=False)
_Json = JSON(none_as_null=True)
_NAMES = ("last_name", "usual_name", "first_name", "second_name", "third_name")
_BIRTH = {
    "birth_date": 10,  # YYYY-MM-DD
    "birth_city_code": 5,
    "birth_city": 255,
    "birth_department": 3,
    "birth_country": 5,
}

organisations = Table(
    "organisations",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("client_id", String(64), ForeignKey("clients.id"), nullable=False),
    Column("name", String(255), nullable=False),
    Column("uai", String(8)),
    Column("created_at", Moment, nullable=False),
    Index(None, "client_id", "id"),
)

members = Table(
    "members",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("organisation_id", _Id, ForeignKey("organisations.id"), nullable=False),
    Column("name", String(255), nullable=False),
    Column("role", String(16), nullable=False),  # of api.organisations.records: admin, member or invigilator
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
    Column("revoked_at", Moment),
    Index(None, "organisation_id", "id"),
)

invitations = Table(
    "invitations",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("organisation_id", _Id, ForeignKey("organisations.id"), nullable=False),
    Column("name", String(255), nullable=False),  # for whom, as the administrator wrote it
    Column("role", String(16), nullable=False),
    Column("code_hash", String(64), nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("withdrawn_at", Moment),
    Column("member_id", _Id, ForeignKey("members.id"), unique=True),  # who came by it
    Index(None, "organisation_id", "id"),
)


def _learner_columns() -> list[Column[str]]:
    """Make the columns of what a list of learners says of each, in force or in a file that waits."""
    return [
        Column("ine", String(255)),
        Column("external_id", String(255)),  # of the organisation, where there is no INE
        *(Column(name, String(255), nullable=name not in ("last_name", "first_name")) for name in _NAMES),
        Column("sex", String(1)),  # F or M
        *(Column(name, String(length), nullable=name != "birth_date") for name, length in _BIRTH.items()),
        Column("status", String(2)),  # ST, a student; AP, an apprentice
        Column("mef", String(255)),
        Column("division", String(255)),  # the class, which is the team
    ]


registrations = Table(
    "registrations",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("organisation_id", _Id, ForeignKey("organisations.id"), nullable=False),
    Column("learner_id", _Id, ForeignKey("learners.id"), nullable=False),
    *_learner_columns(),
    Column("active", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("deactivated_at", Moment),
    UniqueConstraint("organisation_id", "ine"),
    UniqueConstraint("organisation_id", "external_id"),
    Index(None, "organisation_id", "id"),
    Index(None, "organisation_id", "birth_date"),
    Index(None, "learner_id"),
)

identities = Table(
    "identities",
    metadata,
    Column("client_id", String(64), ForeignKey("clients.id"), primary_key=True),
    Column("ine", String(255), primary_key=True),
    Column("learner_id", _Id, ForeignKey("learners.id"), nullable=False),
    Column("birth_date", String(10), nullable=False),  # what must agree before the same INE is the same person
    Column("created_at", Moment, nullable=False),
    Index(None, "learner_id"),
)

learner_imports = Table(
    "learner_imports",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("organisation_id", _Id, ForeignKey("organisations.id"), nullable=False),
    Column("who", String(80), nullable=False),
    Column("file_name", String(255), nullable=False),
    Column("key", String(16), nullable=False),  # ine or external_id
    Column("state", String(16), nullable=False),  # reading, refused, checked, applied
    Column("rows", Integer, nullable=False),
    Column("told", _Json),  # the difference, or what is wrong
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("applied_at", Moment),
    Index(None, "organisation_id", "id"),
)

learner_import_rows = Table(
    "learner_import_rows",
    metadata,
    Column("import_id", _Id, ForeignKey("learner_imports.id"), primary_key=True),
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("registration_id", _Id, nullable=False),  # of the registration and the account to make, if they are new
    Column("learner_id", _Id, nullable=False),
    *_learner_columns(),
    Index(None, "import_id", "ine"),
    Index(None, "import_id", "external_id"),
    Index(None, "import_id", "registration_id"),
)

deeds = Table(
    "deeds",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("organisation_id", _Id, ForeignKey("organisations.id"), nullable=False),
    Column("at", Moment, nullable=False),
    Column("who", String(80), nullable=False),  # member:ID, platform:ID or server
    Column("kind", String(32), nullable=False),
    Column("data", _Json),
    Index(None, "organisation_id", "id"),
)

accesses = Table(
    "accesses",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("learner_id", _Id, ForeignKey("learners.id"), nullable=False),
    Column("organisation_id", _Id, ForeignKey("organisations.id")),
    Column("at", Moment, nullable=False),
    Column("who", String(80), nullable=False),
    Column("what", String(32), nullable=False),
    Index(None, "learner_id", "id"),
    Index(None, "at"),
)
