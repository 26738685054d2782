"""Campaigns of an organisation: made, read, changed, archived."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from api.campaigns.callers import required_campaign
from api.campaigns.planning import checked, planned
from api.campaigns.records import Campaign, CampaignPhase
from api.campaigns.repository import (
    add_campaign,
    campaign_of,
    campaigns_of_organisation,
    change_campaign,
    has_participations,
)
from api.campaigns.schemas import CampaignChange, CampaignRequest
from api.clock import iso
from api.context import Context
from api.idempotency import Once, created_before, remember
from api.identifiers import new_access_code, new_id, written_access_code
from api.organisations.callers import Staff, required_organisation, who
from api.organisations.repository import add_deed
from api.pagination import page, parsed_cursor
from api.problems import NOT_NOW, Problem

CHANGEABLE = frozenset(("title", "text", "closes_at"))
"""What may change once somebody entered."""


def campaign_view(context: Context, campaign: Campaign) -> dict[str, Any]:
    """Show a campaign to the team."""
    told = vars(campaign) | {
        "competences": list(campaign.competences),
        "targets": dict(campaign.targets),
        "access_code": written_access_code(campaign.access_code),
        "link": campaign_link(context, campaign),
        "phase": campaign.phase(context.clock()),
    }
    for name in ("opens_at", "closes_at", "archives_at", "archived_at", "created_at"):
        told[name] = moment(told[name])
    told.pop("created_by")
    return told


def campaign_link(context: Context, campaign: Campaign) -> str:
    """Address by which learners come to a campaign."""
    return f"{context.settings.public_url.rstrip('/')}/c/{campaign.access_code}"


def moment(at: datetime | None) -> str | None:
    """Write a moment, or None."""
    return None if at is None else iso(at)


async def create_campaign(
    context: Context, caller: Staff, organisation_id: str, order: CampaignRequest, once: Once | None = None
) -> dict[str, Any]:
    """Make a campaign; the same again when ``once`` was used before.

    Raises
    ------
    Problem
        404 unknown organisation; 422 with a reason when what is asked does not go together.
    """

    def store(connection: Connection) -> Campaign:
        organisation = required_organisation(connection, caller, organisation_id)
        before = created_before(connection, once)
        known = None if before is None else campaign_of(connection, before)
        if known is not None:
            return known
        at = context.clock()
        values = planned(context, order, at)
        campaign = Campaign(
            id=new_id(),
            organisation_id=organisation.id,
            access_code=new_access_code(),
            created_by=who(caller),
            created_at=at,
            archived_at=None,
            **values,
        )
        add_campaign(connection, campaign)
        data = {"campaign": campaign.id, "title": campaign.title}
        add_deed(connection, organisation.id, at, who(caller), "campaign_created", data)
        remember(connection, once, campaign.id, at)
        return campaign

    try:
        return campaign_view(context, await context.write(store))
    except IntegrityError:  # another process was first with the same key, or the code was taken: draw again
        return campaign_view(context, await context.write(store))


async def list_campaigns(
    context: Context, caller: Staff, organisation_id: str, cursor: str | None, limit: int
) -> dict[str, Any]:
    """Show the campaigns of an organisation, the latest first, page by page."""
    after = parsed_cursor(cursor)

    def read(connection: Connection) -> list[Campaign]:
        organisation = required_organisation(connection, caller, organisation_id)
        return campaigns_of_organisation(connection, organisation.id, after, limit + 1)

    found = await context.read(read)
    shown, following = page(found, [campaign.id for campaign in found], limit)
    return {"items": [campaign_view(context, campaign) for campaign in shown], "next": following}


async def find_campaign(context: Context, caller: Staff, campaign_id: str) -> dict[str, Any]:
    """Show a campaign; raise a 404 problem when there is none."""
    found = await context.read(lambda connection: required_campaign(connection, caller, campaign_id))
    return campaign_view(context, found)


async def alter_campaign(context: Context, caller: Staff, campaign_id: str, order: CampaignChange) -> dict[str, Any]:
    """Change a campaign.

    Raises
    ------
    Problem
        404 unknown campaign; 409 when it is archived, or somebody entered it and more would change than may.
    """
    given = order.model_dump(exclude_unset=True)

    def store(connection: Connection) -> Campaign:
        campaign = required_campaign(connection, caller, campaign_id, lock=True)
        at = context.clock()
        if campaign.phase(at) is CampaignPhase.ARCHIVED:
            raise archived()
        changed = {name for name, value in given.items() if value != _plain(getattr(campaign, name))}
        if changed - CHANGEABLE and has_participations(connection, campaign.id):
            raise Problem(
                NOT_NOW,
                "Learners have begun: only the title, the text and the closing may change now.",
                reason="campaign-begun",
            )
        if changed:
            values = checked(context, campaign, {name: given[name] for name in changed})
            change_campaign(connection, campaign.id, values)
            data = {"campaign": campaign.id, "changed": sorted(changed)}
            add_deed(connection, campaign.organisation_id, at, who(caller), "campaign_changed", data)
        found = campaign_of(connection, campaign.id)
        assert found is not None
        return found

    return campaign_view(context, await context.write(store))


async def archive_campaign(context: Context, caller: Staff, campaign_id: str) -> dict[str, Any]:
    """Freeze a campaign now; doing it again changes nothing."""

    def store(connection: Connection) -> Campaign:
        campaign = required_campaign(connection, caller, campaign_id, lock=True)
        at = context.clock()
        if campaign.phase(at) is not CampaignPhase.ARCHIVED:
            change_campaign(connection, campaign.id, {"archived_at": at})
            add_deed(
                connection, campaign.organisation_id, at, who(caller), "campaign_archived", {"campaign": campaign.id}
            )
        found = campaign_of(connection, campaign.id)
        assert found is not None
        return found

    return campaign_view(context, await context.write(store))


def archived() -> Problem:
    """Build the problem for an act on a campaign that is frozen."""
    return Problem(NOT_NOW, "The campaign is archived: nothing of it changes any more.", reason="campaign-archived")


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
