"""Every router of the pages about the learners of an organisation."""

from fastapi import APIRouter

from api.pages.learners.lists import router as lists
from api.pages.learners.register import router as register

ROUTERS: tuple[APIRouter, ...] = (lists, register)
