"""Small items, a small framework and a small bank, and hypothesis strategies for items of every kind."""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from itembank.bank import ItemBank
from itembank.calibrations import CalibrationRecord, calibration_from
from itembank.estimates import ItemEstimates
from itembank.framework import Framework, framework_from
from itembank.items import Item, item_from
from itembank.parameters import Parameters
from itembank.provisional import provisional_parameters

BASE: dict[str, Any] = {
    "id": "x-1.1-01",
    "competence": "1.1",
    "topic": "alpha",
    "level": 1,
    "stem": "Quelle est la question ?",
    "time": 30,
    "accessible": {"blind": True, "colour_blind": True, "deaf": True},
}

KINDS: dict[str, dict[str, Any]] = {
    "single_choice": {"choices": {"a": "Un", "b": "Deux", "c": "Trois", "d": "Quatre"}, "key": "b"},
    "multiple_choice": {"choices": {"a": "Un", "b": "Deux", "c": "Trois", "d": "Quatre"}, "key": ["a", "c"]},
    "short_text": {"key": ["Pare-feu", "Firewall"], "typos": 1},
    "number": {"key": 42, "tolerance": 0.5, "unit": "Mo"},
    "ordering": {"choices": {"a": "Un", "b": "Deux", "c": "Trois", "d": "Quatre"}, "key": ["c", "a", "d", "b"]},
    "matching": {
        "choices": {"a": "Un", "b": "Deux", "c": "Trois"},
        "options": {"p": "Uno", "q": "Due", "r": "Tre", "s": "Quattro"},
        "key": {"a": "p", "b": "q", "c": "r"},
    },
}


def item(kind: str = "single_choice", **changes: Any) -> Item:
    """Item of a kind, with the fields given in place of the usual ones."""
    return item_from(BASE | {"kind": kind} | KINDS[kind] | changes)


def right_answer(item: Item) -> Any:
    """Answer that the key calls right."""
    if item.kind == "short_text":
        return item.key[0]
    if item.kind in ("multiple_choice", "ordering"):
        return list(item.key)
    return dict(item.key) if item.kind == "matching" else item.key


def framework(topics: bool = True) -> Framework:
    """Two domains, three competences, four levels in two bands, two topics each."""
    both = [
        {"code": code, "title": {"fr": f"Sujet {code}", "en": f"Topic {code}"}} for code in ("alpha", "beta") if topics
    ]

    def competence(code: str) -> dict[str, Any]:
        return {
            "code": code,
            "title": {"fr": f"Compétence {code}", "en": f"Competence {code}"},
            "loading": 0.8,
            "cuts": [-1.5, -0.5, 0.5, 1.5],
            "topics": both,
        }

    return framework_from(
        {
            "code": "small",
            "title": {"fr": "Petit cadre", "en": "Small framework"},
            "provisional": True,
            "bands": [
                {"code": code, "title": {"fr": code, "en": code}, "meaning": {"fr": code, "en": code}, "levels": levels}
                for code, levels in (("debutant", [1, 2]), ("avance", [3, 4]))
            ],
            "domains": [
                {
                    "code": "1",
                    "title": {"fr": "Un", "en": "One"},
                    "loading": 0.9,
                    "competences": [competence("1.1"), competence("1.2")],
                },
                {"code": "2", "title": {"fr": "Deux", "en": "Two"}, "loading": 0.7, "competences": [competence("2.1")]},
            ],
        }
    )


def bank(per_level: int = 2) -> ItemBank:
    """``per_level`` items for each level of the three competences, every kind in turn, with provisional parameters."""
    frame = framework()
    kinds = list(KINDS)
    items: list[Item] = []
    for code in frame.codes:
        for level in range(1, frame.levels + 1):
            for _ in range(per_level):
                number = len(items)
                items.append(
                    item(
                        kinds[number % len(kinds)],
                        id=f"x-{code}-{number:03}",
                        competence=code,
                        topic=("alpha", "beta")[number % 2],
                        level=level,
                        stem=f"Quelle est la question numéro {number} ?",
                        why=f"Parce que {number}.",
                    )
                )
    return ItemBank(frame, tuple(items), provisional_parameters(frame, items))


def record(parameters: Mapping[str, Parameters], **changes: Any) -> CalibrationRecord:
    """Calibration that gives these parameters."""
    entries = [ItemEstimates.of(id, known) for id, known in parameters.items()]
    return calibration_from(
        {
            "date": "2026-01-31T12:00:00Z",
            "source": "answers.csv",
            "data_hash": "0" * 64,
            "software": "jalon 0",
            "model": "mixed",
            "items": entries,
        }
        | changes
    )


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).filter(lambda text: text.strip())
LETTERS = "abcdef"


def choices(prefix: str = LETTERS) -> st.SearchStrategy[dict[str, str]]:
    """Two to six choices."""
    texts = st.lists(TEXTS, min_size=2, max_size=6, unique_by=str.strip)
    return texts.map(lambda found: dict(zip(prefix, found, strict=False)))


@st.composite
def items(draw: st.DrawFn) -> Item:
    """Item of any kind with any texts."""
    kind = draw(st.sampled_from(list(KINDS)))
    fields: dict[str, Any] = {
        "stem": draw(TEXTS),
        "why": draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=20)),
        "level": draw(st.integers(1, 4)),
        "time": draw(st.integers(5, 300)),
        "limit": draw(st.none() | st.integers(5, 300)),
        "status": draw(st.sampled_from(["draft", "field_test", "operational", "retired"])),
        "document": draw(st.none() | st.builds(lambda title, text: {"title": title, "text": text}, TEXTS, TEXTS)),
        "table": draw(st.none() | st.builds(lambda a, b: {"header": [a, b], "rows": [[b, a]]}, TEXTS, TEXTS)),
        "code": draw(st.none() | TEXTS),
    }
    if kind in ("single_choice", "multiple_choice", "ordering", "matching"):
        fields["choices"] = shown = draw(choices())
    if kind == "single_choice":
        fields["key"] = draw(st.sampled_from(list(shown)))
    elif kind == "multiple_choice":
        fields["key"] = draw(st.lists(st.sampled_from(list(shown)), min_size=1, max_size=len(shown) - 1, unique=True))
    elif kind == "ordering":
        fields["key"] = draw(st.permutations(list(shown)).filter(lambda order: list(order) != list(shown)))
    elif kind == "matching":
        fields["options"] = options = draw(choices("pqrstu"))
        fields["key"] = {code: draw(st.sampled_from(list(options))) for code in shown}
    elif kind == "short_text":
        words = st.text(st.characters(categories=("Lu", "Ll", "Nd")), min_size=1, max_size=20)
        fields["key"] = draw(st.lists(words, min_size=1, max_size=3))
        fields["typos"] = draw(st.integers(0, 2))
    else:
        fields["key"] = draw(st.integers(-(10**9), 10**9) | st.floats(-1e9, 1e9))
        fields["tolerance"] = draw(st.floats(0, 10))
        fields["unit"] = draw(st.none() | st.sampled_from(["Mo", "%", "€"]))
    if kind in ("multiple_choice", "ordering", "matching"):
        fields["credit"] = draw(st.sampled_from([[1.0], [0.5, 1.0], [0.25, 0.5, 1.0]]))
    return item(kind, **{name: value for name, value in fields.items() if value is not None})
