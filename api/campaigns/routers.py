"""Every router of campaigns, for the application."""

from fastapi import APIRouter

ROUTERS: tuple[APIRouter, ...] = ()
"""Each room adds its own."""
