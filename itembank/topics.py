"""Topics of a run: what a learner obtained in each, what the model expected of them, and what to work on next.

The test measures competences; a topic gets a few items at most, and its tally is a hint for working, not a measure.
What was expected is told next to what was obtained, because the test chooses harder items for stronger learners: half
of the points may be a good result.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from engine.arrays import Floats, Ints
from engine.errors import BankError, ResponseError
from engine.models import log_probability
from engine.responses import NOT_REACHED, SILENCES, SKIPPED
from itembank.framework import Framework
from itembank.snapshot import Snapshot

DECIMALS: Final = 6

Reason = Literal["missed", "skipped", "not_seen"]
"""Why a topic is suggested: points lost below expectation by answers, or mostly by skips; or never asked about."""


@dataclass(frozen=True)
class TopicTally:
    """Points of one run in one topic; an item is worth one point, a part of it when marking gives partial credit.

    Parameters
    ----------
    competence, topic : str
        Codes.
    asked : int
        Items replied to, skips and time-outs included.
    obtained : float
        Points, from 0 to ``asked``; a skip and a time-out give none.
    expected, variance : float
        Mean and variance of the points under the model, for the learner's final ability, all items being answered.
    skipped : int
        Items passed.
    """

    competence: str
    topic: str
    asked: int
    obtained: float
    expected: float
    variance: float
    skipped: int

    @property
    def short(self) -> float:
        """Points below expectation; negative above it."""
        return self.expected - self.obtained

    def told(self) -> dict[str, Any]:
        """Plain data, numbers rounded to 6 decimals."""
        return {
            name: round(value, DECIMALS) if isinstance(value, float) else value for name, value in asdict(self).items()
        }


class Suggestion(NamedTuple):
    """A topic to work on next, and why."""

    topic: str
    reason: Reason


def topic_tallies(
    replies: Iterable[tuple[str, int]], snapshot: Snapshot, abilities: ArrayLike
) -> tuple[TopicTally, ...]:
    """Tally the replies of one run by topic.

    Parameters
    ----------
    replies : pairs of item id and response
        A category, or a code of :mod:`engine.responses`; items not reached are left out.
    snapshot : Snapshot
        The one that the run pins.
    abilities : (C,) float
        The learner's final mean ability in each competence of the framework.

    Returns
    -------
    tuple of TopicTally
        Of the topics asked about, in the order of the snapshot.

    Raises
    ------
    BankError, ResponseError
        When the snapshot does not serve an item, or a response or the abilities cannot be.

    Notes
    -----
    The points of an item with categories 0 to m are k / m. Abilities are estimated from these same replies, so that
    obtained and expected points tend to be nearer to each other than the variance, that of a known ability, says.

    Examples
    --------
    >>> from itembank.files import shipped_bank
    >>> snapshot = Snapshot.of(shipped_bank())
    >>> [tally] = topic_tallies([("crcn-1.1-01", 1)], snapshot, [0.0] * 16)
    >>> tally.topic, tally.asked, tally.obtained, round(tally.expected, 2)
    ('moteurs', 1, 1.0, 0.91)
    """
    given = [(snapshot.row(id), response) for id, response in replies if response != NOT_REACHED]
    rows = np.array([row for row, _ in given], dtype=np.int64)
    responses = np.array([response for _, response in given], dtype=np.int64)
    theta = np.asarray(abilities, dtype=np.float64)
    if theta.shape != (len(snapshot.framework.codes),) or not np.isfinite(theta).all():
        raise ResponseError(
            f"A tally needs one finite ability for each of {len(snapshot.framework.codes)} competences."
        )
    top = snapshot.parameters.categories[rows] - 1
    if ((responses > top) | (responses < -SILENCES)).any():
        raise ResponseError("A response is not a category of its item; give 0 up to its last category, or a skip code.")
    obtained = np.maximum(responses, 0) / top
    expected, variance = _points(snapshot, rows, theta)
    tallies = []
    for number in np.unique(snapshot.topic[rows]).tolist():
        here = snapshot.topic[rows] == number
        competence, topic = snapshot.topics[number]
        tallies.append(
            TopicTally(
                competence=competence,
                topic=topic,
                asked=int(np.count_nonzero(here)),
                obtained=float(obtained[here].sum()),
                expected=float(expected[here].sum()),
                variance=float(variance[here].sum()),
                skipped=int(np.count_nonzero(responses[here] == SKIPPED)),
            )
        )
    return tuple(tallies)


def _points(snapshot: Snapshot, rows: Ints, theta: Floats) -> tuple[Floats, Floats]:
    """Mean and variance of the points of each item (R,), at the ability in its competence."""
    if rows.size == 0:
        return np.zeros(0), np.zeros(0)
    items = snapshot.parameters.take(rows)
    every = np.exp(log_probability(items, theta))  # (R, K, C)
    chances = every[np.arange(rows.size), :, snapshot.competence[rows]]
    share = np.arange(chances.shape[1]) / (items.categories - 1)[:, None]
    mean = np.sum(chances * share, axis=1)
    return np.clip(mean, 0.0, 1.0), np.sum(chances * (share - mean[:, None]) ** 2, axis=1)


def suggested_topics(
    tallies: Sequence[TopicTally],
    framework: Framework,
    snapshot: Snapshot,
    competence: str,
    level: int,
    count: int = 3,
) -> tuple[Suggestion, ...]:
    """Topics of a competence to work on next.

    First those where points are below expectation, the most points first; then those that the run did not ask about
    and that have items at the learner's next level, as the framework orders them. Somebody
    who did as expected everywhere and saw every topic is given none.

    Parameters
    ----------
    tallies : sequence of TopicTally
        Of the learner's run.
    framework : Framework
        That of today, which may have fewer topics than the snapshot had.
    snapshot : Snapshot
    competence : code
    level : int
        The learner's, from 0; the next one is the highest for who is there already.
    count : int
        At most so many.

    Returns
    -------
    tuple of Suggestion

    Raises
    ------
    BankError
        When there is no such competence or level, or ``count`` is below 0.
    """
    framework.band(level)
    if count < 0:
        raise BankError(f"There cannot be {count} suggestions; ask for 0 or more.")
    order = {topic.code: place for place, topic in enumerate(framework.competence(competence).topics)}
    seen = {tally.topic: tally for tally in tallies if tally.competence == competence}
    short = [tally for tally in seen.values() if tally.topic in order and round(tally.short, DECIMALS) > 0]
    short.sort(key=lambda tally: (-round(tally.short, DECIMALS), order[tally.topic]))
    onwards = min(level + 1, framework.levels)
    ready = {item.topic for item in snapshot.items if item.competence == competence and item.level == onwards}
    unseen = [code for code in order if code in ready and code not in seen]
    found = [Suggestion(tally.topic, _why(tally)) for tally in short]
    return tuple([*found, *(Suggestion(code, "not_seen") for code in unseen)][:count])


def _why(tally: TopicTally) -> Reason:
    """Whether most of the points lost were passed, or lost by answers."""
    lost = tally.asked - tally.obtained
    return "skipped" if 2 * tally.skipped > lost else "missed"
