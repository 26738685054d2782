"""What a simulated certification is judged by.

A *case* is one competence that one candidate's test was about. Levels: that of the profile, the certified one (at most
the profile's, 0 where nothing is certified), and the true one, of the candidate's own ability.

confirmed, lowered, not certified
    Shares of the cases, as the answers have it, whatever the outcome of the test.
wrong confirmation
    A certified level above the true level. Its rate is a share of the cases with a certified level: of the levels
    that certificates would show, how many say too much.
wrong lowering
    A certified level (or none) below the profile's, although the profile's is at most the true one. Its rate is a share
    of the cases whose profile says no more than the truth: of those with nothing to lower, how many lose.
issued
    The same of the tests that were validated: what certificates show indeed.
detection, false alarm
    Share of the candidates who were helped, or of the sincere ones, whose p-value of sincerity is below the rules'.
    Those who guess are neither: they did not confirm a profile that is theirs.
"""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import numpy as np

from engine.arrays import Bools, Floats, Ints
from engine.assembly import Softness
from engine.validation import FLAGS, End, Outcome, OutcomeReason, Status
from simulations.certification.kinds import Kind
from simulations.certification.run import Candidates, Tests
from simulations.use import exposure_rates, mean_overlap

Figures = dict[str, Any]


def share(of: Bools, among: Bools) -> float:
    """Share of what holds among some; NaN among none."""
    count = int(np.count_nonzero(among))
    return float(np.count_nonzero(of & among) / count) if count else float("nan")


def plain(value: float) -> float | None:
    """Six decimals; None where a figure cannot be said."""
    return round(float(value), 6) if isfinite(value) else None


def levels_figures(certified: Ints, profile: Ints, true: Ints, examined: Bools, validated: Bools) -> Figures:
    """Figures of certified levels.

    Parameters
    ----------
    certified, profile, true : (m, C) int
    examined : (m, C) bool
        The cases.
    validated : (m,) bool
        Tests whose levels are issued.
    """
    told, honest = examined & (certified > 0), examined & (profile <= true)
    over, issued = certified > true, told & validated[:, None]
    off = (certified - true)[examined]
    return {
        "cases": int(np.count_nonzero(examined)),
        "confirmed_rate": share((certified == profile) & (certified > 0), examined),
        "lowered_rate": share((certified < profile) & (certified > 0), examined),
        "not_certified_rate": share(certified == 0, examined),
        "wrong_confirmation_rate": share(over, told),
        "wrong_confirmation_by_two_rate": share(certified > true + 1, told),
        "wrong_lowering_rate": share(certified < profile, honest),
        "wrong_lowering_by_two_rate": share(certified < profile - 1, honest),
        "profile_too_high_rate": share(profile > true, examined),
        "profile_too_high_by_two_rate": share(profile > true + 1, examined),
        "issued_levels": int(np.count_nonzero(issued)),
        "issued_wrong_rate": share(over, issued),
        "issued_wrong_by_two_rate": share(certified > true + 1, issued),
        "level_exact": float(np.mean(off == 0)) if off.size else float("nan"),
        "level_within_one": float(np.mean(np.abs(off) <= 1)) if off.size else float("nan"),
        "mean_level_difference": float(off.mean()) if off.size else float("nan"),
    }


def by_true_level(certified: Ints, profile: Ints, true: Ints, examined: Bools, levels: int) -> list[Figures]:
    """Rates of confirmed, lowered and not certified, and what was wrong, for each true level."""
    names = ("cases", "confirmed_rate", "lowered_rate", "not_certified_rate")
    wrong = ("wrong_confirmation_rate", "wrong_lowering_rate")
    nobody = np.zeros(true.shape[0], dtype=bool)
    rows = []
    for level in range(levels + 1):
        found = levels_figures(certified, profile, true, examined & (true == level), nobody)
        rows.append({"true_level": level} | {name: _told(found[name]) for name in (*names, *wrong)})
    return rows


