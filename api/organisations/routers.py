"""Every router of organisations, for the application."""

from fastapi import APIRouter

from api.organisations.endpoints import router as organisations

ROUTERS: tuple[APIRouter, ...] = (organisations,)
"""Each room adds its own."""
