"""The real data sets as calibration takes them."""

import csv
from typing import NamedTuple

import numpy as np

from engine.arrays import Ints
from engine.parameters import ItemParameters
from engine.responses import NOT_REACHED, SKIPPED
from itembank.responses import ResponseTable, read_responses
from tests.reference.data import real_data

SCALING = 1.7
"""D of the estimates that Kolen and Brennan print."""
COMMON = np.arange(2, 36, 3)
"""Their common items 3, 6, ..., 36."""

DOMAINS = (
    "Number", "Algebra", "Geometry", "Data and Chance", "Biology", "Chemistry", "Physics", "Earth Science"
)  # fmt: skip
PARTS = (
    *(f"{stem}{part}" for stem in ("S032310", "S032530", "S032650", "S032697") for part in "AB"),
    *(f"S042173{part}" for part in "ABCDE"),
)
"""Items of TIMSS whose sum is an item of its own in the table: both would count the same answers twice."""
SUMMARIES = ("R31G08CZ", "R31G13CZ")
"""Items of PIRLS that only say whether any of the parts that follow is right."""


def published(form: str) -> ItemParameters:
    """Estimates of Kolen and Brennan's Table 6.5 on the metric D = 1."""
    with real_data("kb36_pars").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["form"] == form]
    a, b, c = (np.array([float(row[name]) for row in rows]) for name in "abc")
    return ItemParameters.of("3PL", SCALING * a, b, c)


def both_forms() -> tuple[Ints, Ints]:
    """Form Y, and form X as a second group: 36 items of Y, then the 24 that only X has; and who is in which group."""
    old, new = (read_responses(real_data(f"kb36_form{form}")).responses for form in "yx")
    given = np.full((old.shape[0] + new.shape[0], 60), NOT_REACHED, dtype=np.int64)
    given[: old.shape[0], :36] = old
    given[old.shape[0] :, COMMON] = new[:, COMMON]
    given[old.shape[0] :, 36:] = np.delete(new, COMMON, axis=1)
    return given, np.repeat([0, 1], [old.shape[0], new.shape[0]])


def with_omissions(responses: Ints) -> Ints:
    """Write what is missing before the last answer of a learner as a skip, what is missing after it as not reached."""
    answered = responses >= 0
    after = np.cumsum(answered[:, ::-1], axis=1)[:, ::-1] == 0
    return np.where(answered, responses, np.where(after, NOT_REACHED, SKIPPED))


def pirls() -> ResponseTable:
    """Reading, with countries as groups and without the items that repeat others."""
    return read_responses(real_data("pirls2011_omit"), group="country", ignored=SUMMARIES)


class Timss(NamedTuple):
    """TIMSS 2007, grade 8, Russia: responses (N, I), models, content domain and subject of each item."""

    ids: tuple[str, ...]
    responses: Ints
    models: list[str]
    domain: Ints
    subject: Ints


def timss(without: tuple[str, ...] = PARTS) -> Timss:
    """Mathematics (domains 0 to 3) and science (4 to 7), without the parts of summed items unless asked for."""
    table = read_responses(real_data("timss07_g8_rus_omit_na"), ignored=without)
    with real_data("timss07_g8_rus_iteminfo").open(encoding="utf-8") as file:
        content = {row["item"]: DOMAINS.index(row["content"]) for row in csv.DictReader(file)}
    domain = np.array([content[id] for id in table.items])
    models = ["GPCM" if highest > 1 else "2PL" for highest in table.responses.max(axis=0)]
    return Timss(table.items, table.responses.astype(np.int64), models, domain, domain // 4)
