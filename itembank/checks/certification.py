"""Findings about a certification: the proof, before a session opens, that the bank can serve its test to everybody.

Full tests are put together by the very code that serves them (:func:`engine.assembly.assemble` on runs opened by
:func:`engine.adaptive.begin`): of every competence alone, of the smallest set of competences that a candidate may bring
(the poorest ones), and of all. What must give way is named.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import inf
from typing import Final

import numpy as np

from engine.adaptive import Design, begin
from engine.arrays import Bools, Floats, Ints
from engine.assembly import Shadow, Softness, assemble, full_length
from engine.certification import CertificationDesign
from engine.errors import BankError
from engine.filters import available
from engine.situation import Situation
from engine.table import Table
from itembank.bank import ItemBank
from itembank.certification import test_design
from itembank.checks.finding import Finding, Severity
from itembank.items import FLAGS
from itembank.snapshot import Snapshot

SLOW: Final = 1.0
"""How slow a candidate is for whom the time must suffice: standard deviations of speed below the mean."""

EXTRA_TIMES: Final = (0.0, 1 / 3)
"""Shares of extra time for which a bank is checked: none, and the usual third."""

ACCOMMODATIONS: Final = ((), *((flag,) for flag in FLAGS), FLAGS)
"""Flags for which a bank is checked: none, each, and all together."""


def certification_findings(bank: ItemBank, rules: CertificationDesign) -> Iterator[Finding]:
    """Look for candidates whom the bank cannot serve a certification, for each locale and accommodation.

    Parameters
    ----------
    bank : ItemBank
    rules : CertificationDesign

    Yields
    ------
    Finding
        Each once, none when the bank can serve every candidate.
    """
    for locale in sorted({item.locale for item in bank.items} or {"fr"}):
        try:
            snapshot = Snapshot.of(bank, locale)
        except BankError as error:
            yield Finding(Severity.ERROR, f"certification ({locale})", str(error))
            continue
        found = (
            finding
            for accessible in ACCOMMODATIONS
            for extra_time in EXTRA_TIMES
            for finding in feasibility(snapshot, rules, accessible, extra_time)
        )
        yield from dict.fromkeys(found)


def feasibility(
    snapshot: Snapshot,
    rules: CertificationDesign,
    accessible: Sequence[str] = (),
    extra_time: float = 0.0,
    competences: Sequence[str] | None = None,
) -> tuple[Finding, ...]:
    """Prove that a snapshot can serve the test to candidates with these accommodations, or say what fails.

    Parameters
    ----------
    snapshot : Snapshot
    rules : CertificationDesign
    accessible : names of flags
    extra_time : float
        Share of the time of the test that is added, e.g. 1/3.
    competences : codes, optional
        Certifiable competences of one candidate; when left out, whatever a candidate may bring is proved.

    Returns
    -------
    tuple of Finding
        Empty when every minimum and the whole length can be met. An error means that a constraint would give way or
        that the test is too short to count; a warning, that it would be shorter than meant.
    """
    framework = snapshot.framework
    codes = framework.codes if competences is None else tuple(competences)
    rows = tuple(framework.index(code) for code in dict.fromkeys(codes))
    proof = _proof(snapshot, rules, accessible, extra_time)
    if len(rows) > proof.design.assembly.longest // rules.least:
        return (
            proof.error(
                f"a test about {len(rows)} competences needs {rules.least} items of each and has {rules.longest} at "
                "most; lengthen it or lower the minimum"
            ),
        )
    alone = proof.shadows([(row,) for row in rows])
    room = alone.items.sum(axis=-1)
    poor = {
        row: proof.poverty(row)
        for row, items, relaxed in zip(rows, room.tolist(), alone.relaxed.tolist(), strict=True)
        if relaxed or items < rules.least
    }
    if poor:
        return tuple(proof.error(sentence) for sentence in poor.values())
    scopes = [rows]
    if competences is None and rules.reached < len(rows):
        scopes.append(tuple(sorted(np.array(rows)[np.argsort(room, kind="stable")[: rules.reached]].tolist())))
    return tuple(finding for scope in scopes for finding in _whole(proof, scope))


@dataclass(frozen=True)
class _Proof:
    """Tests of some candidates, put together as a run would."""

    snapshot: Snapshot
    rules: CertificationDesign
    design: Design
    table: Table
    pool: Bools
    """Items that suit these candidates, (I,)."""
    who: str

    def shadows(self, scopes: Sequence[Sequence[int]], slow: float = 0.0, seconds: float | None = None) -> Shadow:
        """Full tests about each of some sets of competences, at a pace ``slow`` standard deviations below the mean."""
        about = np.stack([self.pool & np.isin(self.table.competence, scope) for scope in scopes])
        design = self.design
        if seconds is not None:
            design = replace(design, assembly=replace(design.assembly, seconds=seconds))
        state, _ = begin(design, self.table, np.zeros(len(scopes)), (len(scopes),), allowed=about)
        speed = state.speed.copy()
        speed[..., 1] = -slow * design.speed_sd * speed[..., 0]
        situation = Situation(self.table, state._replace(speed=speed), design.score, design.competences_in_scope)
        return assemble(design.assembly, situation, available(design.filters, situation))

    def poverty(self, row: int) -> str:
        """Say why the minimum of a competence cannot be met."""
        code, least = self.snapshot.framework.codes[row], self.rules.least
        items = np.flatnonzero(self.pool & (self.table.competence == row))
        topics = np.unique(self.table.topic[items]).size
        needs = f"and the test needs {least} there; write items or lower the minimum"
        if items.size < least:
            return f"competence {code} has {_counted(items.size, 'item')} for {self.who} {needs}"
        if topics < least:
            return f"competence {code} has items on {_counted(topics, 'topic')} for {self.who} {needs}, one of each topic"
        friendly = next(size for size in range(least - 1, -1, -1) if self._peaceful(items, size))
        if friendly < least - 1 or not self._in_time(row):
            pass
        return (
            f"competence {code} has {_counted(friendly, 'topic')} without enemies for {self.who} {needs}; "
        )
