"""Every router of the team's pages about campaigns and their results."""

from fastapi import APIRouter

from api.pages.results.campaigns import router as campaigns
from api.pages.results.form import router as form
from api.pages.results.group import router as group
from api.pages.results.pupil import router as pupil

ROUTERS: tuple[APIRouter, ...] = (form, campaigns, group, pupil)
"""The form first: its address would be taken for that of a campaign."""
