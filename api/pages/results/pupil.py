"""What one learner sent, for their teachers: levels, what has changed, and what comes next."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.campaigns.results.learner import learner_result
from api.campaigns.service import find_campaign
from api.context import context_of
from api.organisations.records import Member
from api.pages.certification.doors import own_teacher
from api.pages.certification.moments import local
from api.pages.page import page, words_for
from api.pages.portrait import portrait
from api.pages.results.campaigns import dated
from api.problems import UNKNOWN_PARTICIPATION, Problem
from itembank.framework import Framework

router = APIRouter(include_in_schema=False)


@router.get("/team/campaigns/{campaign_id}/learners/{participation_id}")
async def pupil(
    request: Request, campaign_id: str, participation_id: str, member: Annotated[Member, Depends(own_teacher)]
) -> Response:
    """Show what a learner sent."""
    context, words = context_of(request), words_for(request)
    campaign = await find_campaign(context, member, campaign_id)
    told = await learner_result(context, member, participation_id)
    if told["campaign_id"] != campaign["id"]:
        raise Problem(UNKNOWN_PARTICIPATION, "There is no participation of this id in this campaign: check the id.")
    framework, zone = context.served.framework, context.settings.campaign_zone

    def day(moment: str) -> str:
        return words.day(local(datetime.fromisoformat(moment), zone))

    entries = {entry["competence"]: entry for entry in told["competences"]}
    drawn = portrait(words, framework, told["competences"])
    asked = campaign["competences"]
    lines = [
        {"line": line, "hue": chapter.hue, **entries[line.code]}
        for chapter in (*drawn.asked, *drawn.guessed)
        for line in chapter.lines
        if line.code in asked
    ]
    return page(
        request,
        "results/pupil.html",
        member=member,
        campaign=dated(request, campaign),
        told=told,
        sent=day(told["sent_at"]),
        since=None if told["since"] is None else told["since"] | {"day": day(told["since"]["sent_at"])},
        lines=sorted(lines, key=lambda one: framework.codes.index(one["competence"])),
        steps=[_step(framework, step) for step in told["next"]],
    )


def _step(framework: Framework, step: dict[str, Any]) -> dict[str, Any]:
    competence = framework.competences[framework.index(step["competence"])]
    topics = [{**topic, "title": competence.topic(topic["topic"]).title} for topic in step["topics"]]
    return {**step, "title": competence.title, "topics": topics}
