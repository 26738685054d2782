"""The heart: two pure functions, begin and step, that the HTTP API and the simulator both drive.

Every array is ``(*batch, core)``: batch ``()`` is one live learner, ``(n,)`` a simulation. Read it as: a fact changes
the state; the state makes a situation; the design scores, filters, picks and stops.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from engine import belief
from engine.arrays import Bools, Floats, Ints
from engine.errors import DesignError
from engine.filters import Filter, Prefer, Quotas, available
from engine.grid import Grid
from engine.latent import Independent, Latent
from engine.picks import Best, Pick, SympsonHetter
from engine.responses import NONE, SkipPolicy, skip_policy
from engine.scores import InformationAtMean, Score, VarianceReduction, rank
from engine.situation import Situation
from engine.state import Facts, State, absorb
from engine.stopping import MaxLength, Reason, Stop
from engine.table import Table
from engine.timing import prior


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


def begin(
    design: Design,
    table: Table,
    u: ArrayLike,
    batch: tuple[int, ...] = (),
    allowed: Bools | None = None,
    evidence: Floats | None = None,
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

    Returns
    -------
    state, decision : State, Decision
    """
    state = _start(design, table, batch, allowed, evidence)
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
    design: Design, table: Table, facts: Facts, allowed: Bools | None = None, evidence: Floats | None = None
) -> State:
    """State that facts lead to, without deciding anything on the way.

    Parameters
    ----------
    design, table, allowed, evidence
        As for :func:`begin`.
    facts : Facts
        Items, responses and seconds, (*batch, L).

    Returns
    -------
    State
        The same as begin and one step for each fact give.
    """
    items, responses, seconds = (np.asarray(field) for field in facts)
    batch = items.shape[:-1]
    state = _start(design, table, batch, allowed, evidence)
    for place in range(items.shape[-1]):
        item = items[..., place]
        given = item != NONE
        after = absorb(table, state, np.where(given, item, 0), responses[..., place], seconds[..., place])
        if not given.all():
            after = State(
                *(
                    np.where(given.reshape(*batch, *[1] * (new.ndim - len(batch))), new, old)
                    for new, old in zip(after, state, strict=True)
                )
            )
        state = after
    return state


def decide(design: Design, table: Table, state: State, u: ArrayLike) -> Decision:
    """Decide on the next items from the states alone.

    Parameters and returns are those of :func:`step`.
    """
    situation = Situation(table, state, design.score, design.competences_in_scope)
    reason = design.stop(situation)
    if reason.all():
        item = np.full(reason.shape, NONE)
    else:
        open_ = available(design.filters, situation)
        item = design.pick(rank(situation, open_, design.pick.depth), np.asarray(u, dtype=np.float64))
        reason = np.where((reason == Reason.GO_ON) & (item == NONE), int(Reason.NOTHING_LEFT), reason)
    done = reason != Reason.GO_ON
    return Decision(np.where(done, NONE, item), done, reason, situation.mean, situation.sd)


def posterior(design: Design, table: Table, state: State) -> Floats:
    """Posterior of every competence on the grid, (*batch, C, G)."""
    return Situation(table, state, design.score, design.competences_in_scope).posterior


def _start(
    design: Design, table: Table, batch: tuple[int, ...], allowed: Bools | None, evidence: Floats | None
) -> State:
    count, nodes, competences = table.competence.size, table.nodes.size, design.latent.competences
    if isinstance(design.pick, SympsonHetter) and len(design.pick.exposure) != count:
        raise DesignError(
            f"The design has {len(design.pick.exposure)} exposure parameters for {count} items; fit them again."
        )
    for rule in design.filters:
        quotas = rule.filter if isinstance(rule, Prefer) else rule
        if isinstance(quotas, Quotas) and len(quotas.minimum) != competences:
            raise DesignError(f"Quotas need one minimum and one maximum for each of the {competences} competences.")
    scope = np.isin(table.competence, design.competences_in_scope)
    may = np.broadcast_to(scope if allowed is None else np.asarray(allowed, dtype=bool) & scope, (*batch, count))
    known = np.zeros((*batch, competences, nodes))
    if evidence is not None:
        known = belief.update(known, np.asarray(evidence))
    none = np.full(batch, NONE)
    return State(
        known,
        np.zeros((*batch, count), dtype=bool),
        may,
        np.zeros(batch, dtype=np.int64),
        np.zeros(batch),
        none,
        none,
        prior(design.speed_sd, batch),
    )
