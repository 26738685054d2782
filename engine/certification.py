"""Certification: the rules of a test that certifies a profile, as data, and who may take it.

What the answers certify is in :mod:`engine.validation`.
"""

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, get_type_hints

import numpy as np
from numpy.typing import ArrayLike

from engine.arrays import Bools, Ints
from engine.calendar import Window, day_of_year, year_began
from engine.errors import DesignError
from engine.profile import Knowledge


@dataclass(frozen=True)
class CertificationDesign:
    """Rules of a certification: named, versioned, hashed, and pinned by every session that they govern.

    Parameters
    ----------
    name, version : str, int
    positioned, reached, level : int
        Who may sit: competences measured in at least ``positioned``, with at least ``level`` in ``reached`` of them.
    school_year : str
        ``"MM-DD"``: only what was measured since this day counts.
    windows : tuple of Window
        When sessions may be held; always when there is none.
    minutes : float
        Length of the test.
    authorised_minutes : float
        How long the invigilator's authorisation to start holds.
    early_minutes, late_minutes : float, optional
        How long before and after the hour for which a session is planned a test may start; at any time when None.
    planned : float
        Share of the time within which the expected time of the whole test must fit.
    least, most, each, longest : int
        Items of a full test: at least and at most so many of a competence, so many for each competence, so many in all.
    share : float
        Share of the items of a topic that one candidate may be asked: no item is asked to more of them than that.
    seen_runs : int
        Items of so many of the learner's last runs are not asked again.
    profile_weight : float
        How much the positioning counts when items are chosen (not when they are judged), from 0 to 1.
    probability : float
        A level is certified when the ability lies above its cut with at least this probability.
    least_answered : int
        Answers to its own items without which a competence is not certified.
    complete : float
        Share of a full test below which an unfinished one is cancelled or rejected.
    certified : int
        Competences that a certificate needs.
    person_fit, sincerity, too_fast, times, copied : float
        p-values below which the outcome is for a person to review; 0 never asks.
    years : int
        How long a certificate is valid.
    """

    name: str
    version: int
    positioned: int = 5
    reached: int = 5
    level: int = 1
    school_year: str = "09-01"
    windows: tuple[Window, ...] = ()
    minutes: float = 120.0
    authorised_minutes: float = 15.0
    planned: float = 0.95
    least: int = 2
    most: int = 6
    each: int = 6
    longest: int = 56
    share: float = 0.25
    seen_runs: int = 3
    profile_weight: float = 0.5
    probability: float = 0.5
    least_answered: int = 2
    complete: float = 0.6
    certified: int = 1
    person_fit: float = 0.005
    sincerity: float = 0.005
    too_fast: float = 0.005
    times: float = 0.001
    copied: float = 0.01
    years: int = 3
    early_minutes: float | None = None
    late_minutes: float | None = None

    def __post_init__(self) -> None:
        """Refuse rules that no session could follow."""
        day_of_year(self.school_year)
        if not self.name.strip():
            raise DesignError("A certification design needs a name.")
        for name in _AT_LEAST_ONE:
            if getattr(self, name) < 1:
                raise DesignError(f"{name} must be at least 1, not {getattr(self, name)}; correct it.")
        if self.seen_runs < 0:
            raise DesignError(f"seen_runs must be at least 0, not {self.seen_runs}; correct it.")
        for name in ("minutes", "authorised_minutes"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise DesignError(f"{name} must be a positive number, not {getattr(self, name)}; correct it.")
        for name in ("early_minutes", "late_minutes"):
            allowed = getattr(self, name)
            if allowed is not None and not (math.isfinite(allowed) and allowed >= 0):
                raise DesignError(f"{name} must be a number of at least 0, not {allowed}; correct it, or leave it out.")
        for name in (*_POSITIVE_SHARES, *_SHARES):
            value = getattr(self, name)
            if not 0 <= value <= 1 or (value == 0 and name in _POSITIVE_SHARES):
                kind = "above 0 and at most 1" if name in _POSITIVE_SHARES else "between 0 and 1"
                raise DesignError(f"{name} must be {kind}, not {value}; correct it.")
        if self.reached > self.positioned:
            raise DesignError(
                f"reached ({self.reached}) cannot exceed positioned ({self.positioned}): a level is reached only in a "
                "competence that is measured; correct one of them."
            )
        for name in ("most", "each", "longest"):
            if self.least > getattr(self, name):
                raise DesignError(
                    f"least ({self.least}) cannot exceed {name} ({getattr(self, name)}); correct one of them."
                )
        if self.least_answered > self.least:
            raise DesignError(
                f"least_answered ({self.least_answered}) cannot exceed least ({self.least}): a full test must be able "
                "to certify every competence in it; correct one of them."
            )

    def limit(self, extra_time: float = 0.0) -> timedelta:
        """Time that a candidate has; ``extra_time`` is a share, e.g. 1/3 for a third more."""
        if not (math.isfinite(extra_time) and extra_time >= 0):
            raise DesignError(f"Extra time is a share of at least 0, e.g. 0.33, not {extra_time}; correct it.")
        return timedelta(minutes=self.minutes * (1.0 + extra_time))

    def window(self, day: date) -> Window | None:
        """First window that holds a day, None when no session may be held then (or there are no windows)."""
        return next((window for window in self.windows if window.holds(day)), None)

    def open_on(self, day: date) -> bool:
        """Whether a session may be held on a day."""
        return not self.windows or self.window(day) is not None

    def too_early(self, planned: datetime, at: datetime) -> bool:
        """Whether a test cannot start yet at ``at``, both moments being aware."""
        return self.early_minutes is not None and at < planned - timedelta(minutes=self.early_minutes)

    def too_late(self, planned: datetime, at: datetime) -> bool:
        """Whether a test cannot start any more at ``at``, both moments being aware."""
        return self.late_minutes is not None and at > planned + timedelta(minutes=self.late_minutes)

    def year_began(self, day: date) -> date:
        """First day of the school year in which a day lies: what was measured earlier does not count."""
        return year_began(self.school_year, day)


_AT_LEAST_ONE = (
    *("version", "positioned", "reached", "level", "least", "most", "each", "longest"),
    *("least_answered", "certified", "years"),
)
_POSITIVE_SHARES = ("planned", "share", "probability", "complete")
_SHARES = ("profile_weight", "person_fit", "sincerity", "too_fast", "times", "copied")


def to_dict(rules: CertificationDesign) -> dict[str, Any]:
    """Plain data of the rules: numbers, strings, and a list of windows; whole numbers are integers.

    What is left out of the rules is left out here, so that rules written before a field existed keep their hash.
    """
    plain = {
        name: int(value) if isinstance(value, float) and value.is_integer() else value
        for name, value in dataclasses.asdict(rules).items()
        if value is not None
    }
    return plain | {"windows": [dataclasses.asdict(window) for window in rules.windows]}


def from_dict(data: Any) -> CertificationDesign:
    """Rules of plain data.

    Raises
    ------
    DesignError
        When a field is unknown, lacking, of another kind, or impossible.
    """
    plain = _checked(data, CertificationDesign, "the certification design")
    windows = plain.pop("windows", [])
    if not isinstance(windows, list | tuple):
        raise DesignError("The field 'windows' must be a list of windows; correct it.")
    made = tuple(Window(**_checked(window, Window, f"window {place}")) for place, window in enumerate(windows, 1))
    return CertificationDesign(**plain, windows=made)


def content_hash(rules: CertificationDesign) -> str:
    """SHA-256 of the canonical JSON of the rules, in hexadecimal: equal rules have equal hashes."""
    text = json.dumps(to_dict(rules), sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


class Eligibility(NamedTuple):
    """Whether learners may sit the test, and what they lack."""

    eligible: Bools  # (*batch,)
    measured: Bools  # (*batch, C) measured within the window
    certifiable: Bools  # (*batch, C) measured, with at least the level that counts: what the test is about
    lacks_positioned: Ints  # (*batch,) competences still to be measured
    lacks_reached: Ints  # (*batch,) competences in which the level is still to be reached


def eligibility(rules: CertificationDesign, knowledge: ArrayLike, levels: ArrayLike, recent: ArrayLike) -> Eligibility:
    """Say who may sit the test, and about which competences.

    Parameters
    ----------
    rules : CertificationDesign
    knowledge : (*batch, C) int
        Codes of :class:`engine.profile.Knowledge`.
    levels : (*batch, C) int
    recent : (*batch, C) bool
        Whether the competence was measured since the school year began.

    Returns
    -------
    Eligibility

    Examples
    --------
    >>> found = eligibility(CertificationDesign("x", 1, positioned=2, reached=2), [2, 2, 1], [3, 0, 4], [True] * 3)
    >>> bool(found.eligible), found.certifiable.tolist(), int(found.lacks_reached)
    (False, [True, False, False], 1)
    """
    measured = (np.asarray(knowledge) == Knowledge.MEASURED) & np.asarray(recent, dtype=bool)
    certifiable = measured & (np.asarray(levels) >= rules.level)
    lacks_positioned = np.maximum(rules.positioned - np.count_nonzero(measured, axis=-1), 0)
    lacks_reached = np.maximum(rules.reached - np.count_nonzero(certifiable, axis=-1), 0)
    eligible = np.asarray((lacks_positioned == 0) & (lacks_reached == 0))
    return Eligibility(eligible, measured, certifiable, lacks_positioned, lacks_reached)


def _checked(data: Any, kind: type, what: str) -> dict[str, Any]:
    """Fields of a dataclass, of their kinds."""
    if not isinstance(data, Mapping):
        raise DesignError(f"{what[:1].upper()}{what[1:]} must be fields and their values; correct it.")
    hints, fields = get_type_hints(kind), dataclasses.fields(kind)
    unknown = [name for name in data if name not in hints]
    if unknown:
        raise DesignError(f"There is no field {unknown[0]!r} in {what}; its fields are {', '.join(hints)}.")
    lacking = [field.name for field in fields if field.default is dataclasses.MISSING and field.name not in data]
    if lacking:
        raise DesignError(f"The field {lacking[0]!r} of {what} is missing; add it.")
    for name, value in data.items():
        wanted = _KINDS.get(hints[name])
        if wanted is not None and (isinstance(value, bool) or not isinstance(value, wanted[0])):
            raise DesignError(f"The field {name!r} of {what} must be {wanted[1]}, not {value!r}; correct it.")
    return dict(data)


_KINDS: Mapping[Any, tuple[Any, str]] = {
    int: (int, "a whole number"),
    float: (int | float, "a number"),
    float | None: (int | float, "a number"),
    str: (str, "a text (quote it if it looks like a date)"),
}
