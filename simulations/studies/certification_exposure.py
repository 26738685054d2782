"""Exposure of the items of a certification: what limiting it costs, and what the pool lacks for it.

First table: the share of each topic that a candidate may be asked is lowered from 1 (nothing is held back). Second
table: the items that each competence lacks, for everybody and for those who need accessible items. A full test asks one
item of each topic. Of the items of a topic a candidate may be asked the share, less what the positioning has shown: a
topic has enough when one is left on average, that is, from 1 / share + (items seen of it) on. "Gave way" is the share
of the questions for which an item held back was asked all the same.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import ceil
from typing import Final

import numpy as np

from engine.arrays import Ints
from engine.assembly import Softness
from engine.certification import CertificationDesign
from engine.responses import NONE
from engine.validation import Status
from itembank.certification import load_certification
from itembank.files import shipped_bank
from itembank.items import FLAGS
from itembank.snapshot import Snapshot
from simulations.certification.figures import relaxed_by_competence
from simulations.certification.kinds import KINDS
from simulations.certification.results import Certification
from simulations.certification.run import candidates
from simulations.certification.study import served_positioning, served_test
from simulations.studies.comparison import Row, show
from simulations.use import exposure_rates

SHARES: Final = (1.0, 0.5, 0.4, 0.35, 0.3, 0.25, 0.2)
ACCOMMODATIONS: Final[tuple[tuple[str, ...], ...]] = ((), *((flag,) for flag in FLAGS))


def main(learners: int = 2000, seed: int = 1, jobs: int = 1) -> list[Row]:
    """Print the tables and return their rows."""
    rules = load_certification()
    cost = costs(rules, sorted({*SHARES, rules.share}, reverse=True), learners, seed, jobs)
    show(f"Share of the items that a candidate may be asked, {learners} simulees", cost)
    pool = [row for flags in ACCOMMODATIONS for row in pools(rules, flags, learners, seed, jobs)]
    show(f"Items that competences lack at a share of {rules.share}, {learners} simulees", pool)
    return [*cost, *pool]


def costs(rules: CertificationDesign, shares: Sequence[float], learners: int, seed: int, jobs: int = 1) -> list[Row]:
    """Exposure and precision at each of some shares."""
    return [_cost(_simulated(replace(rules, share=share), (), learners, seed, jobs)) for share in shares]


def pools(rules: CertificationDesign, accessible: Sequence[str], learners: int, seed: int, jobs: int = 1) -> list[Row]:
    """Use of each competence's items, and what it lacks, for candidates with these accommodations."""
    return _pool(_simulated(rules, accessible, learners, seed, jobs))


def lacking(suits: Ints, share: float, seen: float) -> int:
    """Items that topics lack.

    Parameters
    ----------
    suits : (T,) int
        Items of each topic that suit the candidates.
    share : float
        Of the items of a topic that one candidate may be asked.
    seen : float
        Items of a topic that the candidate has seen, on average.

    Examples
    --------
    >>> lacking(np.array([3, 4, 6]), 0.25, 0.5)  # 5 are needed in each
    3
    """
    needed = ceil(round(1.0 / share + seen, 9))
    return int(np.maximum(needed - suits, 0).sum())


def _simulated(
    rules: CertificationDesign, accessible: Sequence[str], learners: int, seed: int, jobs: int
) -> Certification:
    snapshot = Snapshot.of(shipped_bank())
    positioning, test = served_positioning(snapshot, accessible), served_test(rules, snapshot, accessible)
    return Certification(seed, KINDS, positioning, test, candidates(positioning, test, KINDS, learners, seed, jobs))


def _cost(result: Certification) -> Row:
    everybody = result.figures()
    honest = result.figures(result.found.kind == [kind.name for kind in result.kinds].index("honest"))
    names = ("rmse", "mean_sd", "level_exact", "level_within_one", "wrong_confirmation_rate", "wrong_lowering_rate")
    figures = {
        "max exposure": everybody["max_exposure"],
        "overlap": everybody["mean_overlap"],
        "gave way": everybody["relaxed"]["exposure"]["questions"],
        "items": honest["mean_items"],
        "minutes": honest["mean_minutes"],
        **{name.removesuffix("_rate").replace("_", " "): honest[name] for name in names},
        "detection": everybody["sincerity_detection_rate"],
    }
    return Row("all kinds; from items on, honest candidates", f"share {result.test.rules.share:g}", figures)


def _pool(result: Certification) -> list[Row]:
    test, tests = result.test, result.found.tests
    snapshot, rules = test.snapshot, test.rules
    codes = snapshot.framework.codes
    suits = snapshot.allowed(test.accessible)
    topic_of = np.array([snapshot.framework.index(code) for code, _ in snapshot.topics])
    sizes = np.bincount(snapshot.topic[suits], minlength=topic_of.size)
    shown = tests.seen[tests.seen != NONE]
    seen = shown.size / (tests.seen.shape[0] * topic_of.size) if rules.seen_runs else 0.0
    gave_way = relaxed_by_competence(tests, test.table.competence, Softness.EXPOSURE, len(codes))
    exposure = exposure_rates(tests.asked, len(snapshot))
    cases = np.count_nonzero(tests.status != Status.NOT_EXAMINED, axis=0)
    rows = []
    for place, code in enumerate(codes):
        here = snapshot.competence == place
        asked = np.count_nonzero(tests.asked[tests.asked != NONE][:, None] == np.flatnonzero(here))
        rows.append(
            Row(
                " and ".join(test.accessible) or "all items",
                code,
                {
                    "items": float(np.count_nonzero(suits & here)),
                    "topics": float(np.count_nonzero(sizes[topic_of == place])),
                    "lacking": float(lacking(sizes[topic_of == place], rules.share, seen)),
                    "asked of each": asked / max(int(cases[place]), 1),
                    "max exposure": float(exposure[here].max()),
                    "gave way": float(gave_way[place]),
                },
            )
        )
    return rows
