"""What learners are shown of a campaign and of their own participation."""

from typing import Any

from api.campaigns.entering import Entry
from api.campaigns.records import Campaign, CampaignKind
from api.campaigns.service import moment
from api.context import Context
from api.organisations.records import Organisation
from itembank.positioning import default_length


def door_view(context: Context, campaign: Campaign, organisation: Organisation) -> dict[str, Any]:
    """Show a campaign to somebody who has its code."""
    return {
        "organisation": organisation.name,
        "kind": campaign.kind,
        "title": campaign.title,
        "text": campaign.text,
        "skip": campaign.skip,
        "items": items_of(campaign),
        "opens_at": moment(campaign.opens_at),
        "closes_at": moment(campaign.closes_at),
        "phase": campaign.phase(context.clock()),
        "restricted": campaign.restricted,
        "external_id_label": campaign.external_id_label,
        "several": campaign.several,
    }


def items_of(campaign: Campaign) -> int | None:
    """Return the number of questions of the test of a campaign; None of a collection."""
    if campaign.kind == CampaignKind.COLLECTION:
        return None
    return campaign.length or default_length(len(campaign.competences))


def participation_view(context: Context, entry: Entry) -> dict[str, Any]:
    """Show a participation to its learner."""
    participation = entry.participation
    return {
        "id": participation.id,
        "campaign": door_view(context, entry.campaign, entry.organisation),
        "attempt": participation.attempt,
        "state": participation.state,
        "external_id": participation.external_id,
        "run_id": participation.run_id,
        "created_at": moment(participation.created_at),
        "finished_at": moment(participation.finished_at),
        "sent_at": moment(participation.sent_at),
    }


def entered_view(context: Context, entry: Entry) -> dict[str, Any]:
    """Show a participation to its learner, who just came in, with its token."""
    return {**participation_view(context, entry), "token": entry.token(context)}


def sent_view(context: Context, entry: Entry) -> dict[str, Any]:
    """Show a participation that was sent, with what was."""
    return {**participation_view(context, entry), "snapshot": entry.participation.snapshot}
