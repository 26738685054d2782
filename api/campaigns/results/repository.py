"""SQL of what was sent: nothing else of a participation is read here."""

from collections.abc import Iterator

from sqlalchemy import Connection, Select, and_, exists, select

from api.campaigns.records import Campaign, Participation
from api.campaigns.tables import campaigns, participations

_COLUMNS = [column for column in participations.c if column.name != "token_hash"]


def sent_to(
    connection: Connection, campaign_id: str, after: str | None, limit: int, division: str | None = None
) -> list[Participation]:
    """Return the latest attempt that each learner sent to a campaign, in order, those behind ``after``."""
    query = _latest().where(participations.c.campaign_id == campaign_id)
    if after is not None:
        query = query.where(participations.c.id > after)
    if division is not None:
        query = query.where(participations.c.division == division)
    rows = connection.execute(query.order_by(participations.c.id).limit(limit))
    return [Participation(**row._asdict()) for row in rows]


def all_sent_to(
    connection: Connection, campaign_id: str, division: str | None = None, at_once: int = 500
) -> Iterator[Participation]:
    """Give everything that was sent to a campaign, read in pages so that memory does not grow with it."""
    after = None
    while found := sent_to(connection, campaign_id, after, at_once, division):
        yield from found
        after = found[-1].id


def sent_before(
    connection: Connection, campaign: Campaign, participation: Participation
) -> tuple[Campaign, Participation] | None:
    """Return what the learner sent last, with answers of its own, to another campaign of the same organisation."""
    query = (
        select(*_COLUMNS)  # not only the latest attempts: a later one may have been sent since
        .join(campaigns, campaigns.c.id == participations.c.campaign_id)
        .where(
            campaigns.c.organisation_id == campaign.organisation_id,
            campaigns.c.kind != "collection",
            participations.c.campaign_id != campaign.id,
            participations.c.learner_id == participation.learner_id,
            participations.c.sent_at < participation.sent_at,
        )
        .order_by(participations.c.sent_at.desc(), participations.c.attempt.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    before = Participation(**row._asdict())
    found = connection.execute(select(campaigns).where(campaigns.c.id == before.campaign_id)).one()._asdict()
    return Campaign(**{**found, "competences": tuple(found["competences"])}), before


def divisions_sent(connection: Connection, campaign_id: str) -> list[str | None]:
    """Return the classes of those who sent something to a campaign, in order, those without a class last."""
    query = select(participations.c.division).where(
        participations.c.campaign_id == campaign_id, participations.c.sent_at.is_not(None)
    )
    return sorted(connection.scalars(query.distinct()), key=lambda name: (name is None, name or ""))


def _latest() -> Select[tuple[object, ...]]:
    later = participations.alias("later")
    replaced = exists().where(
        and_(
            later.c.campaign_id == participations.c.campaign_id,
            later.c.learner_id == participations.c.learner_id,
            later.c.attempt > participations.c.attempt,
            later.c.sent_at.is_not(None),
        )
    )
    return select(*_COLUMNS).where(participations.c.sent_at.is_not(None), ~replaced)
