"""Every router of campaigns, for the application."""

from fastapi import APIRouter

from api.campaigns.endpoints import courses, of_organisation
from api.campaigns.endpoints import router as campaigns
from api.campaigns.participation_endpoints import doors, entries
from api.campaigns.participation_endpoints import router as participations
from api.campaigns.results.endpoints import of_learner
from api.campaigns.results.endpoints import router as results

ROUTERS: tuple[APIRouter, ...] = (
    participations,
    entries,
    doors,
    campaigns,
    of_organisation,
    courses,
    results,
    of_learner,
)
"""Each room adds its own."""
