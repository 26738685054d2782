"""Retaking: what earlier runs say about a learner when a new run begins.

The answers of every earlier finished run count, tempered by their age: the log-likelihood of a run that ended ``age``
days ago is multiplied by ``0.5 ** (age / half_life_days)``, a power prior (Ibrahim and Chen 2000). Each run brings its
own answers only, never what it took itself from still earlier ones, so nothing counts twice. Items answered in the last
finished runs are left out of the new one, competence by competence, as long as enough others remain. Weights and
left-out items are stored in the new run, which can so be replayed exactly.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import Connection

from api.runs.facts import Fact, Run, response_of
from api.runs.pinned import Bank, PinnedTest, Pins
from api.runs.repository import replies_of, run_of
from engine.adaptive import replay
from engine.arrays import Bools, Floats
from engine.state import Facts


@dataclass(frozen=True)
class Retaking:
    """The rule by which earlier runs count.

    Parameters
    ----------
    half_life_days : float
        Age at which answers count half.
    least_weight : float
        Runs that would count less are left out.
    fresh_runs : int
        Number of last finished runs whose items are not asked again.
    least_items : int
        Items that must remain in a competence, or those items are asked again after all.
    """

    half_life_days: float = 180.0
    least_weight: float = 0.01
    fresh_runs: int = 2
    least_items: int = 8

    def weights(self, finished: Sequence[Run], at: datetime) -> tuple[tuple[str, float], ...]:
        """Return the id and the weight of each earlier run that counts."""
        pairs = ((run.id, self._weight(run, at)) for run in finished)
        return tuple((run_id, weight) for run_id, weight in pairs if weight >= self.least_weight)

    def excluded(self, bank: Bank, allowed: Bools, latest: Sequence[Sequence[str]]) -> tuple[str, ...]:
        """Return the items to leave out.

        Parameters
        ----------
        bank : Bank
            What the new run may ask.
        allowed : (I,) bool
            Items of it that suit the learner and the competences in scope.
        latest : sequence of sequences of item ids
            What was answered in each earlier finished run, the latest run first.
        """
        seen = np.isin(bank.snapshot.ids, [item for items in latest[: self.fresh_runs] for item in items])
        out = np.zeros(len(bank.snapshot), dtype=bool)
        for competence in np.unique(bank.snapshot.competence[allowed & seen]):
            here = allowed & (bank.snapshot.competence == competence)
            if np.count_nonzero(here & ~seen) >= self.least_items:
                out |= here & seen
        return tuple(bank.snapshot.ids[row] for row in np.flatnonzero(out))

    def _weight(self, run: Run, at: datetime) -> float:
        assert run.finished_at is not None
        age = max((at - run.finished_at) / timedelta(days=1), 0.0)
        return float(0.5 ** (age / self.half_life_days))


def engine_facts(bank: Bank, replies: Sequence[Fact]) -> Facts:
    """Write L replies as the engine reads them: item rows, response codes and seconds, (L,) each."""
    return Facts(
        np.array([bank.snapshot.row(fact.item or "") for fact in replies], dtype=np.int64),
        np.array([response_of(fact) for fact in replies], dtype=np.int64),
        np.array([fact.seconds for fact in replies], dtype=np.float64),
    )


def evidence(
    connection: Connection, pins: Pins, test: PinnedTest, earlier: Sequence[tuple[str, float]]
) -> Floats | None:
    """Tempered log-likelihood of the earlier runs' own answers under the new run's design, (C, G); None without any."""
    if not earlier:
        return None
    replies = replies_of(connection, [run_id for run_id, _ in earlier])
    total = np.zeros((test.design.latent.competences, test.table.nodes.size))
    for run_id, weight in earlier:
        run = run_of(connection, run_id)
        assert run is not None
        bank = pins.pinned_bank(connection, run.snapshot_hash)
        own = pins.ready(bank, test.design)
        total += weight * replay(own.design, own.table, engine_facts(bank, replies[run_id])).log_likelihood
    return total


def comparable(connection: Connection, pins: Pins, bank: Bank, finished: Sequence[Run]) -> list[Run]:
    """Return the runs over the same competences as the bank's, which alone can inform a run of it."""
    codes = bank.snapshot.framework.codes
    return [
        run for run in finished if pins.pinned_bank(connection, run.snapshot_hash).snapshot.framework.codes == codes
    ]


def replied_items(replies: Mapping[str, Sequence[Fact]], runs: Sequence[Run]) -> list[list[str]]:
    """Return the items that each run replied to."""
    return [[fact.item for fact in replies[run.id] if fact.item is not None] for run in runs]
