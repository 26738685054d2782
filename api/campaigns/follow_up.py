"""Following a campaign: how far its learners are, and nothing of what they have not sent."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from api.campaigns.callers import required_campaign
from api.campaigns.records import Participation, ParticipationState
from api.campaigns.repository import (
    absent_from,
    campaign_of,
    counted,
    participations_of,
    participations_of_registration,
)
from api.campaigns.service import moment
from api.context import Context
from api.organisations.callers import Staff, required_organisation
from api.organisations.registrations.records import Registration
from api.organisations.registrations.repository import divisions_of
from api.organisations.registrations.service import required_registration
from api.pagination import page, parsed_cursor

ABSENT = "absent"


async def follow_up(context: Context, caller: Staff, campaign_id: str) -> dict[str, Any]:
    """Count the learners who have started, finished and sent, in all and by class."""

    def read(connection: Connection) -> dict[str, Any]:
        campaign = required_campaign(connection, caller, campaign_id)
        counts = counted(connection, campaign.id)
        listed = dict(divisions_of(connection, campaign.organisation_id)) if campaign.restricted else {}
        names = sorted({*counts, *listed}, key=lambda name: (name is None, name or ""))
        rows: list[dict[str, Any]] = [
            {
                "division": name,
                "registered": listed.get(name, 0) if campaign.restricted else None,
                **dict(zip(("started", "finished", "sent"), counts.get(name, (0, 0, 0)), strict=True)),
            }
            for name in names
        ]
        sums = {key: sum(row[key] for row in rows) for key in ("started", "finished", "sent")}
        return {"registered": sum(listed.values()) if campaign.restricted else None, **sums, "divisions": rows}

    return await context.read(read)


async def list_participations(
    context: Context,
    caller: Staff,
    campaign_id: str,
    cursor: str | None,
    limit: int,
    division: str | None = None,
    state: str | None = None,
) -> dict[str, Any]:
    """Show the last attempt of each learner, page by page; with the state ``absent``, who has not entered."""
    after = parsed_cursor(cursor)

    def read(connection: Connection) -> Sequence[Participation | Registration]:
        campaign = required_campaign(connection, caller, campaign_id)
        if state == ABSENT:
            return absent_from(connection, campaign, after, limit + 1, division) if campaign.restricted else []
        wanted = None if state is None else ParticipationState(state)
        return participations_of(connection, campaign.id, after, limit + 1, division, wanted)

    found: Sequence[Participation | Registration] = await context.read(read)
    shown, following = page(found, [one.id for one in found], limit)
    return {"items": [_row(one) for one in shown], "next": following}


async def campaigns_of_registration(
    context: Context, caller: Staff, organisation_id: str, registration_id: str
) -> list[dict[str, Any]]:
    """Show the campaigns of an organisation that a learner of its list took part in, the latest first.

    Raises
    ------
    Problem
        404 unknown organisation or learner.
    """

    def read(connection: Connection) -> list[dict[str, Any]]:
        organisation = required_organisation(connection, caller, organisation_id)
        registration = required_registration(connection, organisation.id, registration_id)
        told = []
        for one in participations_of_registration(connection, registration.id):
            campaign = campaign_of(connection, one.campaign_id)
            assert campaign is not None
            told.append({**_row(one), "campaign_id": campaign.id, "title": campaign.title})
        return told

    return await context.read(read)


def _row(one: Participation | Registration) -> dict[str, Any]:
    if isinstance(one, Registration):
        told = {"id": None, "state": ABSENT, "attempt": 0, "external_id": one.external_id}
        last_name, moments = one.usual_name or one.last_name, dict.fromkeys(("created_at", "finished_at", "sent_at"))
    else:
        told = {"id": one.id, "state": one.state, "attempt": one.attempt, "external_id": one.external_id}
        last_name = one.last_name
        moments = {name: moment(getattr(one, name)) for name in ("created_at", "finished_at", "sent_at")}
    return {**told, "first_name": one.first_name, "last_name": last_name, "division": one.division, **moments}
