"""Runs and their facts as frozen records."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from api.tables import KINDS
from engine import responses

ASKED, ENDED, ANSWERED, SKIPPED, TIMED_OUT = "asked", "ended", "answered", "skipped", "timed_out"
WITHDRAWN, NOT_REACHED = "withdrawn", "not_reached"
"""Replies in runs that certify: an item taken back after a problem with it, and the one that waited at the end."""


@dataclass(frozen=True)
class Run:
    """What a run pins at its start, and when it ended."""

    id: str
    learner_id: str
    client_id: str | None
    snapshot_hash: str
    design_hash: str
    seed: int
    locale: str
    competences: tuple[str, ...]
    accessible: tuple[str, ...]
    earlier: tuple[tuple[str, float], ...]
    """Earlier finished runs whose answers count here, with their weights."""
    excluded: tuple[str, ...]
    """Items left out because they were answered lately."""
    access_code: str
    created_at: datetime
    finished_at: datetime | None = None
    rules_hash: str | None = None
    """Of the certification design, in a run that certifies."""
    counts: bool = True
    """Whether the learner's profile, and later runs, take it in; an exam's is neither read nor changed by."""


@dataclass(frozen=True)
class Fact:
    """One event of a run. At each position, a question (asked, or ended) and then a reply to it."""

    run_id: str
    position: int
    kind: str
    at: datetime
    item: str | None = None
    parameters: dict[str, Any] | None = None
    """Of the item on the day it was asked."""
    response: int | None = None
    answer: Any = None
    """As the learner gave it."""
    seconds: float | None = None
    reason: str | None = None
    """Of an end; or, of an item asked, which constraints of the blueprint gave way, joined by +."""
    result: list[dict[str, Any]] | None = None
    """Of an ended run, as it was told."""

    @property
    def part(self) -> int:
        """QUESTION or REPLY, as ``api.tables`` numbers them."""
        return KINDS[self.kind]


def response_of(reply: Fact) -> int:
    """Return what the engine is told of a reply: its category, or the code of a skip or a time-out."""
    if reply.kind == SKIPPED:
        return responses.SKIPPED
    if reply.kind == TIMED_OUT:
        return responses.TIMED_OUT
    if reply.kind in (WITHDRAWN, NOT_REACHED):
        return responses.NOT_REACHED
    assert reply.response is not None
    return reply.response
