"""Sending: what a learner shows to the team of a campaign, as it is that day."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
from scipy.special import softmax
from sqlalchemy import Connection

from api.campaigns.callers import Participant, required_participation
from api.campaigns.entering import Entry
from api.campaigns.records import Campaign, CampaignKind, CampaignPhase, Participation
from api.campaigns.repository import change_participation, participation_of
from api.campaigns.service import archived
from api.campaigns.taking import campaign_and_organisation
from api.context import Context
from api.learners.service import read_profile
from api.problems import NOT_NOW, Problem
from api.runs.beginning import Beginning
from api.runs.facts import ANSWERED, SKIPPED, Fact, response_of
from api.runs.repository import facts_of, run_of
from api.runs.results import DECIMALS
from api.tables import REPLY
from engine.belief import mean, sd
from itembank.topics import topic_tallies

Snapshot = dict[str, Any]
_NOTHING: Final[Mapping[str, Any]] = {"own": None, "topics": [], "asked": 0, "answered": 0, "skipped": 0}


async def send(context: Context, caller: Participant, participation_id: str) -> Entry:
    """Send the results of a participation, or the profile that a campaign collects; doing it again changes nothing.

    Raises
    ------
    Problem
        404 unknown participation; 409 when the test is not finished, there is no profile, or the campaign is archived.
    """

    def read(connection: Connection) -> Snapshot | None:
        participation = required_participation(connection, caller, participation_id)
        if participation.sent_at is not None:
            return None
        campaign, _ = campaign_and_organisation(connection, participation)
        return snapshot_of(context, connection, campaign, participation)

    snapshot = await context.read(read)

    def store(connection: Connection) -> Entry:
        participation = required_participation(connection, caller, participation_id)
        campaign, organisation = campaign_and_organisation(connection, participation, keep=True)
        if participation.sent_at is None:
            at = context.clock()
            if campaign.phase(at) is CampaignPhase.ARCHIVED:
                raise archived()
            change_participation(connection, participation.id, {"sent_at": at, "snapshot": snapshot})
        sent = participation_of(connection, participation.id)
        assert sent is not None
        return Entry(campaign, organisation, sent, new=False)

    return await context.write(store)


def snapshot_of(context: Context, connection: Connection, campaign: Campaign, participation: Participation) -> Snapshot:
    """Take what a participation would send now.

    Returns
    -------
    dict
        ``kind``, ``run_id``, ``finished_at``; ``competences``, one entry for each of the framework as runs tell them;
        ``own``, for each competence the mean and sd of the posterior after the answers of this run to its own items
        alone, without those of earlier runs and of other competences, and null of a profile; ``topics``, points
        obtained and expected; ``asked``, ``answered``, ``skipped``.

    Raises
    ------
    Problem
        409 when the test is not finished, or there is no profile.
    """
    if campaign.kind == CampaignKind.COLLECTION:
        profile = read_profile(context, connection, participation.learner_id)
        if profile["run_id"] is None:
            raise Problem(NOT_NOW, "There is no profile yet: take a test first.", reason="no-profile")
        told = {name: profile[name] for name in ("run_id", "finished_at", "competences")}
        return {"kind": campaign.kind, **told, **_NOTHING}
    run = None if participation.run_id is None else run_of(connection, participation.run_id)
    if run is None or run.finished_at is None:
        raise Problem(NOT_NOW, "The test is not finished: answer or skip what is left.", reason="not-finished")
    facts = facts_of(connection, run.id)
    replies = [fact for fact in facts if fact.part == REPLY]
    before = Beginning.of(connection, context.pins, run)
    own = _own(before, replies)
    kinds = [fact.kind for fact in replies]
    return {
        "kind": campaign.kind,
        "run_id": run.id,
        "finished_at": run.finished_at.isoformat().replace("+00:00", "Z"),
        "competences": facts[-1].result,
        "own": own,
        "topics": _topics(before, replies, facts[-1]),
        "asked": len(replies),
        "answered": kinds.count(ANSWERED),
        "skipped": kinds.count(SKIPPED),
    }


def _own(before: Beginning, replies: list[Fact]) -> list[dict[str, Any]]:
    """Mean and sd of each competence from this run's answers to its own items alone, under the prior N(0, 1)."""
    test = before.test
    likelihood = replace(before, evidence=None).after(replies).log_likelihood
    nodes = test.table.nodes
    belief = softmax(likelihood - 0.5 * nodes**2, axis=-1)
    means, sds = mean(belief, nodes), sd(belief, nodes)
    asked = np.ptp(likelihood, axis=-1) > 0.0
    return [
        {
            "competence": code,
            "mean": round(float(means[row]), DECIMALS) if asked[row] else None,
            "sd": round(float(sds[row]), DECIMALS) if asked[row] else None,
        }
        for row, code in enumerate(test.snapshot.framework.codes)
    ]


def _topics(before: Beginning, replies: list[Fact], ended: Fact) -> list[dict[str, Any]]:
    abilities = np.array([entry["mean"] or 0.0 for entry in ended.result or ()])
    pairs = [(fact.item or "", response_of(fact)) for fact in replies]
    return [tally.told() for tally in topic_tallies(pairs, before.test.snapshot, abilities)]
