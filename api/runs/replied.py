"""Which competences a learner's replies are about: what makes a competence measured and not only estimated."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
from sqlalchemy import Connection

from api.runs.facts import Fact, response_of
from api.runs.pinned import Bank, Pins
from api.runs.repository import replies_of, run_of
from engine.adaptive import Design
from engine.profile import gives_evidence

Replied = Mapping[int, datetime]
"""Competences (rows of the framework) whose own items were replied to, and when last."""


def with_replies(before: Replied, design: Design, bank: Bank, replies: Sequence[Fact]) -> Replied:
    """Add later replies, in order, to items of a bank; a reply that the design ignores says nothing."""
    last = {
        bank.competence_rows[bank.snapshot.row(fact.item or "")]: fact.at
        for fact in replies
        if gives_evidence(design, np.asarray(response_of(fact)))
    }
    return {**before, **last}


def earlier_replies(
    connection: Connection, pins: Pins, design: Design, earlier: Sequence[tuple[str, float]]
) -> Replied:
    """Read what was replied to in the earlier runs that count in a run."""
    last: Replied = {}
    replies_by_run = replies_of(connection, [run_id for run_id, _ in earlier])
    for run_id, _ in reversed(earlier):  # the latest run last
        run, replies = run_of(connection, run_id), replies_by_run[run_id]
        assert run is not None
        last = with_replies(last, design, pins.pinned_bank(connection, run.snapshot_hash), replies)
    return last
