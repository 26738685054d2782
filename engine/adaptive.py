"""The heart: two pure functions, begin and step, that the HTTP API and the simulator both drive.

Every array is ``(*batch, core)``: batch ``()`` is one live learner, ``(n,)`` a simulation. Read it as: a fact changes
the state; the state makes a situation; the design scores, filters, picks and stops.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from engine.arrays import Bools, Floats, Ints
from engine.assembly import Blueprint, assemble
from engine.errors import DesignError
from engine.filters import Filter, available
from engine.grid import Grid
from engine.latent import Independent, Latent
from engine.opening import opened
from engine.picks import Best, Pick
from engine.responses import NONE, SkipPolicy, skip_policy
from engine.scores import InformationAtMean, Score, VarianceReduction, rank
from engine.situation import Situation
from engine.state import Facts, State, absorb, where
from engine.stopping import MaxLength, Reason, Stop
from engine.table import Table


@dataclass(frozen=True)
class Design:
    """What a test is. It prints, compares, hashes and serialises (:mod:`engine.designs`).

    Parameters
    ----------
    score : Score
        How useful is each item?
    filters : tuple of Filter
        May it be asked? Items asked, not allowed or outside the scope are always removed first.
    pick : Pick
        Which of the good ones?
    stop : Stop
        Enough?
    skip, time_out : {"unknown", "incorrect", "ignored"}
        What a skip and a time-out say: "I do not know" (likelihood 1 - P without guessing), a wrong answer, or nothing.
    grid, latent : Grid, Independent or LatentTree
        Nodes of ability, and how competences hang together.
    scope : tuple of int
        Competences that the test is about; all when empty. The latent structure still informs the others.
    measured_sd : float
        Largest posterior standard deviation with which a competence counts as measured (:mod:`engine.profile`).
    speed_sd : float
        Standard deviation of the learners' speed, in log seconds.
    parameters : {"known", "uncertain"}
        Whether item parameters are taken as true or averaged over their errors (:mod:`engine.uncertain`).
    assembly : Blueprint, optional
        What every full test holds: items are then chosen from the best full test (:mod:`engine.assembly`).

    Examples
    --------
    >>> Design(stop=MaxLength(10)).skip
    'unknown'
    """

    score: Score = InformationAtMean()
    filters: tuple[Filter, ...] = ()
    pick: Pick = Best()
    stop: Stop = MaxLength(30)
    skip: SkipPolicy = "unknown"
    time_out: SkipPolicy = "incorrect"
    grid: Grid = Grid()
    latent: Latent = Independent()
    scope: tuple[int, ...] = ()
    measured_sd: float = 0.6
    speed_sd: float = 0.4
    parameters: Literal["known", "uncertain"] = "known"
    assembly: Blueprint | None = None

    def __post_init__(self) -> None:
        """Refuse a design that no run could follow."""
        count = self.latent.competences
        skip_policy(self.skip)
        skip_policy(self.time_out)
        if self.parameters not in ("known", "uncertain"):
            raise DesignError(f'Item parameters are "known" or "uncertain", not {self.parameters!r}; use one of them.')
        if len(set(self.scope)) != len(self.scope) or not all(0 <= c < count for c in self.scope):
            raise DesignError(f"The scope must name different competences between 0 and {count - 1}.")
        if isinstance(self.score, VarianceReduction) and len(self.score.weights) not in (0, count):
            raise DesignError(f"Give one weight for each of the {count} competences, or none at all.")

    @property
    def competences_in_scope(self) -> tuple[int, ...]:
        """Competences that the test is about."""
        return self.scope or tuple(range(self.latent.competences))


class Decision(NamedTuple):
    """What to do next and what is known now."""

    item: Ints  # (*batch,) row to ask, NONE exactly where done
    done: Bools  # (*batch,)
    reason: Ints  # (*batch,) codes of engine.stopping.Reason
    mean: Floats  # (*batch, C)
    sd: Floats  # (*batch, C)
    relaxed: Ints  # (*batch,) flags of engine.assembly.Softness: constraints that gave way for this item


def begin(
    design: Design,
    table: Table,
    u: ArrayLike,
    batch: tuple[int, ...] = (),
    allowed: Bools | None = None,
    evidence: Floats | None = None,
    reserve: Ints | None = None,
) -> tuple[State, Decision]:
    """Open runs and decide on their first items.

    Parameters
    ----------
    design : Design
    table : Table
        Made for this design by :func:`engine.table.build_table`.
    u : (*batch,) float
        Uniform numbers, :func:`engine.uniform.uniform` at position 0.
    batch : tuple of int
        Shape of the batch; () for one learner.
    allowed : (*batch, I) bool, optional
        Items that may be asked in these runs at all.
    evidence : (*batch, C, G) float, optional
        Log-likelihood of what is known from before.
    reserve : (*batch, I) int, optional
        Items that a blueprint holds back as long as it can: 0, or a code of :mod:`engine.state`.

    Returns
    -------
    state, decision : State, Decision
    """
    state = opened(design, table, batch, allowed, evidence, reserve)
    return state, decide(design, table, state, u)


def step(
    design: Design, table: Table, state: State, item: ArrayLike, response: ArrayLike, seconds: ArrayLike, u: ArrayLike
) -> tuple[State, Decision]:
    """Take answers in and decide on the next items.

    Parameters
    ----------
    design, table, state
        As :func:`begin` took and gave them.
    item : (*batch,) int
        Rows of the items answered.
    response : (*batch,) int
        Categories, or a code of :mod:`engine.responses`.
    seconds : (*batch,) float
        Time spent; NaN when it was not measured.
    u : (*batch,) float
        Uniform numbers, :func:`engine.uniform.uniform` at the number of answers given, this one included.

    Returns
    -------
    state, decision : State, Decision

    Raises
    ------
    ResponseError
        When an item or a category does not exist.
    """
    answered = absorb(table, state, item, response, seconds)
    return answered, decide(design, table, answered, u)


def replay(
    design: Design,
    table: Table,
    facts: Facts,
    allowed: Bools | None = None,
    evidence: Floats | None = None,
    reserve: Ints | None = None,
) -> State:
    """State that facts lead to, without deciding anything on the way.

    Parameters
    ----------
    design, table, allowed, evidence, reserve
        As for :func:`begin`.
    facts : Facts
        Items, responses and seconds, (*batch, L).

    Returns
    -------
    State
        The same as begin and one step for each fact give.
    """
    items, responses, seconds = (np.asarray(field) for field in facts)
    state = opened(design, table, items.shape[:-1], allowed, evidence, reserve)
    for place in range(items.shape[-1]):
        item = items[..., place]
        given = item != NONE
        after = absorb(table, state, np.where(given, item, 0), responses[..., place], seconds[..., place])
        state = after if given.all() else where(given, after, state)
    return state


def decide(design: Design, table: Table, state: State, u: ArrayLike) -> Decision:
    """Decide on the next items from the states alone.

    Parameters and returns are those of :func:`step`.
    """
    situation = Situation(table, state, design.score, design.competences_in_scope)
    reason = design.stop(situation)
    relaxed = np.zeros(reason.shape, dtype=np.int64)
    if reason.all():
        item = np.full(reason.shape, NONE)
    else:
        open_, nothing = available(design.filters, situation), np.asarray(int(Reason.NOTHING_LEFT))
        if design.assembly is not None:
            shadow = assemble(design.assembly, situation, open_ & (reason == Reason.GO_ON)[..., None])
            open_, relaxed = shadow.items, shadow.relaxed
            nothing = np.where(shadow.late, int(Reason.OUT_OF_TIME), nothing)
        item = design.pick(rank(situation, open_, design.pick.depth), np.asarray(u, dtype=np.float64))
        reason = np.where((reason == Reason.GO_ON) & (item == NONE), nothing, reason)
    done = reason != Reason.GO_ON
    return Decision(np.where(done, NONE, item), done, reason, situation.mean, situation.sd, relaxed)


def posterior(design: Design, table: Table, state: State) -> Floats:
    """Posterior of every competence on the grid, (*batch, C, G)."""
    return Situation(table, state, design.score, design.competences_in_scope).posterior
