"""Every router of the pages about the learners of an organisation; addresses without a place for an id come first."""

from fastapi import APIRouter

from api.pages.learners.card import router as card
from api.pages.learners.lists import router as lists
from api.pages.learners.register import router as register

ROUTERS: tuple[APIRouter, ...] = (lists, register, card)
