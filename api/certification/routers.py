"""Every router of certification, for the application."""

from fastapi import APIRouter

ROUTERS: tuple[APIRouter, ...] = ()
"""Each noun adds its own."""
