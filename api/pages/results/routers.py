"""Every router of the pages of results."""

from fastapi import APIRouter

ROUTERS: tuple[APIRouter, ...] = ()
