"""Every router of certification, for the application."""

from fastapi import APIRouter

from api.certification.sitting.endpoints import entries, room, sitting

ROUTERS: tuple[APIRouter, ...] = (sitting, entries, room)
"""Each noun adds its own."""
