"""Which competences a learner's replies are about: what makes a competence measured and not only estimated."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from api.runs.assessment import Bank, Pins
from api.runs.facts import SKIPPED, TIMED_OUT, Fact
from api.runs.repository import replies_of, run_of
from engine.adaptive import Design

Replied = Mapping[int, datetime]
"""Competences (rows of the framework) whose own items were replied to, and when last."""


def with_replies(before: Replied, design: Design, bank: Bank, replies: Sequence[Fact]) -> Replied:
    """Add replies to items of a bank; a reply that the design ignores says nothing."""
    last = dict(before)
    for fact in replies:
        if _says_something(design, fact):
            row = bank.competence_rows[bank.snapshot.row(fact.item or "")]
            last[row] = max(fact.at, last.get(row, fact.at))
    return last


def earlier_replies(
    connection: Connection, pins: Pins, design: Design, earlier: Sequence[tuple[str, float]]
) -> Replied:
    """Read what was replied to in the earlier runs that count in a run."""
    last: Replied = {}
    for run_id, replies in replies_of(connection, [run_id for run_id, _ in earlier]).items():
        run = run_of(connection, run_id)
        assert run is not None
        last = with_replies(last, design, pins.pinned_bank(connection, run.snapshot_hash), replies)
    return last


def _says_something(design: Design, fact: Fact) -> bool:
    policy = {SKIPPED: design.skip, TIMED_OUT: design.time_out}.get(fact.kind)
    return policy != "ignored"
