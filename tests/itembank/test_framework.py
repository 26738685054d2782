from typing import Any

import pytest

from engine.errors import BankError
from itembank.framework import framework_from, title
from tests.itembank import examples


def test_competences_are_numbered_in_order() -> None:
    framework = examples.framework()
    assert framework.codes == ("1.1", "1.2", "2.1")
    assert [framework.index(code) for code in framework.codes] == [0, 1, 2]
    assert framework.competence("2.1").code == "2.1"
    assert framework.domain_of("2.1").code == "2"
    assert framework.levels == 4
    assert framework.cuts == ((-1.5, -0.5, 0.5, 1.5),) * 3


def test_the_tree_follows_the_domains() -> None:
    tree = examples.framework().tree()
    assert tree.domain_of == (0, 0, 1)
    assert tree.domain_loadings == (0.9, 0.7)
    assert tree.competence_loadings == (0.8, 0.8, 0.8)


def test_bands_hold_the_levels() -> None:
    framework = examples.framework()
    assert framework.band(0) is None
    assert [framework.band(level).code for level in (1, 2, 3, 4)] == ["debutant", "debutant", "avance", "avance"]  # type: ignore[union-attr]
    with pytest.raises(BankError, match="levels go from 0 to 4"):
        framework.band(5)


def test_unknown_codes_get_a_sentence() -> None:
    framework = examples.framework()
    with pytest.raises(BankError, match=r"no competence '9.9' in small; use one of 1.1, 1.2, 2.1"):
        framework.index("9.9")
    with pytest.raises(BankError, match="no topic 'omega'"):
        framework.competence("1.1").topic("omega")


def test_topics_can_be_replaced() -> None:
    framework = examples.framework().with_topics({"1.2": {"gamma": {"fr": "Gamma"}}})
    assert [topic.code for topic in framework.competence("1.2").topics] == ["gamma"]
    assert [topic.code for topic in framework.competence("1.1").topics] == ["alpha", "beta"]
    with pytest.raises(BankError, match=r"no competence '9.9'"):
        framework.with_topics({"9.9": {}})


def test_plain_data_reads_back() -> None:
    framework = examples.framework()
    assert framework_from(framework.model_dump(mode="json")) == framework


def test_a_title_falls_back_on_the_first_locale() -> None:
    assert title({"fr": "Oui", "en": "Yes"}, "en") == "Yes"
    assert title({"fr": "Oui"}, "en") == "Oui"


def _change(data: Any, path: str, value: Any) -> Any:
    *parents, last = path.split("/")
    place = data
    for part in parents:
        place = place[int(part)] if part.isdigit() else place[part]
    place[int(last) if last.isdigit() else last] = value
    return data


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("domains/0/competences/0/cuts", [0, 0, 1, 2], "cuts that do not increase strictly"),
        ("domains/0/competences/0/cuts", [0, 1], "4 levels but 2 cuts for competence 1.1"),
        ("domains/0/competences/1/code", "1.1", "two competences of the same code"),
        ("domains/1/code", "1", "two domains of the same code"),
        ("bands/1/code", "debutant", "two bands of the same code"),
        ("bands/1/levels", [3, 5], "levels are not 1, 2, 3"),
        ("domains/0/loading", 1.2, "loading"),
        ("domains/0/code", 1, "must be a text; quote it"),
        ("domains/0/competences/0/topics/1/code", "alpha", "two topics of the same code"),
        ("title", {"french": "x"}, "title"),
        ("colour", "x", "colour is not a field"),
    ],
)
def test_a_faulty_framework_is_refused_with_a_sentence(path: str, value: Any, words: str) -> None:
    data = _change(examples.framework().model_dump(mode="json"), path, value)
    with pytest.raises(BankError, match=r"^The framework: ") as raised:
        framework_from(data)
    assert words in str(raised.value)
