"""Learners who answer by their seed alone, and two drivers of the heart: one run at a time, and many at once."""

from dataclasses import dataclass, field

import numpy as np

from engine.adaptive import Decision, Design, State, begin, step
from engine.state import Facts
from engine.table import Table
from engine.uniform import derive, uniform

LONGEST = 60


@dataclass
class Run:
    """What a driver saw of one run."""

    items: list[int] = field(default_factory=list)
    responses: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    means: list[list[float]] = field(default_factory=list)
    sds: list[list[float]] = field(default_factory=list)
    reason: int = -1

    def facts(self) -> Facts:
        return Facts(
            np.array(self.items, dtype=np.int64), np.array(self.responses, dtype=np.int64), np.array(self.seconds)
        )


def response(table: Table, seed: int, item: int, position: int) -> int:
    """Any category of the item, or now and then a skip, a time-out or nothing."""
    draw, silent = uniform(derive(seed, 1), position), uniform(derive(seed, 2), position)
    return int(silent * 15) - 3 if silent < 0.2 else int(draw * table.categories_of[item])


def seconds(seed: int, position: int) -> float:
    draw = float(uniform(derive(seed, 3), position))
    return float("nan") if draw < 0.1 else 90.0 * draw


def note(run: Run, decision: Decision, index: tuple[int, ...]) -> None:
    run.means.append(decision.mean[index].tolist())
    run.sds.append(decision.sd[index].tolist())
    run.reason = int(decision.reason[index])


def served(design: Design, table: Table, seed: int) -> tuple[Run, State]:
    """One learner at a time, as the HTTP API does."""
    run = Run()
    state, decision = begin(design, table, uniform(seed, 0))
    note(run, decision, ())
    while not decision.done:
        position, item = len(run.items), int(decision.item)
        assert position < LONGEST
        run.items.append(item)
        run.responses.append(response(table, seed, item, position))
        run.seconds.append(seconds(seed, position))
        state, decision = step(
            design, table, state, item, run.responses[-1], run.seconds[-1], uniform(seed, position + 1)
        )
        note(run, decision, ())
    return run, state


def simulated(design: Design, table: Table, seeds: list[int]) -> list[Run]:
    """All learners at once, as the simulator does; those who have finished are dropped."""
    runs, going = [Run() for _ in seeds], np.arange(len(seeds))
    state, decision = begin(design, table, uniform(seeds, 0), (len(seeds),))
    for place, run in enumerate(runs):
        note(run, decision, (place,))
    for position in range(LONGEST):
        kept = ~decision.done
        going = going[kept]
        if not going.size:
            return runs
        state = State(*(part[kept] for part in state))
        items = decision.item[kept]
        for run, item in zip(going, items, strict=True):
            runs[run].items.append(int(item))
            runs[run].responses.append(response(table, seeds[run], int(item), position))
            runs[run].seconds.append(seconds(seeds[run], position))
        state, decision = step(
            design, table, state, items, [runs[run].responses[-1] for run in going],
            [runs[run].seconds[-1] for run in going], uniform(np.array(seeds)[going], position + 1),
        )  # fmt: skip
        for place, run in enumerate(going):
            note(runs[run], decision, (place,))
    raise AssertionError("a run does not end")


def together(runs: list[Run]) -> Facts:
    """Facts of several runs, the shorter ones padded."""
    longest = max(len(run.items) for run in runs)
    facts = Facts(
        np.full((len(runs), longest), -1), np.full((len(runs), longest), -1), np.full((len(runs), longest), np.nan)
    )
    for row, run in enumerate(runs):
        for table, values in zip(facts, (run.items, run.responses, run.seconds), strict=True):
            table[row, : len(values)] = values
    return facts
