"""Every router of the pages about an organisation and its people."""

from fastapi import APIRouter

from api.pages.organisations.audit import router as audit
from api.pages.organisations.invitation import router as invitation
from api.pages.organisations.members import router as members

ROUTERS: tuple[APIRouter, ...] = (members, invitation, audit)
