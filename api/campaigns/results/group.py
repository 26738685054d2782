"""A group: levels, shares at the target, needs in order, topics; classes compared; progress since another campaign."""

from typing import Any, Final

import numpy as np
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from api.campaigns.callers import required_campaign
from api.campaigns.records import Campaign
from api.campaigns.results.readings import Readings, figure, readings, targets_of
from api.campaigns.results.repository import all_sent_to, divisions_sent
from api.context import Context
from api.organisations.callers import Staff, who
from api.organisations.repository import add_accesses
from api.problems import INVALID_REQUEST, Problem
from engine.groups.change import progress
from engine.groups.needs import needs
from engine.groups.pooling import pool
from engine.groups.shares import level_distribution, share
from engine.groups.topics import topic_needs

FEW: Final = 5
"""Learners below whose number a group tells of each of them: then it is noted in the log of each that it was seen."""
TOPICS: Final = 10
"""Topics told of a group, at most."""


async def group_results(
    context: Context, caller: Staff, campaign_id: str, division: str | None = None
) -> dict[str, Any]:
    """Tell what a group sent: for each competence its levels, share at the target and need; needs and topics in order.

    Raises
    ------
    Problem
        404 unknown campaign.
    """

    def read(connection: Connection) -> tuple[Campaign, Readings, list[str | None]]:
        campaign = required_campaign(connection, caller, campaign_id)
        sent = all_sent_to(connection, campaign.id, division)
        return campaign, readings(context.served.framework, campaign, sent), divisions_sent(connection, campaign.id)

    campaign, found, divisions = await context.read(read)
    if 0 < len(found.people) < FEW:
        seen = [one.learner_id for one in found.people]
        at, by = context.clock(), who(caller)
        await context.write(lambda connection: add_accesses(connection, seen, campaign.organisation_id, at, by, "few"))
    told = await run_in_threadpool(tell_group, campaign, found)
    return {"campaign_id": campaign.id, "division": division, "divisions": divisions, **told}


def tell_group(campaign: Campaign, found: Readings) -> dict[str, Any]:
    """Measure a group and tell it as plain data."""
    targets = targets_of(campaign, found.codes)
    spread, need = level_distribution(found.probabilities), needs(found.probabilities, targets)
    reached = np.array([_above(found, row, int(targets[row])) for row in range(len(found.codes))])
    shares = share(reached.reshape(len(found.codes), len(found.people)))
    competences = []
    for row, code in enumerate(found.codes):
        aimed = targets[row] > 0 and spread.learners[row] > 0
        competences.append(
            {
                "competence": code,
                "target": int(targets[row]) if targets[row] > 0 else None,
                "learners": int(spread.learners[row]),
                "unknown": int(spread.unknown[row]),
                "levels": [round(float(count), 2) for count in spread.expected[row]],
                "share": {
                    "estimate": figure(shares.estimate[row]),
                    "lower": figure(shares.lower[row]),
                    "upper": figure(shares.upper[row]),
                }
                if aimed
                else None,
                "need": {
                    "score": figure(need.score[row]),
                    "share_below": figure(need.share_below[row]),
                    "missing_when_below": figure(need.missing_when_below[row]),
                }
                if aimed
                else None,
            }
        )
    order = [found.codes[row] for row in need.order if targets[row] > 0 and need.score[row] > 0]
    return {
        "learners": len(found.people),
        "competences": competences,
        "needs": order,
        "topics": _topics(found),
    }


async def comparison(context: Context, caller: Staff, campaign_id: str) -> dict[str, Any]:
    """Compare the classes in each competence: means drawn together as much as what is known of each demands.

    A collection has no classes to compare: its profiles come from tests of other days.

    Raises
    ------
    Problem
        404 unknown campaign.
    """

    def read(connection: Connection) -> tuple[Campaign, Readings]:
        campaign = required_campaign(connection, caller, campaign_id)
        sent = all_sent_to(connection, campaign.id)
        return campaign, readings(context.served.framework, campaign, sent)

    campaign, found = await context.read(read)
    return {"campaign_id": campaign.id, **await run_in_threadpool(tell_comparison, context, campaign, found)}


