"""Every router of the pages of campaigns."""

from fastapi import APIRouter

ROUTERS: tuple[APIRouter, ...] = ()
