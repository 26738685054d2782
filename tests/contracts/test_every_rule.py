"""A rule exists when this suite runs it: frozen, hashable, storable, pure, and the same for one and for many."""

import dataclasses
import inspect
import json

import numpy as np
import pytest

from engine import assembly, filters, grid, latent, picks, scores, stopping
from engine.adaptive import Decision, Design, State, begin, decide
from engine.designs import RULES, content_hash, from_dict, to_dict
from engine.filters import available
from engine.latent import posterior
from engine.ranking import quantised
from engine.scores import rank
from engine.situation import Situation
from engine.stopping import Reason
from engine.table import Table
from engine.uniform import uniform
from tests.reference import banks
from tests.reference.rules import examples

ITEMS, COMPETENCES = 24, 3
BATCH = (2, 3)
EXAMPLES = examples(ITEMS, COMPETENCES)
FIELD = {
    "engine.scores": "score",
    "engine.filters": "filters",
    "engine.picks": "pick",
    "engine.stopping": "stop",
    "engine.grid": "grid",
    "engine.latent": "latent",
    "engine.assembly": "assembly",
}
BANKS = {
    "one competence": (banks.ALONE, banks.logistic(3, ITEMS, "3PL")),
    "one competence, ties": (banks.ALONE, banks.tied(3, ITEMS)),
    "tree, six models": (banks.TREE, banks.mixed(3, ITEMS)),
    "tree, ties": (banks.TREE, banks.tied(3, ITEMS)),
}


def every(*modules: str) -> list[object]:
    rules = [rule for group in EXAMPLES.values() for rule in group]
    return [pytest.param(rule, id=repr(rule)[:60]) for rule in rules if type(rule).__module__ in modules]


every_rule = pytest.mark.parametrize("rule", every(*FIELD, "engine.adaptive"))
every_bank = pytest.mark.parametrize("bank", BANKS)


def adapted(rule: object, competences: int) -> object:
    """The same example for another number of competences."""
    name = type(rule).__name__
    return examples(ITEMS, competences)[name][EXAMPLES[name].index(rule)]


def surrounded(bank: str) -> tuple[Design, Table, State]:
    structure, parameters = BANKS[bank]
    design = Design(latent=structure)
    table = banks.table_for(design, parameters, 3)
    return design, table, banks.states(design, table, 3, BATCH)


def test_the_suite_runs_every_rule_and_every_rule_can_be_stored() -> None:
    assert set(EXAMPLES) == set(RULES)
    public = {
        name
        for module in (scores, filters, picks, stopping, grid, latent, assembly)
        for name, thing in inspect.getmembers(module, dataclasses.is_dataclass)
        if thing.__module__ == module.__name__
    }
    assert public | {"Design"} == set(RULES)


@every_rule
def test_a_rule_is_a_frozen_value(rule: object) -> None:
    assert dataclasses.is_dataclass(rule)
    for field in dataclasses.fields(rule):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(rule, field.name, None)
    copy = dataclasses.replace(rule)  # type: ignore[type-var]
    assert copy == rule
    assert hash(copy) == hash(rule)
    assert repr(copy) == repr(rule)
    assert type(rule).__doc__


@every_rule
def test_a_rule_round_trips_in_a_design(rule: object) -> None:
    field = FIELD.get(type(rule).__module__)
    latent_structure = rule if field == "latent" else latent.Independent(COMPETENCES)
    design = Design(latent=latent_structure)  # type: ignore[arg-type]
    if field is None:
        design = rule  # type: ignore[assignment]
    elif field != "latent":
        design = dataclasses.replace(design, **{field: (rule,) if field == "filters" else rule})
    again = from_dict(json.loads(json.dumps(to_dict(design))))
    assert again == design
    assert content_hash(again) == content_hash(design)