def figures_of(found: Candidates, true: Ints, kinds: Sequence[Kind], learners: Bools, items: int) -> Figures:
    """Figures of some learners, as plain data for JSON.

    Parameters
    ----------
    found : Candidates
    true : (n, C) int
        True levels.
    kinds : sequence of Kind
    learners : (n,) bool
        Which of them.
    items : int
        Of the bank.
    """
    chosen = np.flatnonzero(learners[found.sat])
    sat, tests = found.sat[chosen], Tests._make(field[chosen] for field in found.tests)
    everybody = np.ones(sat.size, dtype=bool)
    examined, validated = tests.status != Status.NOT_EXAMINED, tests.outcome == Outcome.VALIDATED
    levels = levels_figures(tests.level, found.levels[sat], true[sat], examined, validated)
    helped, sincere = (
        np.array([getattr(kind, name) for kind in kinds])[found.kind[sat]] for name in ("helped", "sincere")
    )
    alarm = tests.reasons & int(OutcomeReason.SINCERITY) != 0
    error = (tests.mean - found.abilities[sat])[examined]
    total = max(int(np.count_nonzero(tests.asked >= 0)), 1)
    some = sat.size > 0
    return {
        "learners": int(np.count_nonzero(learners)),
        "candidates": int(sat.size),
        "not_eligible_rate": _told(share(~found.eligibility.eligible, learners)),
        **{name: _told(value) for name, value in levels.items()},
        "sincerity_detection_rate": _told(share(alarm, helped)),
        "sincerity_false_alarm_rate": _told(share(alarm, sincere)),
        "outcomes": {code.name.lower(): _told(share(tests.outcome == code, everybody)) for code in Outcome},
        "alarms": {
            reason.name.lower(): _told(share(tests.reasons & int(reason) != 0, everybody))
            for reason in OutcomeReason
            if reason in FLAGS and reason.name and reason is not OutcomeReason.COPIED
        },
        "ends": {code.name.lower(): _told(share(tests.end == code, everybody)) for code in End},
        "competences_examined": _told(float(examined.sum(axis=1).mean()) if some else float("nan")),
        "mean_minutes": _told(float(tests.used.mean() / 60) if some else float("nan")),
        "minutes_95": _told(float(np.quantile(tests.used, 0.95) / 60) if some else float("nan")),
        "mean_items": _told(float(tests.replies.mean()) if some else float("nan")),
        "mean_answered_share": _told(float(tests.answered_share.mean()) if some else float("nan")),
        "max_exposure": _told(float(exposure_rates(tests.asked, items).max()) if some else float("nan")),
        "mean_overlap": _told(mean_overlap(tests.asked, items) if some else float("nan")),
        "rmse": _told(float(np.sqrt((error**2).mean())) if error.size else float("nan")),
        "bias": _told(float(error.mean()) if error.size else float("nan")),
        "mean_sd": _told(float(tests.sd[examined].mean()) if error.size else float("nan")),
        "relaxed": {
            flag.name.lower(): {
                "questions": _told(np.count_nonzero(tests.relaxed & int(flag)) / total),
                "candidates": _told(share((tests.relaxed & int(flag) != 0).any(axis=1), everybody)),
            }
            for flag in Softness
            if flag.name
        },
        "by_true_level": by_true_level(
            tests.level, found.levels[sat], true[sat], examined, int(max(true.max(), found.levels.max()))
        ),
    }


def honest_review_rate(figures: Mapping[str, Any]) -> float | None:
    """Share of the honest candidates whose outcome a person must review; None without any."""
    honest = figures["kinds"].get("honest")
    return None if honest is None else honest["outcomes"]["to_review"]


def relaxed_by_competence(tests: Tests, competence: Ints, flag: Softness, count: int) -> Floats:
    """Share of the questions about each competence for which a constraint gave way, (count,); NaN without questions."""
    told = tests.asked >= 0
    about = competence[tests.asked[told]]
    gave = np.bincount(about, weights=(tests.relaxed[told] & int(flag)) != 0, minlength=count)
    asked = np.bincount(about, minlength=count)
    return np.asarray(np.divide(gave, asked, out=np.full(count, np.nan), where=asked > 0))


def _told(value: float) -> float | int | None:
    return value if isinstance(value, int) else plain(value)
