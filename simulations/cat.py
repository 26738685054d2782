"""``jalon simulate cat``: an adaptive test of one competence, with any items and any rules."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine.adaptive import Design
from engine.errors import BankError
from engine.grid import Grid
from engine.responses import skip_policy
from engine.table import Table, build_table
from itembank.files import load_bank, shipped_bank
from itembank.snapshot import Snapshot
from itembank.tables import ItemTable, read_item_table
from simulations.behaviours import Behaviour, behaving
from simulations.exposure import fit_sympson_hetter
from simulations.learners import draw
from simulations.output import check_folder, write
from simulations.progress import Bar, silent
from simulations.rules import pick_named, read_design, score_named, stop_after
from simulations.run import simulate
from simulations.simulation import Simulation

ROUNDS = 30


@dataclass(frozen=True, eq=False)
class Pool:
    """Items of one competence."""

    table: Table
    items: tuple[str, ...]
    competence: str


def simulate_cat(
    out: Path | None,
    *,
    items: Path | None = None,
    bank: Path | None = None,
    competence: str | None = None,
    scale: float | None = None,
    learners: int = 1000,
    seed: int = 1,
    jobs: int = 1,
    score: str = "information",
    pick: str = "best",
    k: int = 5,
    length: int = 30,
    least: int = 0,
    sd: float | None = None,
    max_exposure: float | None = None,
    nodes: int = 61,
    design_file: Path | None = None,
    skip: str = "unknown",
    skipping: float = 0.0,
    guessing: float = 0.0,
    careless: float = 0.0,
    timed: bool = False,
    bar: Bar = silent,
) -> Simulation:
    """Simulate an adaptive test of one competence and write its files.

    Parameters
    ----------
    out : Path, optional
        Folder; nothing is written without one.
    items : Path, optional
        Item table; without one, the items come from ``bank``, or from the bank that ships.
    bank : Path, optional
        Folder of a bank.
    competence : str, optional
        Code; needed with a bank. Without one, all items of a table measure one ability.
    scale : float, optional
        D of the item table.
    learners, seed, jobs : int
    score, pick, k
        Names of simulations.rules.
    length, least, sd
        Most items, least items, and posterior sd that is precise enough.
    max_exposure : float, optional
        Fits Sympson-Hetter parameters first; they replace ``pick``.
    nodes : int
        Of the grid, from -4 to 4.
    design_file : Path, optional
        Design as JSON, for any rules at all; the names, lengths and policies above are not used then.
    skip : str
        Policy for skips.
    skipping, guessing, careless, timed
        As for simulations.behaviours.behaving.
    bar : Bar
        Shows progress.

    Returns
    -------
    Simulation
    """
    if out is not None:
        check_folder(out)
    behaviours = behaving(skipping, guessing, careless, timed)
    design = (
        Design(
            score=score_named(score),
            pick=pick_named(pick, k),
            stop=stop_after(length, sd, least),
            skip=skip_policy(skip),
            grid=Grid(-4.0, 4.0, nodes),
        )
        if design_file is None
        else read_design(design_file)
    )
    pool = _pool(design, items, bank, competence, scale)
    notes: tuple[str, ...] = ()
    if max_exposure is not None:
        design, notes = _limited(design, pool.table, max_exposure, seed, jobs, behaviours, bar)
    with bar("Simulating", learners) as advance:
        result = simulate(
            design, pool.table, draw(design.latent, learners, seed), behaviours, jobs=jobs, progress=advance
        )
    simulation = Simulation.of(
        "Simulation of an adaptive test",
        seed,
        design,
        pool.table,
        behaviours,
        (pool.items, (pool.competence,)),
        result,
        notes,
    )
    if out is not None:
        write(simulation, out)
    return simulation


def _limited(
    design: Design,
    table: Table,
    target: float,
    seed: int,
    jobs: int,
    behaviours: Sequence[Behaviour],
    bar: Bar,
) -> tuple[Design, tuple[str, ...]]:
    with bar("Fitting exposure", ROUNDS) as advance:
        fit = fit_sympson_hetter(
            design,
            table,
            target,
            seed=seed,
            rounds=ROUNDS,
            behaviours=behaviours,
            jobs=jobs,
            progress=lambda number, largest: advance(1),
        )
    path = ", ".join(f"{largest:.2f}" for largest in fit.history)
    outcome = "came down to the target" if fit.reached else "did not come down to the target; the best round is used"
    note = f"Exposure parameters were fitted for {target:.0%}; the largest exposure {outcome}: {path}."
    return replace(design, pick=fit.pick), (note,)


def _pool(design: Design, items: Path | None, bank: Path | None, competence: str | None, scale: float | None) -> Pool:
    if items is not None:
        if bank is not None:
            raise BankError("Items come from --items or from --bank, not from both; leave one out.")
        return _of_table(design, read_item_table(items, scale), competence)
    if competence is None:
        raise BankError("Say which competence of the bank to test, e.g. --competence 1.1, or give --items.")
    snapshot = Snapshot.of(shipped_bank() if bank is None else load_bank(bank))
    row = snapshot.framework.index(competence)
    chosen = np.flatnonzero(snapshot.competence == row)
    if chosen.size == 0:
        raise BankError(f"The bank serves no item of competence {competence}; choose another.")
    whole = snapshot.table(replace(design, latent=snapshot.framework.tree()))
    table = build_table(
        snapshot.parameters.take(chosen),
        design,
        topic=whole.topic[chosen],
        timed=whole.timed[chosen],
        time_intensity=whole.time_intensity[chosen],
        time_discrimination=whole.time_discrimination[chosen],
        cuts=[snapshot.framework.cuts[row]],
    )
    return Pool(table, tuple(snapshot.ids[place] for place in chosen.tolist()), competence)


def _of_table(design: Design, table: ItemTable, competence: str | None) -> Pool:
    if competence is not None:
        table = replace(table, rows=tuple(row for row in table.rows if row.competence == competence))
        if not table.rows:
            raise BankError(f"{table.where} has no item of competence {competence}; choose another.")
    if not table.rows:
        raise BankError(f"{table.where} has no items; a test needs at least one.")
    label = competence or (table.competences[0] if len(table.competences) == 1 else "all")
    return Pool(table.table(design), table.ids, label)
