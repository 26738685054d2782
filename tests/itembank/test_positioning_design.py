from dataclasses import replace

import numpy as np
import pytest

from engine.adaptive import begin, step
from engine.designs import from_dict, to_dict
from engine.errors import DesignError, JalonError
from engine.filters import Quotas
from engine.responses import SKIPPED, SkipPolicy
from engine.stopping import Reason
from engine.uniform import uniform
from itembank.files import shipped_bank
from itembank.positioning import default_length, positioning_design
from itembank.snapshot import Snapshot


@pytest.mark.parametrize("competences", [None, ["3.4"], ["1.1", "5.2"], ["1.1", "1.2", "1.3", "2.1", "4.2"]])
def test_a_positioning_runs_to_its_length_within_its_quotas(competences: list[str] | None) -> None:
    snapshot = Snapshot.of(shipped_bank())
    framework = snapshot.framework
    design = positioning_design(framework, competences)
    assert from_dict(to_dict(design)) == design
    table = snapshot.table(design)
    runs, seeds = 20, np.arange(20)
    state, decision = begin(design, table, uniform(seeds, 0), batch=(runs,))
    length = default_length(len(competences or framework.codes))
    for position in range(1, length + 1):
        assert not decision.done.any()
        answers = np.where(uniform(seeds, 1000 + position) < 0.2, SKIPPED, position % 2)
        draws = uniform(seeds, position)
        state, decision = step(design, table, state, decision.item, answers, np.full(runs, 30.0), draws)
    assert decision.done.all()
    assert (decision.reason == Reason.MAX_LENGTH).all()
    assert (state.asked.sum(axis=-1) == length).all()
    quotas = next(rule for rule in design.filters if isinstance(rule, Quotas))
    counts = np.stack([state.asked[:, snapshot.competence == row].sum(axis=1) for row in range(16)], axis=1)
    assert (counts >= quotas.minimum).all()
    assert (counts <= quotas.maximum).all()


def test_the_scope_is_what_was_asked_for() -> None:
    framework = shipped_bank().framework
    assert positioning_design(framework).scope == ()
    assert positioning_design(framework, ["5.2", "1.1"]).scope == (0, 15)
    assert positioning_design(framework, ["5.2", "1.1"]) == positioning_design(framework, ["1.1", "5.2"])


@pytest.mark.parametrize(
    ("competences", "length", "words"),
    [
        ([], None, "at least one competence"),
        (["1.1", "1.1"], None, "each named once"),
        (["9.9"], None, "no competence '9.9'"),
        (None, 15, "cannot cover 16 competences"),
    ],
)
def test_an_impossible_positioning_is_refused(competences: list[str] | None, length: int | None, words: str) -> None:
    with pytest.raises(JalonError, match=words):
        positioning_design(shipped_bank().framework, competences, length)


@pytest.mark.parametrize("skip", ["unknown", "incorrect", "ignored"])
def test_the_policy_for_skips_is_chosen_and_nothing_else_changes(skip: SkipPolicy) -> None:
    framework = shipped_bank().framework
    design = positioning_design(framework, ["1.1"], skip=skip)
    assert design == replace(positioning_design(framework, ["1.1"]), skip=skip)


def test_a_skip_means_that_the_learner_does_not_know_unless_said_otherwise() -> None:
    assert positioning_design(shipped_bank().framework).skip == "unknown"
    with pytest.raises(DesignError, match="no policy 'cheerful' for skips"):
        positioning_design(shipped_bank().framework, skip="cheerful")
