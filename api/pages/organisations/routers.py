"""Every router of the pages of organisations."""

from fastapi import APIRouter

ROUTERS: tuple[APIRouter, ...] = ()
