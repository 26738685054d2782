"""Who calls an endpoint of campaigns, and what they may know of.

A platform, the administrators and the members of an organisation make and read its campaigns; a participant sees their
own participation. Whatever one may not know of looks as if it did not exist.
"""

from typing import Annotated

from fastapi import Request, Security
from fastapi.security import HTTPBearer
from sqlalchemy import Connection

from api.campaigns.records import Campaign, Participation
from api.campaigns.repository import campaign_of, participation_of, participation_of_token
from api.context import Context, context_of
from api.identifiers import PARTICIPANT_TOKEN_PREFIX, fingerprint, parsed_id
from api.oauth.access import platform_of
from api.oauth.scopes import CAMPAIGNS_WRITE
from api.oauth.tokens import Platform
from api.organisations.callers import Staff, bearer, is_of, unauthenticated
from api.organisations.records import Organisation
from api.organisations.repository import organisation_of
from api.problems import NOT_ALLOWED, UNKNOWN_CAMPAIGN, UNKNOWN_PARTICIPATION, Problem

_PARTICIPANT = HTTPBearer(
    scheme_name="participant",
    description="Token of a participation, from POST /v1/participations; or a platform's access token.",
    auto_error=False,
)
Participant = Platform | Participation


async def participant(request: Request, _: Annotated[object, Security(_PARTICIPANT)]) -> Participant:
    """Dependency of an endpoint of a participation: its learner, or a platform that may act for them."""
    context, token = context_of(request), bearer(request)
    found = platform_of(context, token) or await participation_of_bearer(context, token)
    if found is None:
        raise unauthenticated()
    if isinstance(found, Platform) and CAMPAIGNS_WRITE not in found.scopes:
        raise Problem(NOT_ALLOWED, f"The token lacks the scope {CAMPAIGNS_WRITE}: ask for a token with it.")
    return found


async def participation_of_bearer(context: Context, token: str) -> Participation | None:
    """Return the participation that has this token, or None."""
    if not token.startswith(PARTICIPANT_TOKEN_PREFIX):
        return None
    hashed = fingerprint(token)
    return await context.read(lambda connection: participation_of_token(connection, hashed))


def required_campaign(connection: Connection, caller: Staff, campaign_id: str, lock: bool = False) -> Campaign:
    """Return a campaign that the caller may know of; raise a 404 problem when there is none."""
    known = parsed_id(campaign_id)
    found = None if known is None else campaign_of(connection, known, lock)
    if found is None or not is_of(caller, organisation_of_campaign(connection, found)):
        raise Problem(UNKNOWN_CAMPAIGN, "There is no campaign of this id here: check the id.")
    return found


def campaign_owner(connection: Connection, caller: Staff, campaign_id: str) -> Organisation:
    """Return the organisation of a campaign that the caller may know of; raise a 404 problem when there is none."""
    return organisation_of_campaign(connection, required_campaign(connection, caller, campaign_id))


def organisation_of_campaign(connection: Connection, campaign: Campaign) -> Organisation:
    """Return the organisation that gives a campaign."""
    found = organisation_of(connection, campaign.organisation_id)
    assert found is not None
    return found


def required_participation(connection: Connection, caller: Participant, participation_id: str) -> Participation:
    """Return the caller's own participation, or one in a campaign of the platform; raise a 404 problem otherwise."""
    known = parsed_id(participation_id)
    found = None if known is None else participation_of(connection, known)
    if found is None or not _may(connection, caller, found):
        raise unknown_participation()
    return found


def sent_participation(connection: Connection, caller: Staff, participation_id: str) -> tuple[Campaign, Participation]:
    """Return a participation that was sent to the caller's organisation; raise a 404 problem otherwise."""
    known = parsed_id(participation_id)
    found = None if known is None else participation_of(connection, known)
    campaign = None if found is None else campaign_of(connection, found.campaign_id)
    if (
        found is None
        or campaign is None
        or found.sent_at is None
        or not is_of(caller, organisation_of_campaign(connection, campaign))
    ):
        raise unknown_participation()
    return campaign, found


def unknown_participation() -> Problem:
    """Build the problem for a participation that does not exist, or that the caller may not know of."""
    return Problem(UNKNOWN_PARTICIPATION, "There is no participation of this id here: check the id.")


def _may(connection: Connection, caller: Participant, found: Participation) -> bool:
    if isinstance(caller, Participation):
        return caller.learner_id == found.learner_id and caller.campaign_id == found.campaign_id
    campaign = campaign_of(connection, found.campaign_id)
    return campaign is not None and is_of(caller, organisation_of_campaign(connection, campaign))
