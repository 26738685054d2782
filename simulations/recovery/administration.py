"""Who answers which items: complete, random, booklets, or chosen by an adaptive test."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.adaptive import Design
from engine.arrays import Ints
from engine.errors import SettingError
from engine.grid import Grid
from engine.responses import NONE, NOT_REACHED, SkipPolicy
from engine.stopping import MaxLength
from engine.table import Table
from engine.uniform import derive, uniform
from itembank.positioning import positioning_design
from simulations.behaviours import Behaviour, Question, reply
from simulations.learners import Learners
from simulations.recovery.truth import Truth
from simulations.rules import pick_named, score_named
from simulations.run import simulate

DESIGNS: Final = ("complete", "random", "booklets", "adaptive")
BOOKLETS: Final = 6
"""Booklets when nobody says how many; a learner gets two blocks of items."""
_ORDER: Final = 2**41 + 1
"""Stream of the numbers that say which items a learner gets."""
_TOGETHER: Final = 2000
"""Learners whose items are drawn together."""

Answers = NDArray[np.int8]


@dataclass(frozen=True)
class Complete:
    """Everybody answers everything."""

    def items(self, seeds: Ints, count: int) -> Ints:
        """Rows of the items of each learner, (n, A)."""
        return np.broadcast_to(np.arange(count), (seeds.size, count))


@dataclass(frozen=True)
class AtRandom:
    """Everybody answers so many items, drawn for each learner anew."""

    answers: int

    def items(self, seeds: Ints, count: int) -> Ints:
        """Rows of the items of each learner, (n, A)."""
        found = np.empty((seeds.size, self.answers), dtype=np.int64)
        for start in range(0, seeds.size, _TOGETHER):
            drawn = uniform(derive(seeds[start : start + _TOGETHER], _ORDER)[:, None], np.arange(count))
            found[start : start + _TOGETHER] = np.sort(np.argsort(drawn, axis=1)[:, : self.answers], axis=1)
        return found


@dataclass(frozen=True)
class Booklets:
    """Items are dealt to blocks in turn; booklet k is made of blocks k, k + 1, ... and learners get booklets in turn.

    Neighbouring booklets have blocks in common, and each item is in as many booklets as any other.

    Parameters
    ----------
    booklets : int
        As many as there are blocks.
    blocks : int
        In one booklet.
    """

    booklets: int
    blocks: int = 2

    def items(self, seeds: Ints, count: int) -> Ints:
        """Rows of the items of each learner, (n, A); NONE at the end of the shorter booklets."""
        row = np.arange(count)
        books = [
            row[np.isin(row % self.booklets, (np.arange(self.blocks) + first) % self.booklets)]
            for first in range(self.booklets)
        ]
        longest = max(book.size for book in books)
        padded = np.array([np.pad(book, (0, longest - book.size), constant_values=NONE) for book in books])
        return padded[np.arange(seeds.size) % self.booklets]


@dataclass(frozen=True)
class Adaptive:
    """An adaptive test picks the items, knowing the true parameters."""

    design: Design


Administration = Complete | AtRandom | Booklets | Adaptive


def administration_named(
    name: str | None,
    truth: Truth,
    answers: int | None = None,
    booklets: int | None = None,
    skip: SkipPolicy = "unknown",
    score: str = "information",
    pick: str = "top-k",
    k: int = 5,
) -> Administration:
    """Administration of a name.

    Parameters
    ----------
    name : {"complete", "random", "booklets", "adaptive"}, optional
        Without one: booklets when their number is given, random when the number of answers is, else complete.
    truth : Truth
    answers : int, optional
        Items that each learner is asked; half of them when left out (random), two blocks (booklets), or 20 (adaptive).
    booklets : int, optional
    skip, score, pick, k
        Of an adaptive test of one competence. A whole bank is tested by its positioning.

    Raises
    ------
    SettingError
        When the name is unknown or the numbers do not go with it.
    """
    count = len(truth)
    kind = name or ("booklets" if booklets is not None else "complete" if answers is None else "random")
    if kind not in DESIGNS:
        raise SettingError(f"There is no response design {kind!r}; use {', '.join(DESIGNS)}.")
    if answers is not None and not 1 <= answers <= count:
        raise SettingError(f"A learner cannot answer {answers} of {count} items; use 1 to {count}.")
    if booklets is not None and (kind != "booklets" or not 2 <= booklets <= count):
        raise SettingError(f"Booklets go with the design booklets, from 2 to {count} of them, not {booklets}.")
    if kind == "complete":
        if answers not in (None, count):
            raise SettingError("In a complete design every learner answers all items; leave the number of answers out.")
        return Complete()
    if kind == "random":
        return AtRandom(answers or max(1, count // 2))
    if kind == "booklets":
        number = booklets or min(BOOKLETS, count)
        blocks = min(2, number) if answers is None else round(answers * number / count)
        return Booklets(number, max(1, min(number, blocks)))
    length = answers or min(20, count)
    if truth.framework is not None:
        return Adaptive(replace(positioning_design(truth.framework, length=answers), skip=skip))
    return Adaptive(
        Design(
            score=score_named(score),
            pick=pick_named(pick, k),
            stop=MaxLength(length),
            skip=skip,
            grid=Grid(-4.5, 4.5, 46),
        )
    )


def table_for(administration: Administration, truth: Truth) -> Table:
    """Items as the behaviours, and the adaptive test, need them."""
    if isinstance(administration, Adaptive):
        return truth.table(administration.design)
    return truth.table(Design(latent=truth.latent))


def responses_of(
    administration: Administration, table: Table, learners: Learners, behaviours: tuple[Behaviour, ...]
) -> Answers:
    """Responses of N learners to I items, (N, I): categories and codes, NOT_REACHED where an item was not asked."""
    count = len(table.parameters)
    found = np.full((len(learners), count), NOT_REACHED, dtype=np.int8)
    if isinstance(administration, Adaptive):
        result = simulate(administration.design, table, learners, behaviours)
        who, place = np.nonzero(result.items != NONE)
        found[who, result.items[who, place]] = result.responses[who, place]
        return found
    items = administration.items(learners.seeds, count)
    for at in range(items.shape[1]):
        who = np.flatnonzero(items[:, at] != NONE)
        item = items[who, at]
        ability = learners.abilities[who, table.competence[item]]
        found[who, item] = reply(behaviours, Question(table, learners.seeds[who], ability, item, at)).response
    return found
