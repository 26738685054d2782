"""Every router of the pages of learners."""

from fastapi import APIRouter

ROUTERS: tuple[APIRouter, ...] = ()
