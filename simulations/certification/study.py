"""``jalon simulate certification``: from the positioning to the outcome, for several kinds of learners."""

from collections.abc import Sequence
from pathlib import Path

from engine.certification import CertificationDesign
from itembank.certification import certification_test, load_certification
from itembank.files import load_bank, shipped_bank
from itembank.positioning import positioning_design
from itembank.snapshot import Snapshot
from simulations.certification.files import write
from simulations.certification.kinds import KINDS, Kind, check_kinds
from simulations.certification.results import Certification
from simulations.certification.run import Positioning, candidates
from simulations.certification.sitting import Test
from simulations.output import check_folder
from simulations.progress import Bar, silent


def simulate_certification(
    out: Path | None,
    *,
    bank: Path | None = None,
    certification: Path | None = None,
    learners: int = 1000,
    seed: int = 1,
    jobs: int = 1,
    kinds: Sequence[Kind] = KINDS,
    accessible: Sequence[str] | None = None,
    extra_time: float = 0.0,
    bar: Bar = silent,
) -> Certification:
    """Simulate learners who are positioned and, where they are eligible, certified; write the files.

    Parameters
    ----------
    out : Path, optional
        Folder; nothing is written without one.
    bank : Path, optional
        Folder of a bank; the one that ships when left out.
    certification : Path, optional
        Rules (YAML); those that ship when left out.
    learners, seed, jobs : int
    kinds : sequence of Kind
        The mix.
    accessible : names of flags
        Only items that suit all of them, in the positioning too.
    extra_time : float
        Share of the time that everybody is given more, e.g. 1/3.
    bar : Bar
        Shows progress.

    Returns
    -------
    Certification
        The same figures whatever the number of jobs, but for the times that it took.
    """
    if out is not None:
        check_folder(out)
    check_kinds(kinds)
    rules = load_certification(certification)
    snapshot = Snapshot.of(shipped_bank() if bank is None else load_bank(bank))
    positioning = served_positioning(snapshot, accessible or ())
    test = served_test(rules, snapshot, accessible or (), extra_time)
    with bar("Certifying", learners) as advance:
        found = candidates(positioning, test, kinds, learners, seed, jobs, advance)
    result = Certification(seed, tuple(kinds), positioning, test, found)
    if out is not None:
        write(result, out)
    return result


def served_positioning(snapshot: Snapshot, accessible: Sequence[str] = ()) -> Positioning:
    """Positioning over all competences that the API serves."""
    design = positioning_design(snapshot.framework)
    return Positioning(design, snapshot.table(design), snapshot.allowed(accessible) if accessible else None)


def served_test(
    rules: CertificationDesign, snapshot: Snapshot, accessible: Sequence[str] = (), extra_time: float = 0.0
) -> Test:
    """Certification test that the API serves."""
    limit = rules.limit(extra_time)
    design = certification_test(rules, snapshot.framework, limit)
    return Test(rules, snapshot, design, snapshot.table(design), limit.total_seconds(), tuple(accessible))
