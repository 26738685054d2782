"""What a campaign is to be, from a course and from what its author asks, and whether that goes together."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from api.campaigns.records import Campaign, CampaignKind, archive_moment
from api.campaigns.schemas import CampaignRequest
from api.context import Context
from api.problems import INVALID_REQUEST, Problem
from engine.errors import BankError, DesignError
from itembank.courses import Course
from itembank.framework import title
from itembank.positioning import positioning_design


def planned(context: Context, order: CampaignRequest, at: datetime) -> dict[str, Any]:
    """Give what a new campaign is to be; raise a 422 problem with a reason when it does not go together."""
    course = None if order.course is None else required_course(context, order.course)
    values = order.model_dump()
    if course is not None:
        values |= {name: value for name, value in _of_course(course, order.locale).items() if values[name] is None}
    if values["title"] is None or values["competences"] is None:
        raise Problem(
            INVALID_REQUEST, "A campaign needs a title and competences: give them, or a course.", reason="campaign-bare"
        )
    opens_at = values["opens_at"] or at
    settings = context.settings
    values |= {
        "text": values["text"] or "",
        "targets": values["targets"] or {},
        "skip": values["skip"] or "unknown",
        "competences": tuple(values["competences"]),
        "opens_at": opens_at,
        "archives_at": archive_moment(opens_at, settings.archive_day, settings.campaign_zone).astimezone(UTC),
    }
    check(context, values)
    return values


def checked(context: Context, campaign: Campaign, given: Mapping[str, Any]) -> dict[str, Any]:
    """Give the columns that a change writes; raise a 422 problem with a reason when it does not go together."""
    needed = {"title", "text", "kind", "competences", "targets", "skip", "opens_at", "several", "restricted"}
    empty = sorted(name for name in needed & set(given) if given[name] is None)
    if empty:
        raise Problem(INVALID_REQUEST, f"{', '.join(empty)} cannot be null: leave it out.", reason="campaign-bare")
    values = dict(given)
    if "opens_at" in values:
        settings = context.settings
        last = archive_moment(values["opens_at"], settings.archive_day, settings.campaign_zone)
        values["archives_at"] = last.astimezone(UTC)
    check(context, vars(campaign) | values)
    return values


def required_course(context: Context, name: str) -> Course:
    """Return a course of the bank; raise a 422 problem when there is none of that name."""
    for course in context.courses:
        if course.name == name:
            return course
    names = ", ".join(course.name for course in context.courses) or "none"
    raise Problem(INVALID_REQUEST, f"There is no course {name!r}: the courses are {names}.", reason="unknown-course")


def check(context: Context, values: Mapping[str, Any]) -> None:
    """Raise a 422 problem with a reason when what a campaign is to be does not go together."""
    competences = list(values["competences"])
    framework = context.served.framework
    unknown = [code for code in competences if code not in framework.codes]
    if unknown or len(set(competences)) < len(competences):
        raise Problem(
            INVALID_REQUEST,
            f"The competences must be some of {', '.join(framework.codes)}, each named once.",
            reason="campaign-competences",
        )
    wrong = [
        code for code, level in values["targets"].items() if code not in competences or not level <= framework.levels
    ]
    if wrong:
        raise Problem(
            INVALID_REQUEST,
            f"The target of {wrong[0]} must be a level from 1 to {framework.levels} of a competence of the campaign.",
            reason="campaign-targets",
        )
    closes_at = values["closes_at"]
    if closes_at is not None and not values["opens_at"] < closes_at <= values["archives_at"]:
        raise Problem(
            INVALID_REQUEST,
            "A campaign closes after it opens, and before it is archived: correct the dates.",
            reason="campaign-dates",
        )
    if values["kind"] != CampaignKind.COLLECTION:
        _check_test(context, competences, values)


def _check_test(context: Context, competences: list[str], values: Mapping[str, Any]) -> None:
    try:
        bank = context.served.bank(values["locale"])
        context.pins.ready(
            bank, positioning_design(bank.snapshot.framework, competences, values["length"], skip=values["skip"])
        )
    except (BankError, DesignError) as error:
        raise Problem(INVALID_REQUEST, str(error), reason="campaign-test") from None


def _of_course(course: Course, locale: str) -> dict[str, Any]:
    return {
        "title": title(course.title, locale),
        "text": title(course.text, locale),
        "competences": list(course.competences),
        "targets": dict(course.levels),
        "length": course.length,
        "skip": course.skip,
    }
