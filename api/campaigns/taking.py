"""Taking part: beginning the test of a campaign, and trying again."""

from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from api.campaigns.callers import Participant, organisation_of_campaign, required_participation
from api.campaigns.entering import Entry, checked_open, new_participation, store_participation
from api.campaigns.records import Campaign, CampaignKind, CampaignPhase, Participation, ParticipationState
from api.campaigns.repository import campaign_of, change_participation, kept_campaign, latest_participation
from api.campaigns.service import archived
from api.context import Context
from api.idempotency import Once
from api.organisations.records import Organisation
from api.problems import NOT_NOW, Problem
from api.runs.facts import Run
from api.runs.start import Opened, Order, open_run


@dataclass(frozen=True)
class Begun:
    """A participation whose test is under way."""

    entry: Entry
    opened: Opened


async def find(context: Context, caller: Participant, participation_id: str) -> Entry:
    """Return a participation of the caller's with its campaign; raise a 404 problem when there is none."""
    return await context.read(partial(_entry, caller=caller, participation_id=participation_id))


async def start(
    context: Context, caller: Participant, participation_id: str, accessible: tuple[str, ...] = ()
) -> Begun:
    """Open the test of a participation; the same again when it was opened before.

    Raises
    ------
    Problem
        404 unknown participation; 409 when the campaign is not open, or collects profiles.
    """
    entry = await find(context, caller, participation_id)
    campaign, participation = entry.campaign, entry.participation
    if campaign.kind == CampaignKind.COLLECTION:
        raise Problem(NOT_NOW, "This campaign collects profiles: send yours.", reason="campaign-collects")
    if participation.run_id is None:
        checked_open(campaign, context.clock())
    elif campaign.phase(context.clock()) is CampaignPhase.ARCHIVED:
        raise archived()
    order = Order(
        competences=campaign.competences,
        locale=campaign.locale,
        accessible=tuple(sorted(set(accessible))),
        length=campaign.length,
        skip=campaign.skip,
        counts=campaign.kind != CampaignKind.EXAM,
    )
    client_id = entry.organisation.client_id
    once = Once.of(client_id, "participations", participation.id, "start")

    def note(connection: Connection, run: Run) -> None:
        now = kept_campaign(connection, campaign.id)
        assert now is not None
        checked_open(now, context.clock())
        change_participation(connection, participation.id, {"run_id": run.id})

    opened = await open_run(context, client_id, participation.learner_id, order, once, note)
    return Begun(await find(context, caller, participation.id), opened)


async def try_again(context: Context, caller: Participant, participation_id: str) -> Entry:
    """Begin another attempt; the one that waits already is given when there is one.

    Raises
    ------
    Problem
        404 unknown participation; 409 when the campaign allows one attempt, is not open, or the last one goes on.
    """

    def store(connection: Connection) -> Entry:
        entry = _entry(connection, caller, participation_id)
        last = latest_participation(connection, entry.campaign.id, entry.participation.learner_id)
        assert last is not None
        if last.id != entry.participation.id or last.state is ParticipationState.ENTERED:
            return Entry(entry.campaign, entry.organisation, last, new=False)
        if not entry.campaign.several:
            raise Problem(NOT_NOW, "This campaign allows one attempt.", reason="campaign-once")
        checked_open(entry.campaign, context.clock())
        if last.state is ParticipationState.STARTED:
            raise Problem(NOT_NOW, "The last attempt goes on: finish it first.", reason="campaign-goes-on")
        again = new_participation(last, last.attempt + 1, context.clock())
        store_participation(context, connection, again)
        return Entry(entry.campaign, entry.organisation, again, new=True)

    try:
        return await context.write(store)
    except IntegrityError:  # two requests at once: the other one made it
        return await context.write(store)


def _entry(connection: Connection, caller: Participant, participation_id: str) -> Entry:
    participation = required_participation(connection, caller, participation_id)
    campaign, organisation = campaign_and_organisation(connection, participation)
    return Entry(campaign, organisation, participation, new=False)


def campaign_and_organisation(
    connection: Connection, participation: Participation, keep: bool = False
) -> tuple[Campaign, Organisation]:
    """Return the campaign of a participation, which stays as it is if ``keep``, and the organisation that gives it."""
    campaign = (kept_campaign if keep else campaign_of)(connection, participation.campaign_id)
    assert campaign is not None
    return campaign, organisation_of_campaign(connection, campaign)