def tell_comparison(context: Context, campaign: Campaign, found: Readings) -> dict[str, Any]:
    """Compare classes and tell it as plain data; learners without a class are one group of their own."""
    names = sorted({one.division for one in found.people}, key=lambda name: (name is None, name or ""))
    group = np.array([names.index(one.division) for one in found.people], dtype=np.int64)
    framework = context.served.framework
    told: list[dict[str, Any]] = []
    for row, code in enumerate(found.codes):
        cuts, target = framework.cuts[framework.index(code)], campaign.targets.get(code)
        known = np.isfinite(found.own_sd[:, row])
        if not names or not known.any():
            told.append({"competence": code, "target": target, "within": None, "between": None, "classes": []})
            continue
        cut = [float(cuts[target - 1])] if target else []
        pooled = pool(found.own_mean[:, row], found.own_sd[:, row], group, len(names), cuts=cut)
        classes = [
            {
                "division": name,
                "learners": int(pooled.count[place]),
                "mean": figure(pooled.mean[place]),
                "lower": figure(pooled.lower[place]),
                "upper": figure(pooled.upper[place]),
                "raw": figure(pooled.raw[place]),
                "weight": figure(pooled.weight[place]),
                "above": figure(pooled.above[place, 0]) if cut else None,
            }
            for place, name in enumerate(names)
        ]
        spreads = {"within": figure(pooled.within), "between": figure(pooled.between)}
        told.append({"competence": code, "target": target, **spreads, "classes": classes})
    return {"learners": len(found.people), "competences": told}


async def progress_since(
    context: Context, caller: Staff, campaign_id: str, since_id: str, division: str | None = None
) -> dict[str, Any]:
    """Tell how the learners who sent something to both campaigns have changed on average, competence by competence.

    Raises
    ------
    Problem
        404 unknown campaign; 422 when both are the same, or of two organisations.
    """

    def read(connection: Connection) -> tuple[Campaign, Readings, Readings]:
        campaign = required_campaign(connection, caller, campaign_id)
        since = required_campaign(connection, caller, since_id)
        if since.id == campaign.id or since.organisation_id != campaign.organisation_id:
            raise Problem(
                INVALID_REQUEST,
                "Progress is between two campaigns of one organisation: give another one as since.",
                reason="same-campaign",
            )
        framework = context.served.framework
        after = readings(framework, campaign, all_sent_to(connection, campaign.id, division))
        return campaign, readings(framework, campaign, all_sent_to(connection, since.id)), after

    campaign, before, after = await context.read(read)
    told = await run_in_threadpool(tell_progress, before, after)
    return {"campaign_id": campaign.id, "since": since_id, "division": division, **told}


def tell_progress(before: Readings, after: Readings) -> dict[str, Any]:
    """Pair the learners and tell their mean change as plain data."""
    places = {one.learner_id: row for row, one in enumerate(before.people)}
    pairs = [(places[one.learner_id], row) for row, one in enumerate(after.people) if one.learner_id in places]
    first, second = before.of([pair[0] for pair in pairs]), after.of([pair[1] for pair in pairs])
    told = []
    for row, code in enumerate(after.codes):
        measures = (first.own_mean, first.own_sd, second.own_mean, second.own_sd)
        known = np.all([np.isfinite(measure[:, row]) for measure in measures], axis=0)
        entry: dict[str, Any] = {"competence": code, "learners": int(np.count_nonzero(known)), "mean": None}
        if known.any():
            moved = progress(*(measure[known, row] for measure in measures))
            entry |= {name: figure(getattr(moved, name)) for name in ("mean", "lower", "upper", "rose")}
            entry["certain"] = bool(moved.lower > 0 or moved.upper < 0)
        told.append(entry)
    return {"learners": len(pairs), "competences": told}


def _above(found: Readings, row: int, target: int) -> list[float]:
    """Probability of each learner of being at or above the target."""
    above: list[float] = np.minimum(found.probabilities[:, row, max(target, 0) :].sum(axis=-1), 1.0).tolist()
    return above


def _topics(found: Readings) -> list[dict[str, Any]]:
    """Tell the topics in which the group obtained less than its abilities foretell, the worst first."""
    keys = sorted(found.topics)
    if not keys:
        return []
    sums = np.array([found.topics[key] for key in keys])
    asked = np.round(sums[:, 3]).astype(np.int64)
    measured = topic_needs(sums[:, 0], sums[:, 1], sums[:, 2], asked)
    worst = [place for place in measured.order.tolist() if round(float(measured.residual[place]), 4) < 0][:TOPICS]
    return [
        {
            "competence": keys[place][0],
            "topic": keys[place][1],
            "asked": int(asked[place]),
            "obtained": round(float(sums[place, 0]), 2),
            "expected": round(float(sums[place, 1]), 2),
            "residual": figure(measured.residual[place]),
            "sd": figure(measured.sd[place]),
        }
        for place in worst
    ]
