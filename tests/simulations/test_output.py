import csv
import json
from html.parser import HTMLParser

import numpy as np
import pytest

from engine.designs import from_dict
from engine.errors import BankError, JalonError
from engine.picks import SympsonHetter
from engine.stopping import AnyOf, MaxLength, PreciseEnough
from simulations.behaviours import behaving
from simulations.learners import draw
from simulations.output import write, write_files
from simulations.report import report
from simulations.run import simulate
from simulations.simulation import Simulation
from tests.simulations.examples import plain_bank, single, tree

FILES = {"summary.json", "learners.csv", "items.csv", "report.html"}
KEYS = {
    *("learners", "seed", "bias", "rmse", "mean_se", "coverage_90", "coverage_95", "mean_length", "max_exposure"),
    *("mean_overlap", "seconds", "learners_per_second", "competences"),
}


def simulation(design, table, names=("a <b> & c",), learners=60, seed=3, **behaviours):
    how = behaving(**behaviours)
    result = simulate(design, table, draw(design.latent, learners, seed), how)
    ids = tuple(f"item-{row}" for row in range(len(table.parameters)))
    return Simulation.of("A <title> & more", seed, design, table, how, (ids, names), result, ("A note with <tags>.",))


@pytest.fixture(scope="module")
def wide():
    return simulation(*tree(), names=("1.1", "1.2", "2.1", "2.2"), skipping=0.4, timed=True)


@pytest.fixture(scope="module")
def plain():
    return simulation(*single(plain_bank(), stop=AnyOf((PreciseEnough(0.5), MaxLength(12)))))


def rows(path):
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


class Page(HTMLParser):
    """What a page has: the attributes of its elements, its ids and its nesting."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "br", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_all_files_and_keys(wide, tmp_path):
    write(wide, tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert set(summary) >= KEYS
    assert list(summary["competences"]) == ["1.1", "1.2", "2.1", "2.2"]
    for figures in summary["competences"].values():
        assert set(figures) >= KEYS - {"seed", "seconds", "learners_per_second", "competences"}
    assert summary["learners"] == 60
    assert sum(summary["reasons"].values()) == 60
    assert from_dict(summary["design"]) == wide.design


def test_files_agree_with_the_summary(wide, tmp_path):
    write(wide, tmp_path / "out")
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    learners, items = rows(tmp_path / "out" / "learners.csv"), rows(tmp_path / "out" / "items.csv")
    assert len(learners) == 60
    assert len(items) == 80
    errors = [float(r[f"estimate_{c}"]) - float(r[f"ability_{c}"]) for r in learners for c in summary["competences"]]
    assert summary["rmse"] == pytest.approx(np.sqrt(np.mean(np.square(errors))), abs=1e-5)
    assert summary["max_exposure"] == pytest.approx(max(float(item["exposure"]) for item in items), abs=1e-5)
    assert sum(int(item["asked"]) for item in items) == sum(int(learner["length"]) for learner in learners)
    assert {int(r["level_1.1"]) for r in learners} <= set(range(4))


def test_same_seed_same_files(tmp_path):
    for name in ("one", "two"):
        write(simulation(*single(plain_bank())), tmp_path / name)
    for file in ("learners.csv", "items.csv"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    one, two = (json.loads((tmp_path / name / "summary.json").read_text()) for name in ("one", "two"))
    for timing in ("seconds", "learners_per_second"):
        del one[timing], two[timing]
    assert one == two


def test_one_simulee_without_levels_has_nulls_and_empty_cells(tmp_path):
    design, table = single(plain_bank(3))
    lone = simulation(design, table._replace(cuts=np.zeros((1, 0))), learners=1)
    write(lone, tmp_path / "out")
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["mean_overlap"] is None
    assert summary["correlation"] is None
    assert summary["level_exact"] is None
    (learner,) = rows(tmp_path / "out" / "learners.csv")
    assert learner["seconds"] == ""
    assert "level" not in learner


def test_files_are_replaced_in_a_folder_that_exists(plain, tmp_path):
    (tmp_path / "summary.json").write_text("old")
    (tmp_path / "mine.txt").write_text("kept")
    write(plain, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == FILES | {"mine.txt"}
    assert json.loads((tmp_path / "summary.json").read_text())["learners"] == 60


def test_a_new_folder_appears_complete_or_not_at_all(tmp_path):
    texts = {"first.txt": "written", "nowhere/second.txt": "cannot be written"}
    with pytest.raises(BankError, match="no folder"):
        write_files(texts, tmp_path / "deep" / "out")
    assert list((tmp_path / "deep").iterdir()) == []


def test_a_file_in_the_way_is_told(plain, tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(JalonError, match="--out"):
        write(plain, tmp_path / "out")


def test_exposure_parameters_are_written(tmp_path):
    write(simulation(*single(plain_bank(), pick=SympsonHetter((0.5,) * 60))), tmp_path / "out")
    assert {item["exposure_parameter"] for item in rows(tmp_path / "out" / "items.csv")} == {"0.500000"}


@pytest.mark.parametrize("which", ["wide", "plain"])
def test_the_report_needs_nothing_else(which, request):
    text = report(request.getfixturevalue(which))
    page = Page(text)
    assert page.open == []
    for tag, attributes in page.elements:
        assert tag not in ("script", "link", "iframe", "img")
        for name in ("src", "href", "xlink:href"):
            assert (attributes.get(name) or "#").startswith(("#", "data:image/png;base64,"))
    assert "@import" not in text
    assert "url(http" not in text


@pytest.mark.parametrize("which", ["wide", "plain"])
def test_the_report_can_be_read_by_everyone(which, request):
    page = Page(report(request.getfixturevalue(which)))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    pictures = [attributes for tag, attributes in page.elements if tag == "svg"]
    assert len(pictures) == (4 if which == "wide" else 5)
    for picture in pictures:
        assert picture["role"] == "img"
        assert len(picture["aria-label"]) > 40
    tags = [tag for tag, _ in page.elements]
    assert tags.count("figcaption") == tags.count("figure") == len(pictures)
    assert tags.count("h1") == 1
    assert ("html", {"lang": "en"}) in page.elements


def test_what_is_told_is_escaped(plain):
    text = report(plain)
    assert "A &lt;title&gt; &amp; more" in text
    assert "A note with &lt;tags&gt;." in text
    assert "<b>" not in text


def test_the_report_says_when_the_test_is_too_sure_of_itself(wide):
    assert "As it should be" in report(wide)
    astray = simulation(*tree(), names=("1.1", "1.2", "2.1", "2.2"), learners=300, guessing=1.0)
    assert "too sure of itself" in report(astray)
