"""The state that a run begins with."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from engine import belief
from engine.arrays import Bools, Floats, Ints
from engine.errors import DesignError
from engine.filters import Prefer, Quotas
from engine.picks import SympsonHetter
from engine.responses import NONE
from engine.state import HELD, SEEN, State
from engine.table import Table
from engine.timing import prior

if TYPE_CHECKING:
    from engine.adaptive import Design


def opened(
    design: "Design",
    table: Table,
    batch: tuple[int, ...] = (),
    allowed: Bools | None = None,
    evidence: Floats | None = None,
    reserve: ArrayLike | None = None,
) -> State:
    """State of runs in which nothing was asked yet.

    Parameters are those of :func:`engine.adaptive.begin`.

    Raises
    ------
    DesignError
        When the design does not suit the bank, or the reserve does not suit the design.
    """
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
        _reserve(design, reserve, batch, count),
    )


def _reserve(design: "Design", reserve: ArrayLike | None, batch: tuple[int, ...], count: int) -> Ints:
    """Items held back, without a column where none are: most tests then carry nothing along."""
    if reserve is None:
        return np.zeros((*batch, 0), dtype=np.int8)
    codes = np.asarray(reserve)
    if design.assembly is None:
        raise DesignError("Only a test with a blueprint can hold items back; leave the reserve out.")
    if codes.shape[-1:] != (count,) or not np.isin(codes, (0, HELD, SEEN)).all():
        raise DesignError(f"The reserve needs one code (0, {HELD} or {SEEN}) for each of the {count} items.")
    return np.broadcast_to(codes.astype(np.int8), (*batch, count))
