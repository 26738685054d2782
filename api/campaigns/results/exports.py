"""Everything that was sent to a campaign, as a table or as JSON, written while it is read."""

import json
from collections.abc import AsyncIterator
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection

from api.campaigns.callers import required_campaign
from api.campaigns.records import Campaign, Participation
from api.campaigns.results.repository import sent_to
from api.campaigns.results.spreadsheet import MARK, Cell, row_text
from api.campaigns.service import campaign_view, moment
from api.context import Context
from api.organisations.callers import Staff, who
from api.organisations.repository import add_accesses, add_deed

AT_ONCE: Final = 500
"""Learners read in one transaction, so that a long export holds none for long, and memory does not grow with it."""
PEOPLE: Final = ("Nom", "Prénom", "Classe", "Autre identifiant", "Essai", "Envoyé le", "Questions", "Passées")
MEASURES: Final = ("niveau", "probabilité du niveau", "état", "niveau visé")


async def begin_export(context: Context, caller: Staff, campaign_id: str, what: str) -> Campaign:
    """Return the campaign to export, and note in the audit that it is; raise a 404 problem when there is none."""

    def store(connection: Connection) -> Campaign:
        campaign = required_campaign(connection, caller, campaign_id)
        data = {"campaign": campaign.id, "as": what}
        add_deed(connection, campaign.organisation_id, context.clock(), who(caller), "results_exported", data)
        return campaign

    return await context.write(store)


async def table(context: Context, caller: Staff, campaign: Campaign, division: str | None = None) -> AsyncIterator[str]:
    """Give the table of a campaign, a text for each page of learners: a line each, four columns a competence."""
    codes = [code for code in context.served.framework.codes if code in campaign.competences]
    yield MARK + row_text((*PEOPLE, *(f"{code} {measure}" for code in codes for measure in MEASURES)))
    async for people in _pages(context, caller, campaign, division):
        yield "".join(row_text(_row(campaign, codes, one)) for one in people)


async def document(
    context: Context, caller: Staff, campaign: Campaign, division: str | None = None
) -> AsyncIterator[str]:
    """Give a campaign and everything that was sent to it as one JSON document, in pieces."""
    yield '{"campaign": ' + json.dumps(campaign_view(context, campaign), ensure_ascii=False) + ', "results": ['
    comma = ""
    async for people in _pages(context, caller, campaign, division):
        yield comma + ",\n".join(json.dumps(_entry(one), ensure_ascii=False) for one in people)
        comma = ",\n"
    yield "]}\n"


async def _pages(
    context: Context, caller: Staff, campaign: Campaign, division: str | None
) -> AsyncIterator[list[Participation]]:
    """Read what was sent, page by page, and note in the log of each learner that it was seen."""
    after = None
    while found := await context.read(
        partial(sent_to, campaign_id=campaign.id, after=after, limit=AT_ONCE, division=division)
    ):
        at, learners = context.clock(), [one.learner_id for one in found]
        await context.write(
            partial(
                add_accesses,
                learner_ids=learners,
                organisation_id=campaign.organisation_id,
                at=at,
                who=who(caller),
                what="export",
            )
        )
        yield found
        after = found[-1].id


def _row(campaign: Campaign, codes: list[str], one: Participation) -> list[Cell]:
    snapshot: dict[str, Any] = one.snapshot or {}
    entries = {entry["competence"]: entry for entry in snapshot["competences"]}
    cells: list[Cell] = [one.last_name, one.first_name, one.division, one.external_id, one.attempt]
    cells += [moment(one.sent_at), snapshot["asked"], snapshot["skipped"]]
    for code in codes:
        entry = entries.get(code, {})
        cells += [entry.get("level"), entry.get("probability"), entry.get("state"), campaign.targets.get(code)]
    return cells


def _entry(one: Participation) -> dict[str, Any]:
    names = ("id", "first_name", "last_name", "division", "external_id", "attempt")
    return {**{name: getattr(one, name) for name in names}, "sent_at": moment(one.sent_at), "sent": one.snapshot}
