import dataclasses
import hashlib
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.adaptive import Design
from engine.designs import RULES, content_hash, from_dict, to_dict
from engine.errors import DesignError, JalonError
from engine.filters import FairChance, FitsTheTime, Prefer, Quotas
from engine.grid import Grid
from engine.latent import Independent, LatentTree
from engine.picks import SympsonHetter
from engine.scores import VarianceReduction
from engine.stopping import AllOf, AnyOf, AtLeast, MaxLength, PreciseEnough
from tests.reference.rules import examples

laws = settings(deadline=None, max_examples=100)
numbers = st.floats(0.01, 0.99)
KINDS = {name: rules[0].__class__.__module__ for name, rules in examples(6, 3).items()}


def of_kind(module: str) -> list[Any]:
    return [rule for name, rules in examples(6, 3).items() if KINDS[name] == module for rule in rules]


stops = st.recursive(
    st.one_of(
        st.builds(MaxLength, st.integers(1, 99)),
        st.builds(AtLeast, st.integers(1, 99)),
        st.builds(PreciseEnough, numbers),
        st.sampled_from(of_kind("engine.stopping")),
    ),
    lambda inner: st.one_of(
        st.builds(AnyOf, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(AllOf, st.lists(inner, min_size=1, max_size=3).map(tuple)),
    ),
    max_leaves=5,
)
filters = st.one_of(
    st.builds(FitsTheTime, st.floats(1.0, 1e4)),
    st.builds(FairChance, numbers, numbers, st.integers(0, 9)),
    st.sampled_from(of_kind("engine.filters")),
    st.builds(Prefer, st.sampled_from(of_kind("engine.filters"))),
)
latents = st.one_of(
    st.just(Independent(3)),
    st.builds(
        LatentTree,
        st.just((0, 1, 0)),
        st.tuples(numbers, numbers).map(lambda pair: tuple(0.97 * x for x in pair)),
        st.just((0.5, 0.6, 0.97)),
    ),
)
policies = st.sampled_from(["unknown", "incorrect", "ignored"])
designs = st.builds(
    Design,
    score=st.sampled_from(of_kind("engine.scores")),
    filters=st.lists(filters, max_size=4).map(tuple),
    pick=st.one_of(
        st.sampled_from(of_kind("engine.picks")),
        st.builds(SympsonHetter, st.lists(numbers, min_size=6, max_size=6).map(tuple)),
    ),
    stop=stops,
    skip=policies,
    time_out=policies,
    grid=st.builds(Grid, st.floats(-6.0, -3.0), st.floats(3.0, 6.0), st.integers(3, 81)),
    latent=latents,
    scope=st.lists(st.integers(0, 2), unique=True).map(tuple),
    speed_sd=numbers,
)


@laws
@given(designs)
def test_a_design_comes_back_from_its_plain_data(design: Design) -> None:
    plain = to_dict(design)
    assert from_dict(plain) == design
    through_json = json.loads(json.dumps(plain))
    assert through_json == plain
    again = from_dict(through_json)
    assert again == design
    assert hash(again) == hash(design)
    assert content_hash(again) == content_hash(design)
    assert repr(again) == repr(from_dict(plain))


def test_the_hash_of_the_default_design_never_changes() -> None:
    """Runs are stored with it. A new field of Design changes it: then stored designs must keep their old hash."""
    text = (
        '{"filters":[],"grid":{"count":41,"lower":-4,"rule":"Grid","upper":4},'
        '"latent":{"competences":1,"rule":"Independent"},"measured_sd":0.6,"pick":{"rule":"Best"},"rule":"Design",'
        '"scope":[],"score":{"rule":"InformationAtMean"},"skip":"unknown","speed_sd":0.4,'
        '"stop":{"items":30,"rule":"MaxLength"},"time_out":"incorrect"}'
    )
    assert content_hash(Design()) == hashlib.sha256(text.encode()).hexdigest()


def leaves(plain: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(plain, dict):
        return [leaf for key, part in plain.items() for leaf in leaves(part, (*path, key))]
    if isinstance(plain, list):
        return [leaf for place, part in enumerate(plain) for leaf in leaves(part, (*path, place))]
    return [path]


def changed(plain: Any, path: tuple[Any, ...], value: Any) -> Any:
    copy = json.loads(json.dumps(plain))
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return copy


@laws
@given(designs, st.data())
def test_any_other_number_or_word_gives_another_hash(design: Design, data: st.DataObject) -> None:
    plain = to_dict(design)
    path = data.draw(st.sampled_from([path for path in leaves(plain) if path[-1] != "rule"]))
    old = plain
    for key in path:
        old = old[key]
    new = (
        data.draw(policies | st.sampled_from(["likelihood", "posterior"]))
        if isinstance(old, str)
        else old * 0.999 + 1e-6
    )
    assume(new != old)
    try:
        other = from_dict(changed(plain, path, new))
    except DesignError:
        return
    assert other != design
    assert content_hash(other) != content_hash(design)


@laws
@given(designs, designs)
def test_designs_are_equal_exactly_when_their_hashes_are(one: Design, other: Design) -> None:
    assert (one == other) == (content_hash(one) == content_hash(other))


def test_equal_numbers_of_other_types_give_equal_hashes() -> None:
    for one, other in (
        (Design(grid=Grid(-4, 4)), Design()),
        (Design(stop=PreciseEnough(1)), Design(stop=PreciseEnough(1.0))),
        (Design(stop=MaxLength(np.int64(12))), Design(stop=MaxLength(12))),
        (Design(stop=PreciseEnough(np.float64(0.25))), Design(stop=PreciseEnough(0.25))),
        (Design(score=VarianceReduction((0.0,))), Design(score=VarianceReduction((-0.0,)))),
    ):
        assert one == other
        assert content_hash(one) == content_hash(other)
        assert from_dict(json.loads(json.dumps(to_dict(one)))) == one


@pytest.mark.parametrize(
    ("plain", "words"),
    [
        ({"rule": "Desing"}, r"no rule 'Desing'; the rules are AllOf, .*Unasked"),
        ({"score": {"rule": "Best"}}, "no rule None"),
        ({"rule": ["Design"]}, "no rule"),
        ({"rule": "Design", "stop": {"rule": "MaxLenght", "items": 3}}, "no rule 'MaxLenght'"),
        (
            {"rule": "Design", "stop": {"rule": "MaxLength", "item": 3}},
            "MaxLength has no field 'item'; its fields are items",
        ),
        ({"rule": "Design", "pick": {"rule": "Best", "k": 1}}, "Best has no field 'k'; its fields are none"),
        ({"rule": "Design", "stop": {"rule": "MaxLength"}}, "MaxLength lacks its field 'items'"),
        ({"rule": "Design", "grid": {"rule": "Grid", "lower": "low"}}, "Grid cannot be made of these values"),
        ({"rule": "Design", "grid": {"rule": "Grid", "count": 2}}, "at least 3 nodes"),
        ({"rule": "MaxLength", "items": 3}, "outermost rule must be Design"),
        ([], "outermost rule must be Design"),
        ("Design", "outermost rule must be Design"),
        ({"rule": "Design", "skip": "guess"}, "no policy 'guess'"),
        ({"rule": "Design", "scope": [0, 0]}, "scope must name different competences"),
        ({"rule": "Design", "scope": [1]}, "between 0 and 0"),
        ({"rule": "Design", "score": {"rule": "VarianceReduction", "weights": [1, 2]}}, "one weight for each of the 1"),
    ],
)
def test_plain_data_that_is_no_design_is_refused_with_a_sentence(plain: Any, words: str) -> None:
    with pytest.raises(DesignError, match=words) as caught:
        from_dict(plain)
    assert isinstance(caught.value, JalonError)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [1, 2], None, np.zeros(2), {1}])
def test_what_json_does_not_know_is_refused(value: object) -> None:
    with pytest.raises(DesignError, match="finite numbers"):
        to_dict(Design(stop=MaxLength(value)))  # type: ignore[arg-type]


def test_a_design_is_frozen_and_may_key_a_dictionary() -> None:
    design = Design(filters=(Quotas((0,), (5,), 5),))
    with pytest.raises(dataclasses.FrozenInstanceError):
        design.skip = "ignored"  # type: ignore[misc]
    assert {design: 1}[dataclasses.replace(design)] == 1


def test_rules_are_stored_under_their_names() -> None:
    assert all(name == rule.__name__ for name, rule in RULES.items())
