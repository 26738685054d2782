"""SQL of campaigns and participations."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, case, exists, func, insert, select, update

from api.campaigns.records import Campaign, Participation, ParticipationState
from api.campaigns.tables import campaigns, participations
from api.organisations.registrations.records import Registration
from api.organisations.tables import registrations
from api.tables import runs


def add_campaign(connection: Connection, campaign: Campaign) -> None:
    """Store a new campaign."""
    row = vars(campaign) | {"competences": list(campaign.competences), "targets": dict(campaign.targets)}
    connection.execute(insert(campaigns).values(**row))


def campaign_of(connection: Connection, campaign_id: str, lock: bool = False) -> Campaign | None:
    """Return the campaign of that id; ``lock`` keeps others from changing it until the transaction ends."""
    query = select(campaigns).where(campaigns.c.id == campaign_id)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else _campaign(row)


def kept_campaign(connection: Connection, campaign_id: str) -> Campaign | None:
    """Return the campaign of that id, which stays as it is until the transaction ends; many may keep it so at once."""
    query = select(campaigns).where(campaigns.c.id == campaign_id).with_for_update(read=True)
    row = connection.execute(query).one_or_none()
    return None if row is None else _campaign(row)


def campaign_of_code(connection: Connection, access_code: str) -> Campaign | None:
    """Return the campaign that has this access code."""
    row = connection.execute(select(campaigns).where(campaigns.c.access_code == access_code)).one_or_none()
    return None if row is None else _campaign(row)


def campaigns_of_organisation(
    connection: Connection, organisation_id: str, after: str | None, limit: int
) -> list[Campaign]:
    """Return campaigns of an organisation, the latest first, those before ``after``."""
    query = select(campaigns).where(campaigns.c.organisation_id == organisation_id)
    if after is not None:
        query = query.where(campaigns.c.id < after)
    return [_campaign(row) for row in connection.execute(query.order_by(campaigns.c.id.desc()).limit(limit))]


def change_campaign(connection: Connection, campaign_id: str, values: Mapping[str, Any]) -> None:
    """Change columns of a campaign."""
    connection.execute(update(campaigns).where(campaigns.c.id == campaign_id).values(**values))


def has_participations(connection: Connection, campaign_id: str) -> bool:
    """Tell whether anybody entered a campaign."""
    query = select(participations.c.id).where(participations.c.campaign_id == campaign_id).limit(1)
    return connection.execute(query).one_or_none() is not None


def add_participation(connection: Connection, participation: Participation, token_hash: str) -> None:
    """Store a new participation."""
    row = {name: value for name, value in vars(participation).items() if name != "finished_at"}
    connection.execute(insert(participations).values(**row, token_hash=token_hash))


def change_participation(connection: Connection, participation_id: str, values: Mapping[str, Any]) -> None:
    """Change columns of a participation."""
    connection.execute(update(participations).where(participations.c.id == participation_id).values(**values))


def participation_of(connection: Connection, participation_id: str) -> Participation | None:
    """Return the participation of that id."""
    return _one(connection, _selected().where(participations.c.id == participation_id))


def participation_of_token(connection: Connection, token_hash: str) -> Participation | None:
    """Return the participation that has this token."""
    return _one(connection, _selected().where(participations.c.token_hash == token_hash))


def participation_of_run(connection: Connection, run_id: str) -> Participation | None:
    """Return the participation whose run this is."""
    return _one(connection, _selected().where(participations.c.run_id == run_id))


def names_of(connection: Connection, learner_id: str) -> list[tuple[str, str]]:
    """Return the first and last names under which an account took part in campaigns."""
    query = select(participations.c.first_name, participations.c.last_name)
    rows = connection.execute(query.where(participations.c.learner_id == learner_id).distinct())
    return [(row[0], row[1]) for row in rows]


def latest_participation(connection: Connection, campaign_id: str, learner_id: str) -> Participation | None:
    """Return the last attempt of a learner in a campaign."""
    query = _selected().where(participations.c.campaign_id == campaign_id, participations.c.learner_id == learner_id)
    return _one(connection, query.order_by(participations.c.attempt.desc()).limit(1))


def participations_of_registration(connection: Connection, registration_id: str) -> list[Participation]:
    """Return the last attempt of a learner of a list in each campaign, the latest first."""
    query = _selected().where(participations.c.registration_id == registration_id, ~_another_follows())
    return [_participation(row) for row in connection.execute(query.order_by(participations.c.id.desc()))]


def participations_of(
    connection: Connection,
    campaign_id: str,
    after: str | None,
    limit: int,
    division: str | None = None,
    state: ParticipationState | None = None,
) -> list[Participation]:
    """Return the last attempt of each learner in a campaign, in the order of their coming, those behind ``after``."""
    query = _selected().where(participations.c.campaign_id == campaign_id, ~_another_follows())
    if after is not None:
        query = query.where(participations.c.id > after)
    if division is not None:
        query = query.where(participations.c.division == division)
    if state is not None:
        query = query.where(*_in_state(state))
    rows = connection.execute(query.order_by(participations.c.id).limit(limit))
    return [_participation(row) for row in rows]


def absent_from(
    connection: Connection, campaign: Campaign, after: str | None, limit: int, division: str | None = None
) -> list[Registration]:
    """Return the active learners of the organisation who have not entered a campaign, those behind ``after``."""
    entered = exists().where(
        participations.c.campaign_id == campaign.id, participations.c.learner_id == registrations.c.learner_id
    )
    query = select(registrations).where(
        registrations.c.organisation_id == campaign.organisation_id, registrations.c.active, ~entered
    )
    if after is not None:
        query = query.where(registrations.c.id > after)
    if division is not None:
        query = query.where(registrations.c.division == division)
    rows = connection.execute(query.order_by(registrations.c.id).limit(limit))
    return [Registration(**row._asdict()) for row in rows]


def counted(connection: Connection, campaign_id: str) -> dict[str | None, tuple[int, int, int]]:
    """Return how many learners have started, finished and sent, by division; any of their attempts tells."""
    each = (
        select(
            participations.c.learner_id,
            func.max(participations.c.division).label("division"),
            func.max(case((_is(participations.c.run_id) | _is(participations.c.sent_at), 1), else_=0)).label("started"),
            func.max(case((_is(runs.c.finished_at) | _is(participations.c.sent_at), 1), else_=0)).label("finished"),
            func.max(case((_is(participations.c.sent_at), 1), else_=0)).label("sent"),
        )
        .outerjoin(runs, runs.c.id == participations.c.run_id)
        .where(participations.c.campaign_id == campaign_id)
        .group_by(participations.c.learner_id)
        .subquery()
    )
    sums = (func.sum(each.c.started), func.sum(each.c.finished), func.sum(each.c.sent))
    query = select(each.c.division, *sums).group_by(each.c.division)
    return {row[0]: (int(row[1]), int(row[2]), int(row[3])) for row in connection.execute(query)}


def _selected() -> Select[Any]:
    columns = [column for column in participations.c if column.name != "token_hash"]
    return select(*columns, runs.c.finished_at).outerjoin(runs, runs.c.id == participations.c.run_id)


def _another_follows() -> Any:
    later = participations.alias("later")
    return exists().where(
        and_(
            later.c.campaign_id == participations.c.campaign_id,
            later.c.learner_id == participations.c.learner_id,
            later.c.attempt > participations.c.attempt,
        )
    )


def _in_state(state: ParticipationState) -> tuple[Any, ...]:
    sent, begun, ended = (
        _is(column) for column in (participations.c.sent_at, participations.c.run_id, runs.c.finished_at)
    )
    match state:
        case ParticipationState.SENT:
            return (sent,)
        case ParticipationState.FINISHED:
            return (~sent, ended)
        case ParticipationState.STARTED:
            return (~sent, begun, ~ended)
        case ParticipationState.ENTERED:
            return (~sent, ~begun)


def _is(column: Any) -> Any:
    return column.is_not(None)


def _one(connection: Connection, query: Select[Any]) -> Participation | None:
    row = connection.execute(query).one_or_none()
    return None if row is None else _participation(row)


def _participation(row: Row[Any]) -> Participation:
    return Participation(**row._asdict())


def _campaign(row: Row[Any]) -> Campaign:
    values = row._asdict()
    return Campaign(**{**values, "competences": tuple(values["competences"])})
