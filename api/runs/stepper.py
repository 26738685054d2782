"""Steps taken together: the answers that reach the server at about the same moment are one batch for the engine.

The engine's functions work for one run and for many, and choose the same items either way (scores are quantised before
they are compared). A step for sixteen runs costs little more than a step for one, so a busy server takes one for all
the answers that come while the writer is at work; a quiet one takes each at once.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from api.runs.live import Live
from api.runs.pinned import PinnedTest
from engine.adaptive import Decision, step
from engine.state import State
from engine.uniform import uniform

Stepped = tuple[State, Decision]


@dataclass(frozen=True, eq=False)
class Taken:
    """A marked reply to the pending item of a run: its row, its category or code, and seconds."""

    live: Live
    row: int
    response: int
    seconds: float


def step_one(taken: Taken) -> Stepped:
    """Take one step alone."""
    live = taken.live
    u = uniform(live.run.seed, live.position + 1)
    return step(live.test.design, live.test.table, live.state, taken.row, taken.response, taken.seconds, u)


def step_all(test: PinnedTest, batch: Sequence[Taken]) -> list[Stepped]:
    """Take one step for each of n runs of the same test: what ``step_one`` gives for each."""
    if len(batch) == 1:
        return [step_one(batch[0])]
    lives = [taken.live for taken in batch]
    state, decision = step(
        test.design,
        test.table,
        State(*(np.stack(arrays) for arrays in zip(*(live.state for live in lives), strict=True))),
        np.array([taken.row for taken in batch]),
        np.array([taken.response for taken in batch]),
        np.array([taken.seconds for taken in batch]),
        uniform([live.run.seed for live in lives], [live.position + 1 for live in lives]),
    )
    return [
        (State(*(array[row].copy() for array in state)), Decision(*(array[row] for array in decision)))
        for row in range(len(batch))
    ]


class Stepper:
    """Gathers replies and takes their steps together.

    Parameters
    ----------
    when_writable : function
        Calls what it is given when writes can be stored: soon when the writer is idle, else after its batch.
    """

    def __init__(self, when_writable: Callable[[Callable[[], None]], None]) -> None:
        self._when_writable = when_writable
        self._waiting: list[tuple[Taken, asyncio.Future[Stepped]]] = []

    async def step(self, taken: Taken) -> Stepped:
        """Take a step, together with those asked for until writes can be stored."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Stepped] = loop.create_future()
        if not self._waiting:
            self._when_writable(self._flush)
        self._waiting.append((taken, future))
        return await future

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        groups: dict[int, list[tuple[Taken, asyncio.Future[Stepped]]]] = {}
        for taken, future in waiting:
            groups.setdefault(id(taken.live.test), []).append((taken, future))
        for group in groups.values():
            self._step(group)

    def _step(self, group: Sequence[tuple[Taken, asyncio.Future[Stepped]]]) -> None:
        try:
            stepped = step_all(group[0][0].live.test, [taken for taken, _ in group])
        except Exception as error:  # each request that waits is told
            for _, future in group:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), outcome in zip(group, stepped, strict=True):
            if not future.done():
                future.set_result(outcome)
