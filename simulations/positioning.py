"""``jalon simulate positioning``: the very test that the API serves, over all competences or some."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from engine.responses import skip_policy
from itembank.files import load_bank, shipped_bank
from itembank.positioning import positioning_design
from itembank.snapshot import Snapshot
from simulations.behaviours import behaving
from simulations.learners import draw
from simulations.output import check_folder, write
from simulations.progress import Bar, silent
from simulations.run import simulate
from simulations.simulation import Simulation


def simulate_positioning(
    out: Path | None,
    *,
    bank: Path | None = None,
    competences: Sequence[str] | None = None,
    length: int | None = None,
    benevolent: bool = True,
    skip: str = "unknown",
    accessible: Sequence[str] | None = None,
    learners: int = 1000,
    seed: int = 1,
    jobs: int = 1,
    skipping: float = 0.0,
    guessing: float = 0.0,
    careless: float = 0.0,
    timed: bool = False,
    uncertain: bool = False,
    bar: Bar = silent,
) -> Simulation:
    """Simulate positionings and write their files.

    Parameters
    ----------
    out : Path, optional
        Folder; nothing is written without one.
    bank : Path, optional
        Folder of a bank; the one that ships when left out.
    competences : codes
        All when left out.
    length : int, optional
        Items asked; as served when left out.
    benevolent : bool
        As served; False to see what benevolence costs.
    skip : str
        Policy for skips.
    accessible : names of flags
        Only items that suit all of them.
    learners, seed, jobs : int
    skipping, guessing, careless, timed
        As for simulations.behaviours.behaving.
    uncertain : bool
        Reckon with the errors of the calibration when scoring and picking.
    bar : Bar
        Shows progress.

    Returns
    -------
    Simulation
    """
    if out is not None:
        check_folder(out)
    behaviours = behaving(skipping, guessing, careless, timed)
    snapshot = Snapshot.of(shipped_bank() if bank is None else load_bank(bank))
    framework = snapshot.framework
    served = positioning_design(framework, competences or None, length, benevolent=benevolent)
    design = replace(served, skip=skip_policy(skip), parameters="uncertain" if uncertain else "known")
    table = snapshot.table(design)
    simulees = draw(design.latent, learners, seed)
    allowed = snapshot.allowed(accessible) if accessible else None
    with bar("Simulating", learners) as advance:
        result = simulate(design, table, simulees, behaviours, allowed=allowed, jobs=jobs, progress=advance)
    names = (snapshot.ids, framework.codes)
    simulation = Simulation.of("Simulation of positionings", seed, design, table, behaviours, names, result)
    if out is not None:
        write(simulation, out)
    return simulation
