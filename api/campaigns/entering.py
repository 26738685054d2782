"""Entering a campaign: who one is, and the participation that one comes back to."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from api.campaigns.callers import organisation_of_campaign, required_campaign
from api.campaigns.records import Campaign, CampaignPhase, Participation
from api.campaigns.repository import add_participation, campaign_of_code, latest_participation, names_of
from api.campaigns.schemas import EntryRequest, PlatformEntryRequest
from api.campaigns.service import archived
from api.context import Context
from api.identifiers import fingerprint, new_id, parsed_access_code, participant_token
from api.learners.repository import Learner, add_learner
from api.learners.service import required_learner
from api.oauth.tokens import Platform
from api.organisations.records import Organisation
from api.organisations.registrations.identify import identify
from api.organisations.registrations.names import compared
from api.organisations.registrations.records import Registration
from api.organisations.registrations.repository import registration_of_learner
from api.problems import INVALID_REQUEST, NOT_NOW, NOT_ON_THE_LIST, SEVERAL_MATCH, UNKNOWN_CODE, Problem
from api.runs.facts import Run


@dataclass(frozen=True)
class Entry:
    """A participation that somebody may go on with, in its campaign."""

    campaign: Campaign
    organisation: Organisation
    participation: Participation
    new: bool

    def token(self, context: Context) -> str:
        """Token of the participation."""
        return participant_token(context.keys.learner, self.participation.id)


@dataclass(frozen=True)
class _Person:
    """Who enters: with an account, or without one yet."""

    learner_id: str | None
    registration: Registration | None
    first_name: str
    last_name: str


async def door(context: Context, code: str, address: str) -> tuple[Campaign, Organisation]:
    """Return the campaign that a code opens, and whose it is; raise a 404 problem when there is none."""
    with context.code_limit.failures(address, UNKNOWN_CODE):
        return await context.read(lambda connection: _behind(connection, code))


async def enter(context: Context, order: EntryRequest, address: str, before: Run | None = None) -> Entry:
    """Let somebody in who has the code, or back in.

    Parameters
    ----------
    context : Context
    order : EntryRequest
    address : str
        Where the request came from: so many are allowed to each that fail, and so many new accounts.
    before : Run, optional
        The run that the visitor took before on this device: where the campaign is open to everybody, the account goes
        on if it took part under the same name; somebody else may sit there now. Where the campaign is for a list, the
        list tells who they are.

    Raises
    ------
    Problem
        404 unknown code, or nobody of this name on the list; 409 when several are, or the campaign is not open; 422
        when something is missing; 429.
    """

    def person(connection: Connection, campaign: Campaign, organisation: Organisation) -> _Person:
        if not campaign.restricted:
            known = None if before is None else _same_person(connection, before, organisation, order)
            return _Person(known, None, order.first_name, order.last_name)
        if order.birth_date is None:
            raise Problem(
                INVALID_REQUEST, "Give the date of birth: it tells who you are on the list.", reason="lacks-birth-date"
            )
        born = order.birth_date.isoformat()
        found = identify(connection, organisation, order.first_name, order.last_name, born, order.ine)
        return _Person(found.learner_id, found, found.first_name, found.usual_name or found.last_name)

    def read(connection: Connection) -> tuple[Campaign, Organisation, _Person]:
        campaign, organisation = _behind(connection, order.code)
        return campaign, organisation, person(connection, campaign, organisation)

    with context.entry_limit.failures(address, UNKNOWN_CODE, NOT_ON_THE_LIST, SEVERAL_MATCH):
        campaign, organisation, who = await context.read(read)
    if who.learner_id is None:
        context.start_limit.try_once(address)
    return await _let_in(context, campaign, organisation, who, order.external_id)


async def enter_for(context: Context, caller: Platform, campaign_id: str, order: PlatformEntryRequest) -> Entry:
    """Let one of the platform's learners in, or back in.

    Raises
    ------
    Problem
        404 unknown campaign or learner, or one who is not on the list; 409 when the campaign is not open; 422.
    """

    def read(connection: Connection) -> tuple[Campaign, Organisation, _Person]:
        campaign = required_campaign(connection, caller, campaign_id)
        organisation = organisation_of_campaign(connection, campaign)
        learner = required_learner(connection, organisation.client_id, order.learner_id)
        listed = registration_of_learner(connection, organisation.id, learner.id)
        if listed is not None:
            person = _Person(learner.id, listed, listed.first_name, listed.usual_name or listed.last_name)
        elif campaign.restricted:
            raise Problem(NOT_ON_THE_LIST, "The learner is not on the organisation's list: register them first.")
        elif order.first_name is None or order.last_name is None:
            raise Problem(
                INVALID_REQUEST,
                "Give first_name and last_name: the learner is on no list that has them.",
                reason="lacks-names",
            )
        else:
            person = _Person(learner.id, None, order.first_name, order.last_name)
        return campaign, organisation, person

    return await _let_in(context, *await context.read(read), order.external_id)


def new_participation(person: Participation, attempt: int, at: datetime) -> Participation:
    """Give the next attempt of somebody who took part before."""
    return Participation(
        id=new_id(),
        campaign_id=person.campaign_id,
        learner_id=person.learner_id,
        registration_id=person.registration_id,
        attempt=attempt,
        first_name=person.first_name,
        last_name=person.last_name,
        division=person.division,
        external_id=person.external_id,
        run_id=None,
        created_at=at,
    )


def store_participation(context: Context, connection: Connection, participation: Participation) -> None:
    """Store a new participation with the hash of its token."""
    token = participant_token(context.keys.learner, participation.id)
    add_participation(connection, participation, fingerprint(token))


async def _let_in(
    context: Context, campaign: Campaign, organisation: Organisation, person: _Person, external_id: str | None
) -> Entry:
    if campaign.phase(context.clock()) is CampaignPhase.ARCHIVED:
        raise archived()
    if campaign.external_id_label is not None and external_id is None and person.learner_id is None:
        raise _lacks(campaign)

    def known(connection: Connection) -> Participation | None:
        if person.learner_id is None:
            return None
        return latest_participation(connection, campaign.id, person.learner_id)

    found = await context.read(known)
    if found is not None:
        return Entry(campaign, organisation, found, new=False)
    if campaign.external_id_label is not None and external_id is None:
        raise _lacks(campaign)
    checked_open(campaign, context.clock())

    def store(connection: Connection) -> Participation:
        at = context.clock()
        before = known(connection)
        if before is not None:
            return before
        learner_id = person.learner_id or new_id()
        if person.learner_id is None:
            add_learner(connection, Learner(learner_id, organisation.client_id, None, at))
        listed = person.registration
        participation = Participation(
            id=new_id(),
            campaign_id=campaign.id,
            learner_id=learner_id,
            registration_id=None if listed is None else listed.id,
            attempt=1,
            first_name=person.first_name,
            last_name=person.last_name,
            division=None if listed is None else listed.division,
            external_id=external_id if campaign.external_id_label is not None else None,
            run_id=None,
            created_at=at,
        )
        store_participation(context, connection, participation)
        return participation

    try:
        participation = await context.write(store)
    except IntegrityError:  # the same learner came in twice at once: they are known now
        participation = await context.write(store)
    return Entry(campaign, organisation, participation, new=True)


def checked_open(campaign: Campaign, at: datetime) -> None:
    """Raise a 409 problem unless learners may begin now."""
    match campaign.phase(at):
        case CampaignPhase.PLANNED:
            raise Problem(NOT_NOW, "The campaign has not begun: come back on its first day.", reason="campaign-planned")
        case CampaignPhase.CLOSED:
            raise Problem(NOT_NOW, "The campaign is over: nobody may begin any more.", reason="campaign-closed")
        case CampaignPhase.ARCHIVED:
            raise archived()


def _same_person(connection: Connection, before: Run, organisation: Organisation, order: EntryRequest) -> str | None:
    """Return the account of a run when it took part before under the name that is given now."""
    if before.client_id != organisation.client_id or before.rules_hash is not None:
        return None
    typed = (compared(order.first_name), compared(order.last_name))
    names = ((compared(first), compared(last)) for first, last in names_of(connection, before.learner_id))
    return before.learner_id if typed in names else None


def _behind(connection: Connection, code: str) -> tuple[Campaign, Organisation]:
    known = parsed_access_code(code)
    campaign = None if known is None else campaign_of_code(connection, known)
    if campaign is None:
        raise Problem(UNKNOWN_CODE, "No campaign has this code: check each letter, or ask for it again.")
    return campaign, organisation_of_campaign(connection, campaign)


def _lacks(campaign: Campaign) -> Problem:
    return Problem(INVALID_REQUEST, f"Give {campaign.external_id_label} as external_id.", reason="lacks-external-id")