@every_bank
@pytest.mark.parametrize("rule", every("engine.scores", "engine.filters", "engine.stopping"))
def test_a_rule_treats_many_as_each(rule: object, bank: str) -> None:
    design, table, state = surrounded(bank)
    rule = adapted(rule, design.latent.competences)
    kept = [np.array(field) for field in state]
    whole = rule(banks.situation(design, table, state))  # type: ignore[operator]
    core = () if type(rule).__module__ == "engine.stopping" else (ITEMS,)
    assert whole.shape == BATCH + core
    for index in np.ndindex(BATCH):
        alone = rule(banks.situation(design, table, banks.one_of(state, index)))  # type: ignore[operator]
        assert alone.shape == core
        assert alone.dtype == whole.dtype
        if whole.dtype == np.float64:
            np.testing.assert_array_equal(quantised(alone), quantised(whole[index]))
            np.testing.assert_allclose(alone, whole[index], rtol=1e-9, atol=1e-13)
        else:
            np.testing.assert_array_equal(alone, whole[index])
    for before, after in zip(kept, state, strict=True):
        np.testing.assert_array_equal(before, after)


@every_bank
@pytest.mark.parametrize("rule", every("engine.picks"))
def test_a_pick_treats_many_as_each(rule: picks.Pick, bank: str) -> None:
    design, table, state = surrounded(bank)
    u = uniform(np.arange(6).reshape(BATCH), 0)
    whole = picked(rule, banks.situation(design, table, state), u)
    assert whole.shape == BATCH
    for index in np.ndindex(BATCH):
        alone = picked(rule, banks.situation(design, table, banks.one_of(state, index)), u[index])
        assert alone.shape == ()
        assert alone == whole[index]


def picked(pick: picks.Pick, situation: Situation, u: np.ndarray) -> np.ndarray:
    return pick(rank(situation, available((), situation), pick.depth), np.asarray(u))


@pytest.mark.parametrize("structure", every("engine.latent"))
@pytest.mark.parametrize("nodes", every("engine.grid"))
def test_a_latent_structure_gives_probabilities_on_every_grid(structure: latent.Latent, nodes: grid.Grid) -> None:
    evidence = np.random.default_rng(0).normal(size=(*BATCH, structure.competences, nodes.count))
    whole = posterior(structure.links(nodes), evidence)
    assert whole.shape == evidence.shape
    np.testing.assert_allclose(whole.sum(axis=-1), 1.0, atol=1e-12)
    np.testing.assert_allclose(whole[1, 2], posterior(structure.links(nodes), evidence[1, 2]), rtol=0, atol=1e-13)


@every_bank
@pytest.mark.parametrize("rule", every("engine.scores", "engine.filters", "engine.picks", "engine.stopping"))
def test_a_design_with_the_rule_asks_what_may_be_asked(rule: object, bank: str) -> None:
    structure, parameters = BANKS[bank]
    field = FIELD[type(rule).__module__]
    chosen = adapted(rule, structure.competences)
    design = Design(latent=structure, **{field: (chosen,) if field == "filters" else chosen})  # type: ignore[arg-type]
    table = banks.table_for(design, parameters, 3)
    state = banks.states(design, table, 9, (40,))
    decision = decide(design, table, state, uniform(np.arange(40), 0))
    assert decision.item.shape == decision.done.shape == decision.reason.shape == (40,)
    assert decision.mean.shape == decision.sd.shape == (40, structure.competences)
    assert ((decision.item == -1) == decision.done).all()
    assert ((decision.reason == Reason.GO_ON) == ~decision.done).all()
    runs = np.flatnonzero(~decision.done)
    assert (state.allowed & ~state.asked)[runs, decision.item[runs]].all()
    for run in (0, 17, 39):
        alone = decide(design, table, banks.one_of(state, (run,)), uniform(run, 0))
        assert (alone.item, alone.reason) == (decision.item[run], decision.reason[run])


@pytest.mark.parametrize("design", every("engine.adaptive"))
def test_a_design_begins_one_run_or_many(design: Design) -> None:
    table = banks.table_for(design, banks.mixed(3, ITEMS), 3)
    _, many = begin(design, table, uniform(np.arange(6).reshape(BATCH), 0), BATCH)
    for number, index in enumerate(np.ndindex(BATCH)):
        _, one = begin(design, table, uniform(number, 0))
        assert isinstance(one, Decision)
        assert one.item == many.item[index]
        np.testing.assert_allclose(one.mean, many.mean[index], atol=1e-12)
