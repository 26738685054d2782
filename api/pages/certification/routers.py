"""Every router of the pages of certification, for the application; addresses without a place for an id come first."""

from typing import Final

from fastapi import APIRouter

from api.pages.certification.certificate import router as certificate
from api.pages.certification.check import router as check
from api.pages.certification.enrol import router as enrol
from api.pages.certification.entry import router as entry
from api.pages.certification.jury import router as jury
from api.pages.certification.plan import router as plan
from api.pages.certification.room import router as room
from api.pages.certification.sheet import router as sheet
from api.pages.certification.sitting import router as sitting
from api.pages.certification.team import router as team

ROUTERS: Final[tuple[APIRouter, ...]] = (
    sitting,
    entry,
    room,
    team,
    plan,
    sheet,
    enrol,
    jury,
    certificate,
    check,
)
