"""One learner: levels, change since the last campaign with its uncertainty, and what to work on next."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection

from api.campaigns.callers import sent_participation
from api.campaigns.records import Campaign, Participation
from api.campaigns.results.readings import figure, level_rows, own_rows, targets_of
from api.campaigns.results.repository import sent_before
from api.campaigns.service import moment
from api.context import Context
from api.organisations.callers import Staff, who
from api.organisations.repository import add_accesses
from engine.groups.change import Verdict, change
from engine.groups.needs import next_steps
from itembank.topics import TopicTally, suggested_topics

STEPS: Final = 3
"""Competences suggested to a learner, at most."""


async def learner_result(context: Context, caller: Staff, participation_id: str) -> dict[str, Any]:
    """Tell what a learner sent, and note in their log that it was seen.

    Raises
    ------
    Problem
        404 when there is no such participation, or it was not sent.
    """
    told = await context.read(lambda connection: _tell(context, connection, caller, participation_id))
    campaign, participation, result = told

    def note(connection: Connection) -> None:
        at = context.clock()
        add_accesses(connection, [participation.learner_id], campaign.organisation_id, at, who(caller), "result")

    await context.write(note)
    return result


def _tell(
    context: Context, connection: Connection, caller: Staff, participation_id: str
) -> tuple[Campaign, Participation, dict[str, Any]]:
    campaign, participation = sent_participation(connection, caller, participation_id)
    earlier = sent_before(connection, campaign, participation)
    snapshot: Mapping[str, Any] = participation.snapshot or {}
    framework = context.served.framework
    codes = tuple(code for code in framework.codes if code in campaign.competences)
    changes = _changes(snapshot, earlier, codes)
    competences = [
        {**entry, "target": campaign.targets.get(entry["competence"]), "change": changes.get(entry["competence"])}
        for entry in snapshot["competences"]
    ]
    return (
        campaign,
        participation,
        {
            "id": participation.id,
            "campaign_id": campaign.id,
            "first_name": participation.first_name,
            "last_name": participation.last_name,
            "division": participation.division,
            "external_id": participation.external_id,
            "attempt": participation.attempt,
            "sent_at": moment(participation.sent_at),
            "asked": snapshot["asked"],
            "skipped": snapshot["skipped"],
            "since": None if earlier is None else _since(*earlier),
            "competences": competences,
            "next": _next(context, campaign, snapshot, codes),
        },
    )


def _since(campaign: Campaign, participation: Participation) -> dict[str, Any]:
    return {"campaign_id": campaign.id, "title": campaign.title, "sent_at": moment(participation.sent_at)}


def _changes(
    snapshot: Mapping[str, Any], earlier: tuple[Campaign, Participation] | None, codes: tuple[str, ...]
) -> dict[str, dict[str, Any]]:
    """Tell the change in each competence whose own items were asked both times."""
    if earlier is None or not codes:
        return {}
    before, after = own_rows(earlier[1].snapshot or {}, codes), own_rows(snapshot, codes)
    known = np.flatnonzero(np.isfinite(before).all(axis=1) & np.isfinite(after).all(axis=1))
    if known.size == 0:
        return {}
    found = change(before[known, 0], before[known, 1], after[known, 0], after[known, 1])
    return {
        codes[row]: {
            "mean": figure(found.mean[place]),
            "sd": figure(found.sd[place]),
            "lower": figure(found.lower[place]),
            "upper": figure(found.upper[place]),
            "rose": figure(found.rose[place]),
            "verdict": Verdict(int(found.verdict[place])).name.lower(),
        }
        for place, row in enumerate(known.tolist())
    }


def _next(
    context: Context, campaign: Campaign, snapshot: Mapping[str, Any], codes: tuple[str, ...]
) -> list[dict[str, Any]]:
    """Suggest competences to work on next, the best first, with topics of each."""
    framework = context.served.framework
    levels, targets = level_rows(snapshot, codes, framework.levels), targets_of(campaign, codes)
    steps = next_steps(levels, targets, STEPS)
    tallies = [TopicTally(**tally) for tally in snapshot["topics"]]
    bank = context.served.bank(campaign.locale).snapshot
    told = []
    for place, row in enumerate(steps.competence.tolist()):
        if row < 0:
            continue
        goal = int(steps.level[place])
        topics = suggested_topics(tallies, framework, bank, codes[row], goal - 1)
        told.append(
            {
                "competence": codes[row],
                "level": goal,
                "missing": figure(steps.missing[place]),
                "reach": figure(steps.reach[place]),
                "topics": [{"topic": one.topic, "reason": one.reason} for one in topics],
            }
        )
    return told
