"""The words of the pages, by language: read once from the YAML files beside this module."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache
from importlib.resources import files
from typing import Any, Final

import yaml

LANGUAGES: Final = ("fr", "en")
"""The first one is spoken to those who ask for none of them."""

_FILES: Final = tuple(
    f"{room}{{language}}.yaml"
    for room in ("", "certification.", "organisations.", "learners.", "campaigns.", "results.")
)
_BEFORE: Final = re.compile(r" (?=[?!:;»%])")
_AFTER: Final = re.compile(r"(?<=«) ")
_PRONOUN: Final = re.compile(r"-(?=(?:t-)?(?:vous|il|elle|on)\b)")


@dataclass(frozen=True)
class Words:
    """The catalogue of one language.

    >>> words_of("fr")("run.progress", position=7, total=32)
    'Question 7 sur 32'
    """

    language: str
    texts: Mapping[str, Any]
    """A text, or a list of texts, by dotted name."""

    def __call__(self, name: str, /, **values: object) -> str:
        """Return a text with its places filled in."""
        return str(self.texts[name]).format_map(values)

    def __contains__(self, name: str) -> bool:
        """Tell whether the catalogue has a text of that name."""
        return name in self.texts

    def several(self, name: str) -> list[str]:
        """Return a list of texts."""
        return list(self.texts[name])

    def day(self, moment: date) -> str:
        """Write a date for people."""
        month = self.texts["date.months"][moment.month - 1]
        return self("date.form", day=moment.day, month=month, year=moment.year)

    def month_day(self, written: str) -> str:
        """Write a day of every year, given as ``MM-DD``, for people."""
        month, day = written.split("-")
        return self("date.every", day=int(day), month=self.texts["date.months"][int(month) - 1])

    def percent(self, share: float) -> str:
        """Write a share in whole per cent."""
        return self("date.percent", percent=round(100 * share))

    def chance(self, probability: float) -> str:
        """Write a probability in per cent; what is nearly certain is not said to be.

        >>> words_of("en").chance(0.62), words_of("en").chance(0.9999)
        ('62%', 'over 99%')
        """
        return self("date.above", percent=99) if probability > 0.99 else self.percent(probability)

    def number(self, value: float) -> str:
        """Write a number to the first decimal, with the sign of the language.

        >>> words_of("fr").number(33.34), words_of("fr").number(25.0)
        ('33,3', '25')
        """
        return f"{round(value, 1):g}".replace(".", "," if self.language == "fr" else ".")

    def signed(self, value: float) -> str:
        """Write a number to the first decimal with its sign, as a difference or a place on the ability scale.

        >>> words_of("fr").signed(0.34), words_of("en").signed(-1.25), words_of("en").signed(-0.01)
        ('+0,3', '–1.2', '0')
        """
        written = self.number(abs(value))
        return written if written == "0" else f"{'+' if value > 0 else '–'}{written}"

    def small_share(self, share: float) -> str:
        """Write a share that may be tiny: per mille when it is below a tenth.

        >>> words_of("en").small_share(0.004), words_of("en").small_share(1e-9), words_of("en").small_share(0.4)
        ('4 in 1,000', 'under 0.001 in 1,000', '40%')
        """
        if share < 1e-6:
            return self("date.under_per_mille")
        if share >= 0.0995:
            return self.percent(share)
        written = f"{1000 * share:.2g}"
        return self("date.per_mille", number=written.replace(".", "," if self.language == "fr" else "."))

    def hour(self, moment: time | datetime) -> str:
        """Write a time of day for people."""
        return self("date.hour", hour=moment.hour, minute=f"{moment.minute:02}")

    def duration(self, seconds: float) -> str:
        r"""Write how long something lasts: to the minute, and to the second under five minutes.

        >>> words_of("fr").duration(7_199), words_of("fr").duration(125.0)
        ('1\xa0h\xa059\xa0min', '2\xa0min\xa005\xa0s')
        """
        minutes, rest = divmod(max(0, int(seconds)), 60)
        if minutes >= 60:
            return self("date.hours", hours=minutes // 60, minutes=f"{minutes % 60:02}")
        if minutes >= 5:
            return self("date.minutes", minutes=minutes)
        return self("date.seconds", minutes=minutes, seconds=f"{rest:02}")


@cache
def words_of(language: str) -> Words:
    """Return the catalogue of a language."""
    folder = files("api.pages") / "words"
    contents = [yaml.safe_load((folder / name.format(language=language)).read_text("utf-8")) for name in _FILES]
    pairs = [pair for content in contents for pair in _flat(content)]
    return Words(language, {name: _each(text, language) for name, text in pairs})


def typeset(text: str, language: str) -> str:
    """Bind what must stay on one line; French puts spaces before its punctuation.

    >>> typeset("Où allez-vous ?", "fr") == "Où allez\u2011vous\u00a0?"
    True
    """
    if language != "fr":
        return text
    return _PRONOUN.sub("\u2011", _AFTER.sub("\u00a0", _BEFORE.sub("\u00a0", text)))


def _flat(content: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for name, value in content.items():
        pairs += _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else [(f"{prefix}{name}", value)]
    return pairs


def _each(value: Any, language: str) -> Any:
    return [typeset(text, language) for text in value] if isinstance(value, list) else typeset(value, language)
