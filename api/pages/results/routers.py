"""Every router of the team's pages about campaigns and their results."""

from fastapi import APIRouter

from api.pages.results.campaigns import router as campaigns
from api.pages.results.form import router as form

ROUTERS: tuple[APIRouter, ...] = (form, campaigns)
"""The form first: its address would be taken for that of a campaign."""
