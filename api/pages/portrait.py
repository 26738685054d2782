"""A result in words: what a learner reads of each competence, beside its picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any, Final

from api.pages.picture import HUES, Box, Chart, Column, chart, strip
from api.pages.words import Words
from api.runs.results import MEASURED, UNKNOWN
from itembank.framework import Competence, Framework, title

COVERAGE: Final = 0.9
CERTAINTIES: Final = ((0.9, "sure"), (0.7, "very_likely"), (0.5, "likely"), (0.3, "fairly_likely"), (0.0, "uncertain"))
"""Words for the probability of a level, from so much on."""
NAMED: Final = 3
"""Most competences named as strong, or as those to begin with."""


@dataclass(frozen=True)
class Line:
    """One competence as it is told."""

    code: str
    title: str
    state: str
    asked: bool
    """Whether questions of it were asked, in this run or an earlier one that counts."""
    level: int | None
    heading: str
    certainty: str
    interval: str
    strip: tuple[Box, ...]


@dataclass(frozen=True)
class Chapter:
    """Competences of a domain as they are told."""

    code: str
    title: str
    hue: int
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Portrait:
    """A profile as it is told: as a chart, by domain, and what stands out."""

    chart: Chart
    asked: tuple[Chapter, ...]
    guessed: tuple[Chapter, ...]
    """Competences of which nothing was asked."""
    strong: tuple[str, ...]
    grow: tuple[str, ...]
    open: tuple[str, ...]
    """Codes of the competences that were not measured."""


def portrait(words: Words, framework: Framework, result: Sequence[Mapping[str, Any]]) -> Portrait:
    """Tell a result, which has one entry for each competence of the framework, in its order."""
    entries = {entry["competence"]: entry for entry in result}
    chapters = tuple(
        Chapter(
            domain.code,
            title(domain.title, words.language),
            place % HUES + 1,
            tuple(_line(words, framework, competence, entries[competence.code]) for competence in domain.competences),
        )
        for place, domain in enumerate(framework.domains)
    )
    drawn = chart(
        [
            [
                Column(line.code, line.state, line.level, entries[line.code]["probabilities"] or ())
                for line in chapter.lines
            ]
            for chapter in chapters
        ],
        framework.levels,
        [band.levels[0] for band in framework.bands],
    )
    every = [line for chapter in chapters for line in chapter.lines]
    strong, grow = standing_out([line for line in every if line.state == MEASURED])
    return Portrait(
        drawn,
        _part(chapters, asked=True),
        _part(chapters, asked=False),
        strong,
        grow,
        tuple(line.code for line in every if line.state != MEASURED),
    )


def credible_levels(probabilities: Sequence[float], coverage: float = COVERAGE) -> tuple[int, int]:
    """Levels between which the true one lies with at least this probability, no more left out below than above.

    >>> credible_levels([0.02, 0.08, 0.3, 0.4, 0.18, 0.02])
    (1, 4)
    """
    below = list(accumulate(probabilities))
    tail = 0.5 * (1.0 - coverage) * below[-1]
    low = next(level for level, share in enumerate(below) if share > tail)
    high = next(level for level, share in enumerate(below) if share >= below[-1] - tail)
    return low, high


def certainty(probability: float) -> str:
    """Name of the words for the probability of a level.

    >>> certainty(0.62)
    'likely'
    """
    return next(name for least, name in CERTAINTIES if probability >= least)


def standing_out(measured: Sequence[Line]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Titles of the competences of the highest level, and of the lowest, when they differ."""
    levels = sorted({line.level for line in measured if line.level is not None})
    if len(levels) < 2:
        return (), ()
    ranked = sorted(measured, key=lambda line: line.level or 0)
    strong = [line.title for line in reversed(ranked) if line.level == levels[-1] or (line.level or 0) > levels[0] + 1]
    grow = [line.title for line in ranked if line.level == levels[0] and line.title not in strong]
    return tuple(strong[:NAMED]), tuple(grow[:NAMED])


def _part(chapters: Sequence[Chapter], asked: bool) -> tuple[Chapter, ...]:
    """Keep the lines that were asked, or the others, and the chapters that still have some."""
    kept = (
        replace(chapter, lines=tuple(line for line in chapter.lines if line.asked == asked)) for chapter in chapters
    )
    return tuple(chapter for chapter in kept if chapter.lines)


def _line(words: Words, framework: Framework, competence: Competence, entry: Mapping[str, Any]) -> Line:
    name, state, asked = title(competence.title, words.language), entry["state"], entry["measured_at"] is not None
    if state == UNKNOWN:
        nothing = words("profile.say_nothing")
        return Line(competence.code, name, state, asked, None, words("profile.unknown"), "", nothing, ())
    low, high = credible_levels(entry["probabilities"])
    sure = words(f"profile.{certainty(entry['probability'])}")
    return Line(
        competence.code,
        name,
        state,
        asked,
        entry["level"],
        _heading(words, framework, entry["level"]),
        words("profile.certainty", words=sure, percent=round(100 * entry["probability"])),
        words("profile.exactly" if low == high else "profile.between", low=low, high=high),
        strip(entry["probabilities"]),
    )


def _heading(words: Words, framework: Framework, level: int) -> str:
    band = framework.band(level)
    if band is None:
        return words("profile.level_zero")
    return words("profile.level_band", level=level, band=title(band.title, words.language).lower())
