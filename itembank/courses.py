"""Ready-made courses of a bank: positionings for a level of education, with the levels aimed at, as data.

A course is where a campaign begins: whoever makes the campaign changes what they want, and the campaign keeps what the
course said that day.
"""

from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, Field, TypeAdapter, model_validator

from engine.adaptive import Design
from engine.calendar import day_of_year, year_began
from engine.errors import BankError, DesignError
from engine.responses import SkipPolicy
from itembank.files import FRAMEWORK
from itembank.framework import Framework, Number, framework_from
from itembank.positioning import default_length, positioning_design
from itembank.strict import Code, Count, Record, Text, Titles, read
from itembank.text_files import read_text
from itembank.yaml_text import read_yaml

COURSES: Final = "courses.yaml"


def _day(text: str) -> str:
    try:
        day_of_year(text)
    except DesignError as error:
        raise ValueError(f"is refused: {str(error).rstrip('.')}") from error
    return text


Day = Annotated[Text, AfterValidator(_day)]
"""Month and day, e.g. ``"09-15"``."""


class Course(Record):
    """A ready-made positioning for a level of education.

    Parameters
    ----------
    name : str
        Unique among the courses of a bank.
    version : int
        From 1; raised by whoever changes the course.
    education : str
        Level of education, e.g. ``troisieme``; several courses may be for the same one.
    title, text : mapping of locale to text
        What learners read, in the same locales: a line, and a paragraph.
    levels : mapping of competence code to int
        What the course is about, and the level aimed at in each of its competences.
    length : int, optional
        Items asked; :func:`itembank.positioning.default_length` when left out.
    skip : {"unknown", "incorrect", "ignored"}
        What a skip says.
    opens, closes : str
        Suggested first and last day, ``"MM-DD"``; a period may run over New Year.
    """

    name: Code
    version: Annotated[Count, Field(ge=1)]
    education: Code
    title: Titles = Field(min_length=1)
    text: Titles = Field(min_length=1)
    levels: Mapping[Number, Annotated[Count, Field(ge=1)]] = Field(min_length=1)
    length: Annotated[Count, Field(ge=1)] | None = None
    skip: SkipPolicy = "unknown"
    opens: Day
    closes: Day

    @model_validator(mode="after")
    def _coherent(self) -> "Course":
        if set(self.title) != set(self.text):
            raise ValueError("has a title and a text in different languages; write both in the same ones")
        if self.items < len(self.levels):
            raise ValueError(
                f"has {self.items} items for {len(self.levels)} competences; give each at least one, or leave the "
                "length out"
            )
        return self

    @property
    def competences(self) -> tuple[str, ...]:
        """Codes of the competences that the course is about, as its file orders them."""
        return tuple(self.levels)

    @property
    def items(self) -> int:
        """Number of items asked."""
        return default_length(len(self.levels)) if self.length is None else self.length

    def design(self, framework: Framework) -> Design:
        """Design of the test of this course."""
        return positioning_design(framework, self.competences, self.items, skip=self.skip)

    def dates(self, day: date) -> tuple[date, date]:
        """First and last day of the first suggested period that is not over on a day.

        Examples
        --------
        >>> seconde = next(course for course in load_courses() if course.name == "seconde")
        >>> [str(end) for end in seconde.dates(date(2026, 11, 2))]
        ['2026-09-15', '2026-12-18']
        >>> [str(end) for end in seconde.dates(date(2027, 1, 5))]
        ['2027-09-15', '2027-12-18']
        """
        began = year_began(self.opens, day)
        for first in (began, began.replace(year=began.year + 1)):
            last = date(first.year, *day_of_year(self.closes))
            if last < first:
                last = last.replace(year=last.year + 1)
            if day <= last:
                break
        return first, last

    def misfit(self, framework: Framework) -> str | None:
        """Say what the course names and a framework does not have, None when it has everything."""
        for code, level in self.levels.items():
            if code not in framework.codes:
                return f"there is no competence {code} in {framework.code}; use one of {', '.join(framework.codes)}"
            if level > framework.levels:
                return f"there is no level {level} in {framework.code}; levels go from 1 to {framework.levels}"
        return None


class _Courses(Record):
    courses: tuple[Course, ...]

    @model_validator(mode="after")
    def _named_once(self) -> "_Courses":
        names = [course.name for course in self.courses]
        if len(set(names)) < len(names):
            raise ValueError("has two courses of the same name; rename one")
        return self


_COURSES: Final = TypeAdapter(_Courses)


def load_courses(path: Path | str | None = None) -> tuple[Course, ...]:
    """Courses of a bank, in the order of their file.

    Parameters
    ----------
    path : Path or str, optional
        The folder of a bank, or a file; the bank shipped with Jalon when left out. A folder without a ``courses.yaml``
        has the shipped courses that its framework can hold, so that a bank exported to be calibrated keeps them; a file
        with ``courses: []`` has none.

    Raises
    ------
    BankError
        One sentence that names the file and the field at fault, or the course and what the framework does not have.

    Examples
    --------
    >>> [course.name for course in load_courses()]
    ['troisieme', 'seconde', 'terminale', 'capa', 'btsa']
    """
    if path is None:
        return _shipped()
    file = Path(path)
    folder = file if file.is_dir() else file.parent
    framework = _framework_in(folder)
    if file.is_dir():
        file = file / COURSES
        if not file.exists():
            return tuple(course for course in _shipped() if framework is None or course.misfit(framework) is None)
    if not file.is_file():
        raise BankError(f"There is no file {file}; give a {COURSES}, or leave it out for the shipped courses.")
    return courses_from(read_text(file), str(file), framework)


def courses_from(text: str, where: str = "the courses", framework: Framework | None = None) -> tuple[Course, ...]:
    """Courses of a YAML text.

    Parameters
    ----------
    text : str
    where : str
        How to name the text in an error.
    framework : Framework, optional
        Whose competences and levels the courses must name; not looked at when left out.

    Raises
    ------
    BankError
        One sentence that names ``where`` and what is at fault.
    """
    found = read(_COURSES, read_yaml(text, where), where).courses
    for course in found:
        misfit = course.misfit(framework) if framework is not None else None
        if misfit is not None:
            raise BankError(f"{where}: in course {course.name} {misfit}.")
    return found


def _framework_in(folder: Path) -> Framework | None:
    file = folder / FRAMEWORK
    return framework_from(read_yaml(read_text(file), str(file)), str(file)) if file.is_file() else None


@cache
def _shipped() -> tuple[Course, ...]:
    with as_file(files("itembank") / "crcn" / COURSES) as file:
        return courses_from(read_text(file), COURSES, _framework_in(file.parent))
