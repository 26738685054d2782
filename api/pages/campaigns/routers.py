"""Every router of the pages by which learners take part in a campaign."""

from fastapi import APIRouter

from api.pages.campaigns.door import router as door
from api.pages.campaigns.own import router as own

ROUTERS: tuple[APIRouter, ...] = (own, door)
