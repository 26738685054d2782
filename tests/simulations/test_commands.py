import json

import pytest

from engine.adaptive import Design
from engine.designs import to_dict
from engine.errors import BankError, DesignError
from engine.filters import FairChance, FitsTheTime, Prefer
from engine.picks import Proportional, SympsonHetter
from engine.scores import KullbackLeibler
from engine.stopping import AnyOf, MaxLength, OutOfTime
from itembank.files import shipped_bank
from itembank.positioning import positioning_design
from simulations.cat import simulate_cat
from simulations.positioning import simulate_positioning
from simulations.progress import rich_bar
from simulations.rules import SCORES, pick_named, score_named, stop_after


@pytest.fixture
def items(tmp_path):
    path = tmp_path / "items.csv"
    lines = [f"i{row},2PL,{1 + row % 3 / 4},{(row - 20) / 10},{1 + row % 2}.1" for row in range(40)]
    path.write_text("\n".join(["id,model,discrimination,difficulty,competence", *lines]) + "\n")
    return path


def test_cat_of_an_item_table(items, tmp_path):
    found = simulate_cat(tmp_path / "out", items=items, learners=80, length=10, sd=0.4, least=3, timed=True)
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary == found.summary()
    assert summary["items"] == 40
    assert list(summary["competences"]) == ["all"]
    assert summary["level_exact"] is None
    assert 3 <= summary["mean_length"] <= 10


def test_cat_of_one_competence_of_an_item_table(items):
    found = simulate_cat(None, items=items, competence="2.1", learners=20, length=5)
    assert found.competences == ("2.1",)
    assert found.items == tuple(f"i{row}" for row in range(1, 40, 2))


def test_cat_of_the_shipped_bank():
    found = simulate_cat(None, competence="3.2", learners=50, length=8, skipping=0.5)
    assert all(id.startswith("crcn-3.2") for id in found.items)
    assert found.measures.confusion.shape == (1, 9, 9)
    assert found.measures.use.skipped > 0


def test_cat_with_limited_exposure(items):
    found = simulate_cat(None, items=items, learners=200, length=5, max_exposure=0.5)
    assert isinstance(found.design.pick, SympsonHetter)
    assert found.measures.use.max_exposure < 0.6
    assert "50%" in found.notes[0]


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("pick", ["best", "top-k", "proportional"])
def test_cat_with_every_rule(items, score, pick):
    found = simulate_cat(None, items=items, learners=20, length=4, score=score, pick=pick, k=3)
    assert found.design.score == score_named(score)
    assert found.design.pick == pick_named(pick, 3)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"score": "luck"}, DesignError, "no score 'luck'"),
        ({"pick": "luck"}, DesignError, "no pick 'luck'"),
        ({"skip": "luck"}, DesignError, "luck"),
        ({"length": 0}, DesignError, "makes no sense"),
        ({"sd": -1.0}, DesignError, "never reached"),
        ({"max_exposure": 0.05, "length": 10}, DesignError, "allow more"),
        ({"competence": "9.9"}, BankError, "no item of competence"),
        ({"learners": 0}, DesignError, "at least 1"),
        ({"skipping": 2.0}, DesignError, "share of skips"),
    ],
)
def test_what_makes_no_sense_is_told(items, options, error, words):
    with pytest.raises(error, match=words):
        simulate_cat(None, items=items, **({"learners": 10} | options))


def test_items_come_from_one_place(items, tmp_path):
    with pytest.raises(BankError, match="not from both"):
        simulate_cat(None, items=items, bank=tmp_path)
    with pytest.raises(BankError, match="--competence"):
        simulate_cat(None)


def test_positioning_is_the_served_one(tmp_path, capsys):
    found = simulate_positioning(tmp_path / "out", learners=20, jobs=2, bar=rich_bar)
    assert found.design == positioning_design(shipped_bank().framework)
    assert len(found.competences) == 16
    assert (tmp_path / "out" / "report.html").is_file()
    assert capsys.readouterr().out == ""


def test_positioning_over_some_competences():
    found = simulate_positioning(None, competences=("1.2", "4.1"), learners=20, skip="ignored", skipping=0.4)
    assert {found.competences[place] for place in found.measures.scope} == {"1.2", "4.1"}
    assert {id.split("-")[1] for id, rate in zip(found.items, found.measures.exposure, strict=True) if rate} == {
        "1.2",
        "4.1",
    }
    assert found.design.skip == "ignored"


def test_positioning_with_accessible_items_only():
    found = simulate_positioning(None, learners=20, accessible=("blind",))
    asked = [id for id, rate in zip(found.items, found.measures.exposure, strict=True) if rate]
    assert all(shipped_bank().item(id).accessible.blind for id in asked)


def test_stopping_rules_by_name():
    assert stop_after(20, 0.3).rules[0].sd == 0.3
    assert stop_after(20, 0.3, least=5).rules[0].rules[0].items == 5


def test_any_rules_come_from_a_design_file(items, tmp_path):
    design = Design(
        score=KullbackLeibler("likelihood"),
        filters=(Prefer(FairChance()), FitsTheTime(1200.0)),
        pick=Proportional(4.0),
        stop=AnyOf((OutOfTime(600.0), MaxLength(7))),
    )
    path = tmp_path / "design.json"
    path.write_text(json.dumps(to_dict(design)))
    found = simulate_cat(None, items=items, learners=30, design_file=path, timed=True, score="information")
    assert found.design == design
    assert found.result.length.max() <= 7


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("not json", "not a design in JSON"),
        ("[]", "not a design"),
        ('{"rule": "Nothing"}', "no rule 'Nothing'"),
        ('{"rule": "Design", "latent": {"rule": "Independent", "competences": 2}}', "2 competences"),
    ],
)
def test_a_file_that_is_no_design_is_told(items, tmp_path, text, words):
    path = tmp_path / "design.json"
    path.write_text(text)
    with pytest.raises(DesignError, match=words):
        simulate_cat(None, items=items, learners=5, design_file=path)
