"""The tables of campaigns and of those who take part."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from api.organisations.tables import organisations, registrations
from api.tables import Moment, metadata

_Id = Uuid(as_uuid=False)
_Json = JSON(none_as_null=True)

campaigns = Table(
    "campaigns",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("organisation_id", _Id, ForeignKey(organisations.c.id), nullable=False),
    Column("kind", String(16), nullable=False),  # assessment, collection or exam
    Column("title", String(255), nullable=False),
    Column("text", Text, nullable=False),  # for the learners
    Column("course", String(64)),  # name of the ready-made course that it comes from
    Column("competences", _Json, nullable=False),  # codes
    Column("targets", _Json, nullable=False),  # level aimed at, by code of competence
    Column("length", Integer),  # items; of the design when null
    Column("skip", String(16), nullable=False),  # what a skip says: unknown, incorrect or ignored
    Column("locale", String(8), nullable=False),
    Column("opens_at", Moment, nullable=False),
    Column("closes_at", Moment),
    Column("archives_at", Moment, nullable=False),
    Column("archived_at", Moment),
    Column("several", Boolean, nullable=False),  # attempts
    Column("external_id_label", String(255)),  # what learners are asked for; nothing when null
    Column("restricted", Boolean, nullable=False),  # to the learners of the organisation
    Column("access_code", String(16), nullable=False, unique=True),
    Column("created_by", String(80), nullable=False),
    Column("created_at", Moment, nullable=False),
    Index(None, "organisation_id", "id"),
)

participations = Table(
    "participations",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("campaign_id", _Id, ForeignKey("campaigns.id"), nullable=False),
    Column("learner_id", _Id, ForeignKey("learners.id"), nullable=False),
    Column("registration_id", _Id, ForeignKey(registrations.c.id)),
    Column("attempt", Integer, nullable=False),  # 1, 2, ...
    Column("first_name", String(255), nullable=False),
    Column("last_name", String(255), nullable=False),
    Column("division", String(255)),
    Column("external_id", String(255)),
    Column("run_id", _Id, ForeignKey("runs.id"), unique=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
    Column("sent_at", Moment),
    Column("snapshot", _Json),  # what was sent, as it was then
    UniqueConstraint("campaign_id", "learner_id", "attempt"),
    Index(None, "campaign_id", "id"),
    Index(None, "learner_id"),
    Index(None, "registration_id"),
)
