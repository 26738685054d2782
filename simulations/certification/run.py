"""Drive candidates through positioning, certification and assessment, chunk by chunk."""

from collections.abc import Sequence
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from engine.adaptive import Design, posterior, replay
from engine.arrays import Bools, Floats, Ints
from engine.assessment import Profile, assess
from engine.belief import mean, sd
from engine.certification import Eligibility
from engine.errors import DesignError
from engine.responses import NONE, NOT_REACHED
from engine.table import Table
from simulations.certification.kinds import Kind, kind_of
from simulations.certification.profile import Positioned, evidence_of, positioned
from simulations.certification.sitting import Test, sit
from simulations.cluster import results_of
from simulations.learners import Learners, draw
from simulations.progress import Advance

CHUNK = 200
"""Learners who go through the engine together."""


class Positioning(NamedTuple):
    """The test that gives the profile."""

    design: Design
    table: Table
    allowed: Bools | None


class Tests(NamedTuple):
    """Tests of m candidates, at most L items long, and what was said of them."""

    items: Ints  # (m, L) rows replied to, NONE elsewhere
    seen: Ints  # (m, L) rows that the positioning asked
    asked: Ints  # (m, L) rows asked, what the end cut off included
    responses: Ints  # (m, L)
    seconds: Floats  # (m, L)
    relaxed: Ints  # (m, L) flags of Softness
    end: Ints  # (m,) codes of End
    used: Floats  # (m,) seconds
    replies: Ints  # (m,)
    level: Ints  # (m, C) certified
    status: Ints  # (m, C) codes of Status
    mean: Floats  # (m, C) posterior of the certification alone
    sd: Floats  # (m, C)
    answered: Ints  # (m, C)
    answered_share: Floats  # (m,)
    outcome: Ints  # (m,) codes of Outcome
    reasons: Ints  # (m,) bits of OutcomeReason
    person_fit: Floats  # (m,) p-values
    sincerity: Floats  # (m,)
    sincerity_by_competence: Floats  # (m, C) adjusted by Holm
    too_fast: Floats  # (m,)
    times: Floats  # (m,)


class Candidates(NamedTuple):
    """n learners, and the tests of the m among them who were eligible."""

    seeds: Ints  # (n,)
    abilities: Floats  # (n, C) their own
    kind: Ints  # (n,) places
    levels: Ints  # (n, C) of the profile
    eligibility: Eligibility  # of n learners
    sat: Ints  # (m,) rows of those who sat, increasing
    tests: Tests
    duration: float  # seconds that the simulation took


class _Shared(NamedTuple):
    positioning: Positioning
    test: Test
    kinds: tuple[Kind, ...]
    learners: Learners
    kind: Ints


class _Chunk(NamedTuple):
    levels: Ints
    eligibility: Eligibility
    sat: Ints
    tests: Tests | None


def candidates(
    positioning: Positioning,
    test: Test,
    kinds: Sequence[Kind],
    learners: int,
    seed: int,
    jobs: int = 1,
    advance: Advance | None = None,
) -> Candidates:
    """Simulate learners of several kinds.

    Parameters
    ----------
    positioning : Positioning
    test : Test
    kinds : sequence of Kind
    learners, seed, jobs : int
    advance : callable, optional
        Told how many more learners are done.

    Returns
    -------
    Candidates
        The same whatever the number of jobs.
    """
    started = perf_counter()
    drawn = draw(positioning.design.latent, learners, seed)
    kind = kind_of(kinds, drawn.seeds)
    tasks = [
        rows[start : start + CHUNK]
        for rows in (np.flatnonzero(kind == place) for place in range(len(kinds)))
        for start in range(0, rows.size, CHUNK)
    ]
    shared = _Shared(positioning, test, tuple(kinds), drawn, kind)
    sizes = iter(tasks)

    def done(count: int) -> None:
        if advance is not None:
            advance(sum(next(sizes).size for _ in range(count)))

    chunks = results_of(_chunk, shared, tasks, jobs=jobs, advance=done)
    return _joined(drawn, kind, tasks, chunks, started)


def _chunk(shared: _Shared, rows: Ints) -> _Chunk:
    positioning, test = shared.positioning, shared.test
    kind = shared.kinds[int(shared.kind[rows[0]])]
    learners = Learners(shared.learners.seeds[rows], shared.learners.abilities[rows])
    found = positioned(test.rules, positioning.design, positioning.table, kind, learners, positioning.allowed)
    eligible = np.flatnonzero(found.eligibility.eligible)
    tests = None
    if eligible.size:
        own = Learners(learners.seeds[eligible], learners.abilities[eligible])
        tests = _tests(test, kind, own, found.part(eligible))
    return _Chunk(found.levels, found.eligibility, rows[eligible], tests)


def _tests(test: Test, kind: Kind, learners: Learners, found: Positioned) -> Tests:
    design, table = test.design, test.table
    evidence = evidence_of(design, table, found.facts)
    sat = sit(test, kind, learners, found, evidence)
    profile = Profile(found.levels, found.eligibility.certifiable, evidence)
    said = assess(test.rules, design, table, sat.facts, profile, sat.end)
    belief = posterior(design, table, replay(design, table, sat.facts))
    return Tests(
        items=np.where(sat.facts.response == NOT_REACHED, NONE, sat.facts.item),
        seen=found.items,
        asked=sat.facts.item,
        responses=sat.facts.response,
        seconds=sat.facts.seconds,
        relaxed=sat.relaxed,
        end=sat.end,
        used=sat.seconds,
        replies=sat.replies,
        level=said.validation.level,
        status=said.validation.status,
        mean=mean(belief, table.nodes),
        sd=sd(belief, table.nodes),
        answered=said.validation.answered,
        answered_share=said.answered_share,
        outcome=said.outcome,
        reasons=said.reasons,
        person_fit=said.person_fit.p,
        sincerity=said.sincerity.p,
        sincerity_by_competence=said.sincerity.by_competence,
        too_fast=said.too_fast.p,
        times=said.times.p,
    )


_PADDING = {"items": NONE, "seen": NONE, "asked": NONE, "responses": NOT_REACHED, "seconds": np.nan, "relaxed": 0}
"""What stands after the end of the shorter tests."""


def _joined(drawn: Learners, kind: Ints, tasks: Sequence[Ints], chunks: Sequence[_Chunk], started: float) -> Candidates:
    back = np.argsort(np.concatenate(tasks))
    levels = np.concatenate([chunk.levels for chunk in chunks])[back]
    fields = zip(*(chunk.eligibility for chunk in chunks), strict=True)
    found = Eligibility._make(np.concatenate(arrays)[back] for arrays in fields)
    sat = np.concatenate([chunk.sat for chunk in chunks])
    order = np.argsort(sat)
    parts = [chunk.tests for chunk in chunks if chunk.tests is not None]
    if not parts:
        raise DesignError("None of these learners is eligible; simulate more of them, or correct the rules.")
    tests = _tests_joined(parts, order)
    return Candidates(drawn.seeds, drawn.abilities, kind, levels, found, sat[order], tests, perf_counter() - started)


def _tests_joined(parts: Sequence[Tests], order: Ints) -> Tests:
    def joined(name: str) -> Any:
        arrays = [getattr(part, name) for part in parts]
        if name in _PADDING:
            longest = max(array.shape[1] for array in arrays)
            widths = [((0, 0), (0, longest - array.shape[1])) for array in arrays]
            arrays = [
                np.pad(array, width, constant_values=_PADDING[name])
                for array, width in zip(arrays, widths, strict=True)
            ]
        return np.concatenate(arrays)[order]

    return Tests._make(joined(name) for name in Tests._fields)
