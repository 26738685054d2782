"""The certification test of a bank: its rules on disk, its design, how a candidate's run begins, and who lacks what.

The API and the simulator both begin runs here, so that what is simulated is what is served.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from engine.adaptive import Design
from engine.arrays import Bools, Ints
from engine.assembly import Blueprint
from engine.certification import CertificationDesign, Eligibility, from_dict, to_dict
from engine.errors import BankError, DesignError
from engine.exposure import held_back
from engine.picks import Best
from engine.scores import VarianceReduction
from engine.state import HELD, SEEN
from engine.stopping import AnyOf, LengthByScope, OutOfTime
from itembank.framework import Framework
from itembank.positioning import GRID, MEASURED_SD
from itembank.snapshot import Snapshot
from itembank.text_files import read_text
from itembank.yaml_text import read_yaml, write_yaml

CERTIFICATION: Final = "certification.yaml"


def load_certification(path: Path | str | None = None) -> CertificationDesign:
    """Rules of a certification in a YAML file.

    Parameters
    ----------
    path : Path or str, optional
        A file, or the folder of a bank, which may hold a ``certification.yaml``; the rules shipped with Jalon when left
        out or when the folder holds none.

    Raises
    ------
    BankError
        One sentence that names the file and the field at fault.

    Examples
    --------
    >>> rules = load_certification()
    >>> rules.name, rules.version, [window.name for window in rules.windows]
    ('crcn', 2, ['final-year classes', 'troisieme'])
    """
    if path is None:
        return _shipped()
    file = Path(path)
    if file.is_dir():
        file = file / CERTIFICATION
        if not file.exists():
            return _shipped()
    if not file.is_file():
        raise BankError(f"There is no file {file}; give a {CERTIFICATION}, or leave it out for the shipped rules.")
    return certification_from(read_text(file), str(file))


def certification_from(text: str, where: str = "the certification design") -> CertificationDesign:
    """Rules of a YAML text, or a BankError with a sentence that names ``where``."""
    data = read_yaml(text, where)
    try:
        return from_dict(data)
    except DesignError as error:
        raise BankError(f"{where}: {error}") from error


def certification_text(rules: CertificationDesign) -> str:
    """Canonical YAML of rules, which :func:`certification_from` reads back."""
    return write_yaml(to_dict(rules))


@cache
def _shipped() -> CertificationDesign:
    with as_file(files("itembank") / "crcn" / CERTIFICATION) as file:
        return certification_from(read_text(file), CERTIFICATION)


def certification_test(rules: CertificationDesign, framework: Framework, limit: timedelta | float) -> Design:
    """Design of the test, one for all candidates with the same time; what is personal is in their states.

    Parameters
    ----------
    rules : CertificationDesign
    framework : Framework
    limit : timedelta or float
        Time of the test, extra time included, e.g. ``rules.limit(1 / 3)``; a number is seconds.

    Returns
    -------
    Design

    Raises
    ------
    DesignError
        When there is no time at all.
    """
    seconds = limit.total_seconds() if isinstance(limit, timedelta) else float(limit)
    if not 0 < seconds < float("inf"):
        raise DesignError(f"A test needs a positive time, not {seconds} seconds; give e.g. 7200.")
    return Design(
        score=VarianceReduction(),
        pick=Best(),
        stop=AnyOf((LengthByScope(rules.each, rules.longest), OutOfTime(seconds))),
        skip="unknown",
        time_out="incorrect",
        grid=GRID,
        latent=framework.tree(),
        measured_sd=MEASURED_SD,
        assembly=Blueprint(
            least=rules.least,
            most=rules.most,
            each=rules.each,
            longest=rules.longest,
            seconds=rules.planned * seconds,
        ),
    )


class Beginning(NamedTuple):
    """What :func:`engine.adaptive.begin` is given for a candidate."""

    allowed: Bools  # (I,) items that may be asked at all
    reserve: Ints  # (*batch, I) items held back as long as there are others: 0, or a code of engine.state


def beginning(
    snapshot: Snapshot,
    rules: CertificationDesign,
    seed: ArrayLike,
    accessible: Iterable[str] = (),
    competences: Sequence[str] | None = None,
    seen: Iterable[str] = (),
) -> Beginning:
    """Items that a candidate may be asked, and those held back.

    Parameters
    ----------
    snapshot : Snapshot
    rules : CertificationDesign
    seed : (*batch,) int
        Of the run.
    accessible : names of flags
        Accommodations.
    competences : codes, optional
        The candidate's certifiable competences; all of them when left out.
    seen : item ids
        Items of the learner's last ``rules.seen_runs`` runs, of whatever snapshot.

    Returns
    -------
    Beginning
    """
    reserve = np.where(held_back(seed, snapshot.topic, rules.share), HELD, 0)
    known = set(seen)
    reserve[..., np.array([id in known for id in snapshot.ids])] = SEEN
    return Beginning(snapshot.allowed(accessible, competences=competences), reserve)


def eligibility_words(
    framework: Framework, rules: CertificationDesign, eligibility: Eligibility, locale: str = "fr"
) -> str:
    """Say in one or two sentences what a learner may be certified in, or what is missing.

    Parameters
    ----------
    framework : Framework
    rules : CertificationDesign
    eligibility : Eligibility
        Of one learner, over the C competences of the framework.
    locale : {"fr", "en"}

    Returns
    -------
    str
    """
    words = WORDS.get(locale, WORDS["en"])
    measured, certifiable = (np.flatnonzero(mask) for mask in (eligibility.measured, eligibility.certifiable))
    low = np.flatnonzero(eligibility.measured & ~eligibility.certifiable)

    def listed(rows: Ints) -> str:
        return ", ".join(framework.codes[row] for row in rows)

    def said(key: str, count: int, **values: Any) -> str:
        one = count < 2 if locale == "fr" else count == 1
        return words[key][0 if one else 1].format(count=count, **values)

    if bool(eligibility.eligible):
        return said("eligible", certifiable.size, codes=listed(certifiable))
    parts = []
    if eligibility.lacks_positioned > 0:
        parts.append(said("positioned", int(eligibility.lacks_positioned), needed=rules.positioned))
        parts[-1] += said("measured", measured.size, codes=listed(measured)) if measured.size else words["none"][0]
    if eligibility.lacks_reached > 0:
        parts.append(
            said(
                "reached",
                int(eligibility.lacks_reached),
                needed=rules.reached,
                level=rules.level,
                have=certifiable.size,
            )
        )
        parts[-1] += said("low", low.size, codes=listed(low), level=rules.level) if low.size else "."
    return " ".join(parts)


WORDS: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = {
    "fr": {
        "eligible": (
            "La certification est ouverte ; elle porte sur {count} compétence : {codes}.",
            "La certification est ouverte ; elle porte sur {count} compétences : {codes}.",
        ),
        "positioned": (
            "Il manque un positionnement dans {count} compétence ; il en faut {needed} depuis le début de l'année "
            "scolaire",
            "Il manque un positionnement dans {count} compétences ; il en faut {needed} depuis le début de l'année "
            "scolaire",
        ),
        "measured": (", et {count} est acquis : {codes}.", ", et {count} sont acquis : {codes}."),
        "none": (", et aucun n'est acquis.", ""),
        "reached": (
            "Il faut le niveau {level} ou plus dans {needed} compétences : il est atteint dans {have}, il en manque "
            "{count}",
            "Il faut le niveau {level} ou plus dans {needed} compétences : il est atteint dans {have}, il en manque "
            "{count}",
        ),
        "low": (" ({codes} est au-dessous).", " ({codes} sont au-dessous)."),
    },
    "en": {
        "eligible": (
            "Certification is open; it is about {count} competence: {codes}.",
            "Certification is open; it is about {count} competences: {codes}.",
        ),
        "positioned": (
            "{count} more competence must be measured by a positioning; {needed} are needed since the school year "
            "began",
            "{count} more competences must be measured by a positioning; {needed} are needed since the school year "
            "began",
        ),
        "measured": (", and {count} is: {codes}.", ", and {count} are: {codes}."),
        "none": (", and none is.", ""),
        "reached": (
            "Level {level} or above is needed in {needed} competences: it is reached in {have}, {count} is missing",
            "Level {level} or above is needed in {needed} competences: it is reached in {have}, {count} are missing",
        ),
        "low": (" ({codes} is below it).", " ({codes} are below it)."),
    },
}
