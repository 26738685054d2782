"""Designs as plain data, and their hash: a run stores both, so that it can be replayed years later."""

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from engine import assembly, filters, grid, latent, picks, scores, stopping
from engine.adaptive import Design
from engine.errors import DesignError

RULES: Final[Mapping[str, type]] = {
    rule.__name__: rule
    for rule in (
        scores.InformationAtMean,
        scores.WeightedInformation,
        scores.VarianceReduction,
        scores.KullbackLeibler,
        filters.Prefer,
        filters.Unasked,
        filters.Allowed,
        filters.OnePerTopic,
        filters.AnotherTopic,
        filters.WithoutEnemies,
        filters.Quotas,
        filters.FitsTheTime,
        filters.NoTwoTimed,
        filters.FairChance,
        filters.EasierAfterSkip,
        picks.Best,
        picks.TopK,
        picks.Proportional,
        picks.SympsonHetter,
        stopping.MaxLength,
        stopping.AtLeast,
        stopping.PreciseEnough,
        stopping.LevelIsClear,
        stopping.OutOfTime,
        stopping.LengthByScope,
        stopping.AnyOf,
        stopping.AllOf,
        grid.Grid,
        latent.Independent,
        latent.LatentTree,
        assembly.Blueprint,
        Design,
    )
}
"""Everything that a design may be made of, by the name it is stored under."""

YOUNGER: Final = frozenset({(Design, "parameters"), (Design, "assembly")})
"""Fields younger than designs already stored: left out at their default, so that those designs keep their hashes."""


def to_dict(design: Design) -> dict[str, Any]:
    """Plain data of a design: dictionaries with a ``rule`` key, lists, strings and numbers, whole ones as integers.

    Raises
    ------
    DesignError
        When a field holds something else.

    Examples
    --------
    >>> to_dict(Design())["pick"]
    {'rule': 'Best'}
    """
    plain: dict[str, Any] = _plain(design)
    return plain


def from_dict(data: Mapping[str, Any]) -> Design:
    """Design of plain data.

    Raises
    ------
    DesignError
        When a rule or one of its fields is unknown.
    """
    design = _built(data)
    if not isinstance(design, Design):
        raise DesignError("This is not a design: its outermost rule must be Design.")
    return design


def content_hash(design: Design) -> str:
    """SHA-256 of the design's canonical JSON, in hexadecimal: equal designs have equal hashes."""
    text = json.dumps(to_dict(design), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        fields = {
            field.name: _plain(getattr(value, field.name))
            for field in dataclasses.fields(value)
            if (type(value), field.name) not in YOUNGER or getattr(value, field.name) != field.default
        }
        return {"rule": type(value).__name__, **fields}
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise DesignError(f"A design holds rules, tuples, words and finite numbers; {value!r} is none of them.")


def _built(value: Any) -> Any:
    if isinstance(value, Mapping):
        name = value.get("rule")
        if not isinstance(name, str) or name not in RULES:
            raise DesignError(f"There is no rule {name!r}; the rules are {', '.join(sorted(RULES))}.")
        rule = RULES[name]
        known = {field.name: field.default is dataclasses.MISSING for field in dataclasses.fields(rule)}
        given = {key: _built(part) for key, part in value.items() if key != "rule"}
        unknown = sorted(set(given) - set(known))
        if unknown:
            raise DesignError(f"{name} has no field {unknown[0]!r}; its fields are {', '.join(known) or 'none'}.")
        lacking = [field for field, needed in known.items() if needed and field not in given]
        if lacking:
            raise DesignError(f"{name} lacks its field {lacking[0]!r}; its fields are {', '.join(known)}.")
        try:
            return rule(**given)
        except TypeError as error:
            raise DesignError(f"{name} cannot be made of these values ({error}); correct its fields.") from error
    if isinstance(value, list | tuple):
        return tuple(_built(part) for part in value)
    return value
