"""Why the server refused what a form asks, in the visitor's language."""

from typing import Final

from starlette.requests import Request

from api.pages.page import words_for
from api.problems import Problem

_CHANGED: Final = "state"
"""The reason when a page was overtaken: what it offers is no longer possible."""


def refusal(request: Request, problem: Problem) -> str:
    """Say what is wrong and what to do; ``problem`` carries a ``reason``."""
    words, reason = words_for(request), problem.members.get("reason", _CHANGED)
    return words(f"refusal.{reason}", **problem.members)
