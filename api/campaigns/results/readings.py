"""What was sent, as arrays for the measurement of groups."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from api.campaigns.records import Campaign, Participation
from engine.arrays import Floats, Ints
from itembank.framework import Framework


@dataclass(frozen=True, eq=False)
class Readings:
    """Snapshots of n learners about the C competences of a campaign, in the order of the framework."""

    codes: tuple[str, ...]
    people: tuple[Participation, ...]
    """Without their snapshots."""
    probabilities: Floats
    """(n, C, L + 1) of each level; NaN where a learner is unknown."""
    own_mean: Floats
    """(n, C) from the answers of the run to the competence itself alone; NaN where nothing was asked."""
    own_sd: Floats
    """(n, C)"""
    topics: Mapping[tuple[str, str], tuple[float, float, float, int]]
    """By competence and topic: points obtained and expected, variance, replies; sums over the learners."""

    def of(self, rows: Sequence[int] | Ints) -> "Readings":
        """Keep some learners; the topics stay those of all."""
        chosen = np.asarray(rows, dtype=np.int64)
        return Readings(
            self.codes,
            tuple(self.people[row] for row in chosen),
            self.probabilities[chosen],
            self.own_mean[chosen],
            self.own_sd[chosen],
            self.topics,
        )


def readings(framework: Framework, campaign: Campaign, sent: Iterable[Participation]) -> Readings:
    """Read snapshots, one by one, so that what they hold besides is not kept."""
    codes = tuple(code for code in framework.codes if code in campaign.competences)
    people: list[Participation] = []
    levels: list[Floats] = []
    own: list[Floats] = []
    topics: dict[tuple[str, str], tuple[float, float, float, int]] = {}
    for one in sent:
        snapshot = one.snapshot or {}
        people.append(without_snapshot(one))
        levels.append(level_rows(snapshot, codes, framework.levels))
        own.append(own_rows(snapshot, codes))
        for tally in snapshot.get("topics", ()):
            key = (tally["competence"], tally["topic"])
            before = topics.get(key, (0.0, 0.0, 0.0, 0))
            figures = (tally["obtained"], tally["expected"], tally["variance"], tally["asked"])
            topics[key] = tuple(old + new for old, new in zip(before, figures, strict=True))
    count = len(people)
    measures = np.array(own).reshape(count, len(codes), 2)
    return Readings(
        codes,
        tuple(people),
        np.array(levels).reshape(count, len(codes), framework.levels + 1),
        measures[..., 0],
        measures[..., 1],
        topics,
    )


def without_snapshot(one: Participation) -> Participation:
    """Keep who sent something and when, without what."""
    return Participation(**{**vars(one), "snapshot": None})


def level_rows(snapshot: Mapping[str, Any], codes: Sequence[str], levels: int) -> Floats:
    """Probabilities of the levels in one snapshot, (C, L + 1); NaN where the learner is unknown."""
    found = np.full((len(codes), levels + 1), np.nan)
    entries = {entry["competence"]: entry for entry in snapshot.get("competences", ())}
    for row, code in enumerate(codes):
        told = entries.get(code, {}).get("probabilities")
        if told is not None and len(told) == levels + 1:
            found[row] = np.asarray(told) / np.sum(told)  # they were rounded when they were told
    return found


def own_rows(snapshot: Mapping[str, Any], codes: Sequence[str]) -> Floats:
    """Mean and sd from the own answers of one snapshot, (C, 2); NaN where there are none."""
    entries = {entry["competence"]: entry for entry in snapshot.get("own") or ()}
    pairs = [(entries.get(code, {}).get("mean"), entries.get(code, {}).get("sd")) for code in codes]
    return np.array([[np.nan if figure is None else figure for figure in pair] for pair in pairs]).reshape(-1, 2)


def targets_of(campaign: Campaign, codes: Sequence[str]) -> Ints:
    """Level aimed at in each competence, (C,); -1 where there is none."""
    return np.array([campaign.targets.get(code, -1) for code in codes], dtype=np.int64)


def figure(value: float, decimals: int = 4) -> float | None:
    """Write a number for JSON: rounded, and None where it is not known."""
    return None if np.isnan(value) else round(float(value), decimals)
