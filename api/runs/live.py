"""Where a run stands: its facts replayed, kept in memory between two answers.

What is in memory may be behind, when another process took the last answer: the uniqueness of facts in the database
makes that harmless, for an answer decided on old ground is refused there and the run is read again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import Connection

from api.runs.beginning import Beginning
from api.runs.facts import ASKED, ENDED, Fact, Run
from api.runs.pinned import PinnedTest, Pins
from api.runs.replied import Replied, with_replies
from api.runs.repository import facts_of
from api.tables import REPLY
from engine.assembly import Softness, full_length
from engine.state import State
from engine.stopping import Reason, longest


@dataclass(frozen=True, eq=False)
class Live:
    """A run after ``position`` replies.

    Parameters
    ----------
    pending : int or None
        Row of the item that waits for a reply; None when the run is finished.
    asked_at : datetime
        When the last question was put, or the run ended.
    replied : mapping of competence to moment
        Competences whose own items were replied to, in this run or in the earlier ones that count, and when last.
    ended : Fact or None
        The fact that ended the run, with its result.
    """

    run: Run
    test: PinnedTest
    state: State
    position: int
    pending: int | None
    asked_at: datetime
    replied: Replied
    ended: Fact | None = None
    relaxed: int = 0
    """Constraints that gave way for the pending item, as flags of engine.assembly.Softness."""

    @property
    def withdrawn(self) -> int:
        """Replies that were none, for their items were taken back."""
        return self.position - int(self.state.length)

    @cached_property
    def at_most(self) -> int:
        """Largest number of questions of the run."""
        items = len(self.test.snapshot)
        blueprint = self.test.design.assembly
        if blueprint is not None:
            return int(full_length(blueprint, self.state, self.test.table)) + self.withdrawn
        most = longest(self.test.design.stop)
        return items if most is None else min(most, items)


def read_live(connection: Connection, pins: Pins, run: Run) -> Live:
    """Read the facts of a run and replay them."""
    return live_after(connection, pins, run, facts_of(connection, run.id))


def live_after(connection: Connection, pins: Pins, run: Run, facts: Sequence[Fact]) -> Live:
    """Replay facts of a run: all of them, or those up to some question."""
    before = Beginning.of(connection, pins, run)
    test = before.test
    replies = [fact for fact in facts if fact.part == REPLY]
    state = before.after(replies)
    last = facts[-1]
    replied = with_replies(before.replied, test.design, test.bank, replies)
    pending = test.snapshot.row(last.item or "") if last.kind == ASKED else None
    return Live(run, test, state, len(replies), pending, last.at, replied, None if last.kind == ASKED else last)


def question(live: Live, at: datetime) -> Fact:
    """Build the fact that the pending item of a run is asked, with its parameters of the day."""
    bank, row = live.test.bank, live.pending
    assert row is not None
    return Fact(
        live.run.id,
        live.position,
        ASKED,
        at,
        item=bank.snapshot.ids[row],
        parameters=bank.parameters[row],
        reason=softened(live.relaxed),
    )


def softened(relaxed: int) -> str | None:
    """Name the constraints that gave way, softest first and joined by +; None when none did.

    >>> softened(5)
    'exposure+maximum'
    """
    return "+".join(flag.name.lower() for flag in Softness if relaxed & flag and flag.name) or None


def ending(live: Live, reason: int, at: datetime, result: list[dict[str, Any]] | None) -> Fact:
    """Build the fact that a run is over, with the reason and the result as it is told."""
    return Fact(live.run.id, live.position, ENDED, at, reason=Reason(reason).name.lower(), result=result)
