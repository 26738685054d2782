"""Candidates sit the test: the functions that the API calls, in the order in which it calls them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from engine.adaptive import Design, begin, step
from engine.arrays import Bools, Floats, Ints
from engine.assembly import full_length
from engine.certification import CertificationDesign
from engine.responses import NONE, NOT_REACHED, SKIPPED, TIMED_OUT
from engine.state import Facts, State
from engine.stopping import Reason
from engine.table import Table
from engine.uniform import derive, uniform
from engine.validation import End
from itembank.certification import beginning
from itembank.snapshot import Snapshot
from simulations.behaviours import Question, reply
from simulations.certification.kinds import Kind
from simulations.certification.profile import Positioned
from simulations.learners import Learners

_RUN: Final = 2**41 + 3
"""Stream of the runs' seeds, so that a learner's two tests do not draw the same numbers."""
_LEAVING: Final = 2**41 + 4
LATER: Final = 1000
"""Position of the first answer in the streams of a learner's responses: those before belong to the positioning."""


@dataclass(frozen=True, eq=False)
class Test:
    """A certification test that a bank serves to candidates with the same time and accommodations.

    Parameters
    ----------
    rules : CertificationDesign
    snapshot : Snapshot
    design, table : Design, Table
    seconds : float
        Time of the test, extra time included.
    accessible : tuple of names of flags
    """

    rules: CertificationDesign
    snapshot: Snapshot
    design: Design
    table: Table
    seconds: float
    accessible: tuple[str, ...] = ()

    def openings(self, seeds: Ints, about: Bools, seen: Ints) -> tuple[Bools, Ints]:
        """Items that candidates may be asked and those held back, both (n, I).

        Parameters
        ----------
        seeds : (n,) int
            Of the runs.
        about : (n, C) bool
            What is to be certified.
        seen : (n, L) int
            Rows seen in the positioning.
        """
        codes, ids = self.snapshot.framework.codes, self.snapshot.ids
        opened = [
            beginning(
                self.snapshot,
                self.rules,
                seed,
                self.accessible,
                [codes[row] for row in np.flatnonzero(scope)],
                [ids[row] for row in rows[rows != NONE]] if self.rules.seen_runs else (),
            )
            for seed, scope, rows in zip(seeds.tolist(), about, seen, strict=True)
        ]
        return np.stack([one.allowed for one in opened]), np.stack([one.reserve for one in opened])

    @property
    def limits(self) -> Floats:
        """Seconds after which an item takes no answer, (I,)."""
        return np.array([np.inf if item.limit is None else item.limit for item in self.snapshot.items])


class Sat(NamedTuple):
    """Tests of n candidates, at most L items long."""

    facts: Facts  # (n, L) padded; what the end cut off was not reached
    relaxed: Ints  # (n, L) flags of Softness of each question
    end: Ints  # (n,) codes of End
    seconds: Floats  # (n,) time used
    replies: Ints  # (n,) answers, skips and time-outs


def sit(test: Test, kind: Kind, learners: Learners, positioned: Positioned, evidence: Floats) -> Sat:
    """Put eligible candidates of one kind through the test.

    Parameters
    ----------
    test : Test
    kind : Kind
    learners : Learners
        Of n candidates, with their own abilities.
    positioned : Positioned
    evidence : (n, C, G) float
        Log-likelihood of the positioning's answers, untempered.

    Returns
    -------
    Sat
        The same alone and in a batch.
    """
    design, table = test.design, test.table
    runs = derive(learners.seeds, _RUN)
    allowed, reserve = test.openings(runs, positioned.eligibility.certifiable, positioned.items)
    known = test.rules.profile_weight * evidence
    state, decision = begin(design, table, uniform(runs, 0), (runs.size,), allowed, known, reserve)
    leaving, limits = _leaving(test, kind, learners.seeds, state), test.limits
    who, seeds, abilities = np.arange(runs.size), learners.seeds, learners.abilities
    end, seconds = np.zeros(runs.size, dtype=np.int64), np.zeros(runs.size)
    replies = np.zeros(runs.size, dtype=np.int64)
    steps: list[tuple[Ints, ...]] = []
    while True:
        done = decision.done
        end[who[done]] = np.where(decision.reason[done] == Reason.OUT_OF_TIME, End.TIME, End.COMPLETED)
        seconds[who], replies[who] = state.elapsed, state.length
        if done.all():
            return _sat(end.size, steps, end, seconds, replies)
        going = np.flatnonzero(~done)
        who, seeds, runs, abilities = who[going], seeds[going], runs[going], abilities[going]
        state, item = State._make(array[going] for array in state), decision.item[going]
        relaxed = decision.relaxed[going]
        ability = abilities[np.arange(who.size), test.snapshot.competence[item]]
        answer = reply(kind.certification, Question(table, seeds, ability, item, LATER + len(steps)))
        late = (answer.seconds > limits[item]) & (answer.response != SKIPPED)
        response = np.where(late, TIMED_OUT, answer.response)
        spent = np.where(late, limits[item], answer.seconds)
        # What comes after the deadline is refused, as by the server: the item that waited then was not reached.
        over, left = state.elapsed + spent > test.seconds, len(steps) >= leaving[who]
        cut = over | left
        steps.append((who, item, np.where(cut, NOT_REACHED, response), np.where(cut, np.nan, spent), relaxed))
        end[who[cut]] = np.where(left[cut], End.CANDIDATE, End.TIME)
        seconds[who[cut]] = np.where(left[cut], state.elapsed[cut], test.seconds)
        if cut.all():
            return _sat(end.size, steps, end, seconds, replies)
        going = np.flatnonzero(~cut)
        who, seeds, runs, abilities = who[going], seeds[going], runs[going], abilities[going]
        state = State._make(array[going] for array in state)
        state, decision = step(
            design, table, state, item[going], response[going], spent[going], uniform(runs, len(steps))
        )


def _leaving(test: Test, kind: Kind, seeds: Ints, state: State) -> Ints:
    """Answers after which candidates leave, (n,); more than there are when they stay."""
    assert test.design.assembly is not None
    full = full_length(test.design.assembly, state, test.table)
    if not kind.leaves:
        return full + 1
    return np.floor(full * (0.1 + 0.8 * uniform(derive(seeds, _LEAVING), 0))).astype(np.int64)


def _sat(count: int, steps: Sequence[tuple[Ints, ...]], end: Ints, seconds: Floats, replies: Ints) -> Sat:
    shape = (count, len(steps))
    items, responses = np.full(shape, NONE, dtype=np.int64), np.full(shape, NOT_REACHED, dtype=np.int64)
    spent, relaxed = np.full(shape, np.nan), np.zeros(shape, dtype=np.int64)
    for place, (who, item, response, time, gave_way) in enumerate(steps):
        items[who, place], responses[who, place] = item, response
        spent[who, place], relaxed[who, place] = time, gave_way
    return Sat(Facts(items, responses, spent), relaxed, end, seconds, replies)
