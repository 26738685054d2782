"""Every router of organisations, for the application."""

from fastapi import APIRouter

from api.organisations.endpoints import router as organisations
from api.organisations.importing.endpoints import router as imports
from api.organisations.people_endpoints import answers
from api.organisations.people_endpoints import router as people
from api.organisations.registrations.endpoints import router as registrations

ROUTERS: tuple[APIRouter, ...] = (organisations, people, answers, registrations, imports)
"""Each room adds its own."""
