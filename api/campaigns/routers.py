"""Every router of campaigns, for the application."""

from fastapi import APIRouter

from api.campaigns.endpoints import courses, of_organisation
from api.campaigns.endpoints import router as campaigns
from api.campaigns.participation_endpoints import doors, entries
from api.campaigns.participation_endpoints import router as participations

ROUTERS: tuple[APIRouter, ...] = (participations, entries, doors, campaigns, of_organisation, courses)
"""Each room adds its own."""
