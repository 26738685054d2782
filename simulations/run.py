"""Drive the engine over chunks of simulees.

Items, picks, stops and beliefs come from :mod:`engine.adaptive` alone, the very functions that the API calls.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Final, NamedTuple

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from threadpoolctl import threadpool_limits

from engine.adaptive import Decision, Design, begin, posterior, step
from engine.arrays import Bools, Floats, Ints
from engine.errors import DesignError
from engine.levels import level_probabilities, quantile
from engine.responses import NONE, NOT_REACHED
from engine.state import State
from engine.table import Table
from engine.uniform import uniform
from simulations.behaviours import Behaviour, ModelTrue, Question, reply
from simulations.learners import Learners

SHARES: Final = (0.025, 0.05, 0.95, 0.975)
"""Shares of the posterior below the quantiles that a result holds: ends of the 95 % and 90 % intervals."""

CHUNK: Final = 2000
TREE_CHUNK: Final = 200
"""Simulees that go through the engine together: what fits the processor's caches, for one competence and for many."""

_KEPT: Final = 30 * 2**20
"""Bytes claimed and freed at once, untouched, before a simulation. From then on glibc keeps the memory of freed arrays
up to that size; else it hands it back to the system at every step and fetches it again page by page, which takes a
quarter of the time. Nothing happens with other C libraries."""

Progress = Callable[[int], None]
"""Told how many more simulees have finished."""


@dataclass(frozen=True, eq=False)
class Result:
    """Runs of n simulees, at most L items long, over C competences.

    Simulees are in the order in which they were given, so that two results of one seed can be compared row by row.
    """

    seeds: Ints
    """(n,)"""
    abilities: Floats
    """(n, C) true abilities."""
    items: Ints
    """(n, L) rows of the items asked, NONE after the end."""
    responses: Ints
    """(n, L) categories or codes of engine.responses, NOT_REACHED after the end."""
    seconds: Floats
    """(n, L) NaN where time is not simulated."""
    length: Ints
    """(n,) answers given."""
    reason: Ints
    """(n,) codes of engine.stopping.Reason."""
    mean: Floats
    """(n, C) posterior means."""
    sd: Floats
    """(n, C) posterior standard deviations."""
    quantiles: Floats
    """(n, C, 4) quantiles of the posterior, at SHARES."""
    levels: Floats
    """(n, C, levels + 1) probabilities of the levels; (n, C, 1) without cuts."""
    duration: float
    """Seconds that the simulation took."""

    def __len__(self) -> int:
        """Return the number of simulees."""
        return int(self.seeds.size)


_PADDING: Final = {"items": NONE, "responses": NOT_REACHED, "seconds": np.nan}
"""What stands after the end of the shorter runs."""


class _Part(NamedTuple):
    """Runs of one chunk: the arrays of a result, in its order."""

    items: Ints
    responses: Ints
    seconds: Floats
    length: Ints
    reason: Ints
    mean: Floats
    sd: Floats
    quantiles: Floats
    levels: Floats


