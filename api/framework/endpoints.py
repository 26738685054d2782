"""/v1/framework and /v1/health: open to everybody."""

from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from sqlalchemy import text

from api.context import context_of
from api.errors import problem_responses
from api.problems import UNAVAILABLE

router = APIRouter(prefix="/v1", tags=["framework"])

Titles = dict[str, str]


class TopicView(BaseModel):
    """A narrow subject inside a competence."""

    code: str
    title: Titles = Field(description="By locale.")


class CompetenceView(BaseModel):
    """A competence."""

    code: str
    title: Titles
    cuts: list[float] = Field(description="Ability at which each level begins, level 1 first.")
    topics: list[TopicView]


class DomainView(BaseModel):
    """A domain."""

    code: str
    title: Titles
    competences: list[CompetenceView]


class BandView(BaseModel):
    """Levels that go by one name."""

    code: str
    title: Titles
    meaning: Titles
    levels: list[int]


class FrameworkView(BaseModel):
    """The framework that runs refer to."""

    code: str
    title: Titles
    provisional: bool = Field(description="Whether cuts are expert judgement, not estimates.")
    bands: list[BandView]
    domains: list[DomainView]


class Health(BaseModel):
    """That the server works."""

    status: Literal["ok"]


@router.get("/framework", summary="Read the framework", response_model=FrameworkView)
async def get_framework(request: Request) -> Any:
    """Read the domains, competences, topics and levels that runs refer to."""
    return context_of(request).served.framework.model_dump(mode="json")


@router.get(
    "/health", summary="Ask whether the server works", response_model=Health, responses=problem_responses(UNAVAILABLE)
)
async def get_health(request: Request) -> Any:
    """Answer ok when the database can be read."""
    await context_of(request).read(lambda connection: connection.execute(text("SELECT 1")).scalar_one())
    return {"status": "ok"}
