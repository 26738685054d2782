"""What a run begins with: everything that its decisions depend on besides its replies, from what it pins."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from api.runs.earlier import engine_facts, evidence
from api.runs.facts import NOT_REACHED, WITHDRAWN, Fact, Run
from api.runs.pinned import PinnedTest, Pins
from api.runs.replied import Replied, earlier_replies
from engine.adaptive import Decision, begin, replay
from engine.arrays import Bools, Floats, Ints
from engine.state import State, withdraw
from engine.uniform import uniform
from itembank.certification import beginning as certified_beginning


@dataclass(frozen=True, eq=False)
class Beginning:
    """What a run may ask, what is known before it, and what it holds back."""

    test: PinnedTest
    allowed: Bools
    """(I,)"""
    evidence: Floats | None
    """(C, G)"""
    reserve: Ints | None
    """(I,) of a run that certifies: items held back, as engine.state numbers the reasons."""
    replied: Replied

    @classmethod
    def of(cls, connection: Connection, pins: Pins, run: Run) -> "Beginning":
        """Read what a run pins."""
        test = pins.pinned(connection, run.snapshot_hash, run.design_hash)
        known = evidence(connection, pins, test, run.earlier)
        replied = earlier_replies(connection, pins, test.design, run.earlier)
        if run.rules_hash is None:
            return cls(test, test.snapshot.allowed(run.accessible, run.excluded), known, None, replied)
        rules = pins.rules(connection, run.rules_hash)
        allowed, reserve = certified_beginning(
            test.snapshot, rules, run.seed, run.accessible, run.competences, run.excluded
        )
        return cls(test, allowed, known, reserve, replied)

    def first(self, seed: int) -> tuple[State, Decision]:
        """Decide on the first item."""
        return begin(
            self.test.design,
            self.test.table,
            uniform(seed, 0),
            allowed=self.allowed,
            evidence=self.evidence,
            reserve=self.reserve,
        )

    def after(self, replies: Sequence[Fact]) -> State:
        """State after replies: an item not reached says nothing, and one withdrawn takes its topic along."""
        heard = [fact for fact in replies if fact.kind not in (WITHDRAWN, NOT_REACHED)]
        facts = engine_facts(self.test.bank, heard)
        state = replay(self.test.design, self.test.table, facts, self.allowed, self.evidence, self.reserve)
        for fact in replies:
            if fact.kind == WITHDRAWN:
                state = withdraw(self.test.table, state, self.test.snapshot.row(fact.item or ""))
        return state