def simulate(
    design: Design,
    table: Table,
    learners: Learners,
    behaviours: Sequence[Behaviour] = (ModelTrue(),),
    *,
    allowed: Bools | None = None,
    chunk: int | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Result:
    """Put simulees through a test.

    Parameters
    ----------
    design, table
        As for :func:`engine.adaptive.begin`.
    learners : Learners
    behaviours : sequence of Behaviour
        Applied in order.
    allowed : (I,) bool, optional
        Items that may be asked at all, e.g. the accessible ones.
    chunk : int, optional
        Simulees that go through the engine together.
    jobs : int
        Processes; -1 for one on each processor.
    progress : callable, optional
        Called with the number of simulees that have just finished.

    Returns
    -------
    Result
        The same numbers whatever the number of jobs. Another chunk gives the same items and answers; estimates then
        differ in the last bits only.
    """
    if learners.abilities.shape[1] != design.latent.competences:
        raise DesignError(
            f"The simulees have {learners.abilities.shape[1]} abilities and the design {design.latent.competences} "
            "competences; draw them from the design's latent structure."
        )
    size = chunk or (CHUNK if design.latent.competences == 1 else TREE_CHUNK)
    if size < 1:
        raise DesignError(f"A chunk cannot have {size} simulees; use at least 1.")
    started = perf_counter()
    pieces = [learners.part(start, start + size) for start in range(0, len(learners), size)]
    test = (design, table, tuple(behaviours), allowed)
    workers = min(int(effective_n_jobs(jobs)), len(pieces))
    parts: list[_Part] = []
    for part in _parts(test, pieces, workers):
        parts.append(part)
        if progress is not None:
            progress(part.length.size)
    duration = perf_counter() - started
    return Result(seeds=learners.seeds, abilities=learners.abilities, duration=duration, **_joined(parts)._asdict())


_Test = tuple[Design, Table, tuple[Behaviour, ...], Bools | None]


def _parts(test: _Test, pieces: list[Learners], workers: int) -> Iterator[_Part]:
    if workers == 1:
        for piece in pieces:
            yield from _task(test, [piece])
        return
    group = -(-len(pieces) // (workers * 8))
    groups = [pieces[start : start + group] for start in range(0, len(pieces), group)]
    finished: Iterable[list[_Part]] = Parallel(n_jobs=workers, return_as="generator")(
        delayed(_task)(test, some) for some in groups
    )
    for some in finished:
        yield from some


def _task(test: _Test, pieces: list[Learners]) -> list[_Part]:
    """Simulate a few chunks, on one thread: threads of the linear algebra library would only disturb each other."""
    design, table, behaviours, allowed = test
    np.empty(_KEPT, dtype=np.uint8)
    with threadpool_limits(1):
        return [_chunk(design, table, piece, behaviours, allowed) for piece in pieces]


def _chunk(
    design: Design, table: Table, learners: Learners, behaviours: tuple[Behaviour, ...], allowed: Bools | None
) -> _Part:
    who, seeds, abilities = np.arange(len(learners)), learners.seeds, learners.abilities
    state, decision = begin(design, table, uniform(seeds, 0), (who.size,), allowed)
    steps: list[tuple[Ints, Ints, Ints, Floats]] = []
    ends: list[tuple[Ints, State, Decision, Floats]] = []
    while True:
        if decision.done.any():
            done, going = np.flatnonzero(decision.done), np.flatnonzero(~decision.done)
            ended = State._make(array[done] for array in state)
            last = Decision._make(array[done] for array in decision)
            ends.append((who[done], ended, last, posterior(design, table, ended)))
            if going.size == 0:
                return _part(table, len(learners), steps, ends)
            who, seeds, abilities = who[going], seeds[going], abilities[going]
            state = State._make(array[going] for array in state)
            decision = Decision._make(array[going] for array in decision)
        ability = abilities[np.arange(who.size), table.competence[decision.item]]
        answer = reply(behaviours, Question(table, seeds, ability, decision.item, len(steps)))
        steps.append((who, decision.item, answer.response, answer.seconds))
        state, decision = step(
            design, table, state, decision.item, answer.response, answer.seconds, uniform(seeds, len(steps))
        )


def _part(
    table: Table,
    count: int,
    steps: list[tuple[Ints, Ints, Ints, Floats]],
    ends: list[tuple[Ints, State, Decision, Floats]],
) -> _Part:
    items = np.full((count, len(steps)), _PADDING["items"], dtype=np.int64)
    responses = np.full(items.shape, _PADDING["responses"], dtype=np.int64)
    seconds = np.full(items.shape, _PADDING["seconds"])
    for place, (who, item, response, spent) in enumerate(steps):
        items[who, place], responses[who, place], seconds[who, place] = item, response, spent
    order = np.argsort(np.concatenate([who for who, *_ in ends]))
    beliefs = np.concatenate([belief for *_, belief in ends])[order]
    return _Part(
        items,
        responses,
        seconds,
        np.concatenate([state.length for _, state, *_ in ends])[order],
        np.concatenate([decision.reason for *_, decision, _ in ends])[order],
        np.concatenate([decision.mean for *_, decision, _ in ends])[order],
        np.concatenate([decision.sd for *_, decision, _ in ends])[order],
        quantile(beliefs, table.nodes, SHARES),
        level_probabilities(beliefs, table.nodes, table.cuts),
    )


def _joined(parts: list[_Part]) -> _Part:
    longest = max(part.items.shape[1] for part in parts)
    joined = []
    for name, arrays in zip(_Part._fields, zip(*parts, strict=True), strict=True):
        if name in _PADDING:
            width = ((0, 0), (0, longest))
            padded = [np.pad(a, width, constant_values=_PADDING[name])[:, :longest] for a in arrays]
            joined.append(np.concatenate(padded))
        else:
            joined.append(np.concatenate(arrays))
    return _Part(*joined)
