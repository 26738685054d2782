from typing import Any

import pytest

from api.pages.portrait import credible_levels, portrait, standing_out
from api.pages.words import words_of
from itembank.files import shipped_bank
from itembank.framework import Framework

PEAKED = [0.0, 0.01, 0.03, 0.92, 0.04, 0.0, 0.0, 0.0, 0.0]


@pytest.fixture(scope="module")
def framework() -> Framework:
    return shipped_bank().framework


def entry(code: str, state: str, level: int | None = None) -> dict[str, Any]:
    if level is None:
        return {"competence": code, "state": state, **dict.fromkeys(("level", "probabilities", "measured_at"))}
    shares = [0.0] * 9
    shares[level] = 1.0
    at = "2026-09-01T08:00:00Z" if state == "measured" else None
    return {
        "competence": code,
        "state": state,
        "level": level,
        "probability": 1.0,
        "probabilities": shares,
        "measured_at": at,
    }


def result(framework: Framework) -> list[dict[str, Any]]:
    states = {"1.1": ("measured", 6), "1.2": ("measured", 1), "5.2": ("unknown", None)}
    return [entry(code, *states.get(code, ("estimated", 3))) for code in framework.codes]


@pytest.mark.parametrize(
    ("probabilities", "levels"),
    [
        (PEAKED, (3, 3)),
        ([1.0] + [0.0] * 8, (0, 0)),
        ([0.0] * 8 + [1.0], (8, 8)),
        ([1 / 9] * 9, (0, 8)),
        ([0.06, 0.3, 0.3, 0.28, 0.06, 0.0, 0.0, 0.0, 0.0], (0, 4)),
        ([0.04, 0.3, 0.3, 0.32, 0.04, 0.0, 0.0, 0.0, 0.0], (1, 3)),
    ],
)
def test_credible_levels_leave_out_a_twentieth_on_each_side(
    probabilities: list[float], levels: tuple[int, int]
) -> None:
    assert credible_levels(probabilities) == levels
    low, high = levels
    assert sum(probabilities[low : high + 1]) >= 0.9 - 1e-12


def test_every_competence_is_told_once_in_the_part_where_it_belongs(framework: Framework) -> None:
    told = portrait(words_of("fr"), framework, result(framework))
    assert [line.code for chapter in told.asked for line in chapter.lines] == ["1.1", "1.2"]
    guessed = [line.code for chapter in told.guessed for line in chapter.lines]
    assert guessed == [code for code in framework.codes if code not in ("1.1", "1.2")]
    assert [bar.code for bar in told.chart.bars] == list(framework.codes)
    assert len(told.open) == 14


def test_what_stands_out_is_measured(framework: Framework) -> None:
    told = portrait(words_of("en"), framework, result(framework))
    assert told.strong == ("Searching for and monitoring information",)
    assert told.grow == ("Managing data",)
    assert standing_out([]) == ((), ())


def test_an_unknown_competence_has_no_level(framework: Framework) -> None:
    told = portrait(words_of("fr"), framework, result(framework))
    unknown = told.guessed[-1].lines[-1]
    assert (unknown.state, unknown.level, unknown.strip) == ("unknown", None, ())
    assert told.chart.bars[-1].level is None
    assert told.chart.bars[-1].boxes == ()


def test_the_chart_holds_its_boxes_in_the_order_of_the_levels(framework: Framework) -> None:
    drawn = portrait(words_of("fr"), framework, result(framework)).chart
    heights = [box.y for box in drawn.bars[0].boxes]
    assert heights == sorted(heights, reverse=True)
    assert all(0 <= box.y and box.y + box.height <= drawn.height for bar in drawn.bars for box in bar.boxes)
    assert all(0 <= box.x and box.x + box.width <= drawn.width for bar in drawn.bars for box in bar.boxes)
    assert drawn.bars[0].disc < drawn.bars[1].disc
