"""Every router of certification, for the application."""

from fastapi import APIRouter

from api.certification.certificates.endpoints import public
from api.certification.certificates.endpoints import router as certificates
from api.certification.decisions.endpoints import router as decisions
from api.certification.sessions.candidate_endpoints import of_learner
from api.certification.sessions.candidate_endpoints import router as candidates
from api.certification.sessions.endpoints import of_organisation
from api.certification.sessions.endpoints import router as sessions
from api.certification.sitting.endpoints import entries, room, sitting

ROUTERS: tuple[APIRouter, ...] = (
    *(sitting, entries, room),
    *(of_organisation, sessions, candidates, of_learner),
    *(decisions, certificates, public),
)
"""Each noun adds its own."""
