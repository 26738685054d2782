"""Findings about a certification: the proof, before a session opens, that the bank can serve its test to everybody.

Full tests are put together by the very code that serves them (:func:`engine.assembly.assemble` on runs opened by
:func:`engine.adaptive.begin`): of every competence alone, of the smallest set of competences that a candidate may bring
(the poorest ones), and of all. What must give way is named.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np

from engine.adaptive import Design, begin
from engine.arrays import Bools, Ints
from engine.assembly import Blueprint, Shadow, assemble
from engine.certification import CertificationDesign
from engine.errors import BankError
from engine.filters import available
from engine.situation import Situation
from engine.table import Table
from itembank.bank import ItemBank
from itembank.certification import certification_test
from itembank.checks.finding import Finding, Severity
from itembank.items import FLAGS
from itembank.snapshot import Snapshot

SLOW: Final = 1.0
"""How slow a candidate is for whom the time must suffice: standard deviations of speed below the mean."""

UNHURRIED: Final = 1e9
"""Seconds in which everything fits."""

EXTRA_TIMES: Final = (0.0, 1 / 3)
"""Shares of extra time for which a bank is checked: none, and the usual third."""

ACCOMMODATIONS: Final = ((), *((flag,) for flag in FLAGS), FLAGS)
"""Flags for which a bank is checked: none, each, and all together."""


@dataclass(frozen=True)
class Proved:
    """What was found for the candidates of one locale, accommodation and extra time."""

    locale: str
    accessible: tuple[str, ...]
    extra_time: float
    """Share of the time of the test."""
    findings: tuple[Finding, ...]

    def __str__(self) -> str:
        """Return a line for people.

        >>> print(Proved("fr", ("blind",), 1 / 3, ()))
        certification (fr), items for blind, 33 % more time: possible
        """
        items = f"items for {' and '.join(self.accessible)}" if self.accessible else "all items"
        lacks = "not possible" if any(one.severity is Severity.ERROR for one in self.findings) else "shorter than meant"
        said = lacks if self.findings else "possible"
        return f"certification ({self.locale}), {items}, {self.extra_time:.0%} more time: {said}".replace("%", " %")


def certification_proofs(bank: ItemBank, rules: CertificationDesign) -> Iterator[Proved]:
    """Look for candidates whom the bank cannot serve a certification, for each locale and accommodation.

    Parameters
    ----------
    bank : ItemBank
    rules : CertificationDesign

    Yields
    ------
    Proved
        One for each locale, accommodation and extra time.
    """
    for locale in sorted({item.locale for item in bank.items} or {"fr"}):
        try:
            snapshot = Snapshot.of(bank, locale)
        except BankError as error:
            yield Proved(locale, (), 0.0, (Finding(Severity.ERROR, f"certification ({locale})", str(error)),))
            continue
        for accessible in ACCOMMODATIONS:
            for extra_time in EXTRA_TIMES:
                found = feasibility(snapshot, rules, accessible, extra_time)
                yield Proved(locale, tuple(accessible), extra_time, found)


def failing(proofs: Iterable[Proved]) -> list[Finding]:
    """Return what fails in some proofs, each finding once."""
    return list(dict.fromkeys(finding for proved in proofs for finding in proved.findings))


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
    if rules.least * len(rows) > rules.longest:
        return (
            proof.error(
                f"a test about {_counted(len(rows), 'competence')} needs {rules.least} items of each and has "
                f"{rules.longest} at most; lengthen it or lower the minimum"
            ),
        )
    poor = [sentence for row in rows if (sentence := proof.poverty(row)) is not None]
    if poor:
        return tuple(proof.error(sentence) for sentence in poor)
    alone = proof.shadows([(row,) for row in rows])
    room = np.count_nonzero(alone.items, axis=-1)
    hurried = np.flatnonzero((alone.relaxed != 0) | (room < rules.least))
    if hurried.size:
        return tuple(proof.error(proof.hurry(rows[place])) for place in hurried)
    scopes = [rows]
    if competences is None and rules.reached < len(rows):
        poorest = np.sort(np.argsort(room, kind="stable")[: rules.reached])
        scopes.append(tuple(rows[place] for place in poorest))
    return tuple(finding for scope in scopes for finding in proof.lacks(scope))


@dataclass(frozen=True)
class _Proof:
    """Tests of some candidates, put together as their runs would."""

    snapshot: Snapshot
    rules: CertificationDesign
    design: Design
    blueprint: Blueprint
    table: Table
    pool: Bools
    """Items that suit these candidates, (I,)."""
    who: str
    where: str

    def shadows(self, scopes: Sequence[Sequence[int]], slow: float = 0.0, seconds: float | None = None) -> Shadow:
        """Full tests about each of some sets of competences, ``slow`` standard deviations below the mean speed."""
        about = np.stack([self.pool & np.isin(self.table.competence, scope) for scope in scopes])
        blueprint = self.blueprint if seconds is None else replace(self.blueprint, seconds=seconds)
        design = replace(self.design, assembly=blueprint)
        state, _ = begin(design, self.table, np.zeros(len(scopes)), (len(scopes),), allowed=about)
        speed = state.speed.copy()
        speed[..., 1] = -slow * design.speed_sd * speed[..., 0]
        situation = Situation(self.table, state._replace(speed=speed), design.score, design.competences_in_scope)
        return assemble(blueprint, situation, available(design.filters, situation))

    def poverty(self, row: int) -> str | None:
        """Say why the minimum of a competence cannot be met, None when it can if there is time."""
        code, least = self.snapshot.framework.codes[row], self.rules.least
        items = np.flatnonzero(self.pool & (self.table.competence == row))
        topics = int(np.unique(self.table.topic[items]).size)
        needs = f"and the test needs {_counted(least, 'item')} there; write items or lower the minimum"
        if items.size < least:
            return f"competence {code} has {_counted(items.size, 'item')} for {self.who} {needs}"
        if topics < least:
            return f"competence {code} has {_counted(topics, 'topic')} with items for {self.who} {needs}"
        peaceful = max(size for size in range(least + 1) if self._at_peace(items, size))
        if peaceful < least:
            return f"competence {code} has {_counted(peaceful, 'topic')} without enemies for {self.who} {needs}"
        return None

    def hurry(self, row: int) -> str:
        """Say that the minimum of a competence takes too long."""
        return (
            f"{_counted(self.rules.least, 'item')} of competence {self.snapshot.framework.codes[row]} take more than "
            f"{self._minutes} for {self.who}; give more time or lower the minimum"
        )

    def _at_peace(self, items: Ints, wanted: int) -> bool:
        """Whether so many of these items go together: of different topics, and no enemies."""
        if wanted == 0:
            return True
        for place, item in enumerate(items.tolist()):
            rest = items[place + 1 :]
            friends = rest[(self.table.topic[rest] != self.table.topic[item]) & ~self._enemies[item, rest]]
            if self._at_peace(friends, wanted - 1):
                return True
        return False

    @cached_property
    def _enemies(self) -> Bools:
        """Whether two items are enemies, (I, I)."""
        matrix = np.zeros((len(self.snapshot), len(self.snapshot)), dtype=bool)
        for one, other in self.snapshot.enemies:
            matrix[one, other] = matrix[other, one] = True
        return matrix

    @property
    def _minutes(self) -> str:
        return _counted(round(self.blueprint.seconds / 60), "minute")

    def lacks(self, scope: tuple[int, ...]) -> Iterator[Finding]:
        """Look at the full test about some competences, for a slow candidate."""
        rules, codes = self.rules, self.snapshot.framework.codes
        wanted, each = min(rules.longest, rules.each * len(scope)), _counted(rules.least, "item")
        slow = self.shadows([scope], SLOW)
        count = int(np.count_nonzero(slow.items))
        if slow.relaxed[0] == 0 and count >= wanted:
            return
        calm = self.shadows([scope], seconds=UNHURRIED)
        possible = int(np.count_nonzero(calm.items))
        about = f"a test about {_counted(len(scope), 'competence')}"
        if len(scope) < len(codes):
            about += f" ({', '.join(codes[row] for row in scope)})"
        if calm.relaxed[0]:
            yield self.error(
                f"{about} cannot hold {each} of each for {self.who}, for enemies in different competences exclude "
                "each other; write items or lower the minimum"
            )
        elif slow.relaxed[0]:
            yield self.error(
                f"{about} cannot hold {each} of each within {self._minutes} for {self.who} who are slow; give more "
                "time or lower the minimum"
            )
        if possible < wanted:
            yield self.short(
                possible / wanted,
                f"{about} has {_counted(wanted, 'item')} and the bank can give {possible} to {self.who}, on topics of "
                "their own and without enemies; write items or shorten it",
            )
        if count < possible:
            yield self.short(
                count / wanted,
                f"{about} has {_counted(wanted, 'item')} and the best one within {self._minutes} for {self.who} who "
                f"are slow has {count}; give more time, or shorten it",
            )

    def error(self, sentence: str) -> Finding:
        """Something must give way."""
        return Finding(Severity.ERROR, self.where, f"{sentence[0].upper()}{sentence[1:]}.")

    def short(self, share: float, sentence: str) -> Finding:
        """Warn that tests are shorter than meant; it is an error where that share of a full test does not count."""
        found = self.error(sentence)
        return found if share < self.rules.complete else replace(found, severity=Severity.WARNING)


def _proof(snapshot: Snapshot, rules: CertificationDesign, accessible: Sequence[str], extra_time: float) -> _Proof:
    design = certification_test(rules, snapshot.framework, rules.limit(extra_time))
    assert design.assembly is not None
    flags = [flag for flag in FLAGS if flag in accessible]
    return _Proof(
        snapshot,
        rules,
        design,
        design.assembly,
        snapshot.table(design),
        snapshot.allowed(accessible),
        f"{' and '.join(flag.replace('_', '-') for flag in flags)} candidates" if flags else "candidates",
        f"certification ({', '.join((snapshot.locale, *flags))})",
    )


def _counted(count: int, what: str) -> str:
    """Say how many: no item, 1 item, 2 items."""
    return f"{count or 'no'} {what}{'' if count < 2 else 's'}"
