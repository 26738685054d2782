"""Which test confirms a profile best? Ours, one ability for all competences, or three items for each on its own.

The same simulees, with the same profiles, sit five tests. All choose their items near the profile, hold back the same
items, keep to one item of a topic, and certify by the same rule: the highest level, up to the profile's, that is at
least as likely as not. They differ in what they take the abilities to be:

- *tree*: 16 correlated abilities, as served; and with as few items as its rivals;
- *one ability*: a unidimensional adaptive test of 32 items, its ability read by the cuts of each competence;
- *each on its own*: 16 unrelated abilities, three items for each.

Two rows more read the answers of the served test otherwise: together with those of the positioning, and with levels
that are to be more than as likely as not.

Detection is by the same test of sincerity, under the abilities that the test believes in. Times of all are simulated.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np

from engine.adaptive import posterior, replay
from engine.arrays import Bools, Floats, Ints
from engine.assembly import Blueprint
from engine.belief import mean
from engine.certification import CertificationDesign
from engine.latent import Independent
from engine.responses import NONE, NOT_REACHED
from engine.sincerity import sincerity
from engine.stopping import AnyOf, LengthByScope, OutOfTime
from engine.table import build_table
from engine.validation import validate
from itembank.certification import load_certification
from itembank.files import shipped_bank
from itembank.snapshot import Snapshot
from simulations.certification.figures import levels_figures, share
from simulations.certification.kinds import KINDS, Kind
from simulations.certification.profile import Positioned, evidence_of, positioned
from simulations.certification.run import Positioning
from simulations.certification.sitting import Sat, Test, sit
from simulations.certification.study import served_positioning, served_test
from simulations.cluster import results_of
from simulations.learners import Learners, draw
from simulations.studies.comparison import Row, show

COMPARED: Final = ("honest", "helped", "helped_in_some")
ITEMS: Final = 32
"""Items of the test of one ability."""
SURE: Final = 0.7
"""Probability of a level in the arm that asks for more than as likely as not."""
EACH: Final = 3
"""Items of each competence where each stands on its own."""


CHUNK: Final = 50
"""Simulees who go through the engine together; few, so that the processors end together."""


@dataclass(frozen=True, eq=False)
class Arm:
    """A way to certify a profile.

    Parameters
    ----------
    name : str
    test : Test
    pooled : bool
        Whether one ability stands for all competences.
    remembers : bool
        Whether the positioning counts when the answers are judged, as it does not in the test that is served.
    probability : float, optional
        With which a level must be reached; as the rules say when left out.
    """

    name: str
    test: Test
    pooled: bool = False
    remembers: bool = False
    probability: float | None = None


def main(learners: int = 2000, seed: int = 1, jobs: int = 1) -> list[Row]:
    """Print the table and return its rows."""
    rows = compare(load_certification(), learners, seed, jobs)
    show(f"Three ways to certify a profile, {learners} simulees of each kind", rows)
    return rows


def compare(
    rules: CertificationDesign, learners: int, seed: int, jobs: int = 1, kinds: Sequence[str] = COMPARED
) -> list[Row]:
    """Put simulees of some kinds through the tests, under rules."""
    snapshot = Snapshot.of(shipped_bank())
    positioning, tests = served_positioning(snapshot), arms(rules, snapshot)
    simulees = draw(positioning.design.latent, learners, seed)
    pieces = [simulees.part(start, start + CHUNK) for start in range(0, learners, CHUNK)]
    rows = []
    for kind in (kind for kind in KINDS if kind.name in kinds):
        found = results_of(_chunk, (positioning, tests, kind), pieces, jobs=jobs)
        for place, arm in enumerate(tests):
            rows.append(Row(kind.name.replace("_", " "), arm.name, _figures(rules, [part[place] for part in found])))
    return rows


def arms(rules: CertificationDesign, snapshot: Snapshot) -> tuple[Arm, ...]:
    """List the tests that are compared."""
    few = replace(rules, longest=ITEMS, least=min(rules.least, ITEMS // len(snapshot.framework.codes)))
    three = replace(rules, least=EACH, most=EACH, each=EACH, longest=EACH * len(snapshot.framework.codes))
    served = served_test(rules, snapshot)
    return (
        Arm("tree, as served", served),
        Arm("... judged with the positioning", served, remembers=True),
        Arm(f"... certain at {SURE:.0%}", served, probability=SURE),
        Arm(f"tree, {ITEMS} items at most", served_test(few, snapshot)),
        Arm(f"one ability, {ITEMS} items", one_ability(served), pooled=True),
        Arm(f"tree, {EACH} items each", served_test(three, snapshot)),
        Arm(f"each on its own, {EACH} items each", on_its_own(served_test(three, snapshot))),
    )


def one_ability(served: Test) -> Test:
    """Unidimensional adaptive test of the same items, whatever their competence."""
    rules, seconds = served.rules, served.seconds
    design = replace(
        served.design,
        latent=Independent(1),
        stop=AnyOf((LengthByScope(ITEMS, ITEMS), OutOfTime(seconds))),
        assembly=Blueprint(least=0, most=ITEMS, each=ITEMS, longest=ITEMS, seconds=rules.planned * seconds),
    )
    own = served.table
    table = build_table(
        served.snapshot.parameters,
        design,
        topic=own.topic,
        enemies=served.snapshot.enemies,
        time_intensity=own.time_intensity,
        time_discrimination=own.time_discrimination,
        cuts=own.cuts[:1],
    )
    return replace(served, design=design, table=table)


def on_its_own(test: Test) -> Test:
    """Reckon without the tree: what is learnt of a competence says nothing of another."""
    design = replace(test.design, latent=Independent(len(test.snapshot.framework.codes)))
    return replace(test, design=design, table=test.snapshot.table(design))


@dataclass(frozen=True, eq=False)
class _Found:
    """What became of m candidates of an arm."""

    certified: Ints
    profile: Ints
    true: Ints
    examined: Bools
    error: Floats  # of the examined competences' estimates
    p: Floats  # of sincerity
    minutes: Floats
    items: Ints


def _chunk(shared: tuple[Positioning, Sequence[Arm], Kind], learners: Learners) -> list[_Found]:
    positioning, arms, kind = shared
    rules = arms[0].test.rules
    found = positioned(rules, positioning.design, positioning.table, kind, learners, positioning.allowed)
    rows = np.flatnonzero(found.eligibility.eligible)
    own, profile = Learners(learners.seeds[rows], learners.abilities[rows]), found.part(rows)
    tests = {id(arm.test): _tested(arm.test, kind, own, profile) for arm in arms}
    return [_certified(arm, tests[id(arm.test)], own, profile, positioning.table.cuts) for arm in arms]


class _Tested(NamedTuple):
    """Tests that candidates sat, and what the positioning told before."""

    evidence: Floats
    sat: Sat


def _tested(test: Test, kind: Kind, learners: Learners, profile: Positioned) -> _Tested:
    evidence = evidence_of(test.design, test.table, profile.facts)
    return _Tested(evidence, sit(test, kind, learners, profile, evidence))


def _certified(arm: Arm, tested: _Tested, learners: Learners, profile: Positioned, cuts: Floats) -> _Found:
    test, about, (evidence, sat) = arm.test, profile.eligibility.certifiable, tested
    design, table = test.design, test.table
    rules = test.rules if arm.probability is None else replace(test.rules, probability=arm.probability)
    known = evidence if arm.remembers else None
    belief = posterior(design, table, replay(design, table, sat.facts, evidence=known))
    belief = np.broadcast_to(belief, (*about.shape, belief.shape[-1]))
    if arm.pooled:
        answered = np.broadcast_to(sat.replies[:, None], about.shape)
    else:
        heard = np.where(sat.facts.response != NOT_REACHED, table.competence[sat.facts.item], NONE)
        answered = (heard[..., None] == np.arange(about.shape[1])).sum(axis=1)
    validation = validate(rules, belief, table._replace(cuts=cuts), about, profile.levels, answered)
    return _Found(
        validation.level,
        profile.levels,
        (learners.abilities[..., None] >= cuts).sum(axis=-1),
        about,
        (mean(belief, table.nodes) - learners.abilities)[about],
        sincerity(design, table, sat.facts, evidence).p,
        sat.seconds / 60.0,
        sat.replies,
    )


def _figures(rules: CertificationDesign, parts: Sequence[_Found]) -> dict[str, float]:
    def all_of(name: str) -> Any:
        return np.concatenate([getattr(part, name) for part in parts])

    certified, profile, true, examined = map(all_of, ("certified", "profile", "true", "examined"))
    some = np.ones(certified.shape[0], dtype=bool)
    levels = levels_figures(certified, profile, true, examined, some)
    names: dict[str, str] = {
        "exact": "level_exact",
        "within one": "level_within_one",
        "wrong conf.": "wrong_confirmation_rate",
        "by two": "wrong_confirmation_by_two_rate",
        "wrong low.": "wrong_lowering_rate",
        "low. by two": "wrong_lowering_by_two_rate",
    }
    alarm = all_of("p") < rules.sincerity
    return {
        "items": float(all_of("items").mean()),
        "minutes": float(all_of("minutes").mean()),
        "rmse": float(np.sqrt((all_of("error") ** 2).mean())),
        **{name: float(levels[key]) for name, key in names.items()},
        "alarms": share(alarm, some),
    }
