"""The report of a simulated certification: one page that needs nothing else, for a person to read."""

from collections.abc import Iterator
from typing import Any

from engine import certification
from engine.designs import content_hash
from simulations.certification import plots
from simulations.certification.results import Certification
from simulations.page import Grid, Picture, page, pictured
from simulations.readings import Reading, number, share

_NAN = float("nan")


def report(result: Certification) -> str:
    """HTML page; no script, nothing fetched from anywhere."""
    summary = result.summary()
    return page(
        title=summary["title"],
        opening=f"{summary['learners']:,} simulated learners were positioned; the {summary['candidates']:,} of them "
        "who were eligible sat the certification. Their true levels are known. Some were helped while being "
        "positioned, some guess, some leave: the table by kind says what became of each.",
        notes=_notes(),
        figures=list(_readings(summary)),
        pictures=_pictures(result),
        tables=[_kinds(summary), _alarms(summary), _true_levels(summary), _competences(summary)],
        particulars=_particulars(result),
    )


def _notes() -> list[str]:
    return [
        "A case is a competence that a candidate's test was about.",
        "Wrong confirmation: the certified level is above the true one; a share of the cases with a certified level.",
        "Wrong lowering: certified below the profile although the profile is at most the truth; a share of the cases "
        "whose profile is at most the truth.",
        "Copying is not simulated: its statistic is not in the figures.",
    ]


def _share(value: float | None) -> str:
    return share(_NAN if value is None else value)


def _number(value: float | None) -> str:
    return number(_NAN if value is None else value)


def _readings(summary: dict[str, Any]) -> Iterator[Reading]:
    rows = (
        ("Not eligible", "not_eligible_rate", _share, "Learners whose positioning does not open the certification."),
        ("Confirmed", "confirmed_rate", _share, "Cases certified at the level of the profile."),
        ("Lowered", "lowered_rate", _share, "Cases certified below the profile."),
        ("Not certified", "not_certified_rate", _share, "Cases without a certified level."),
        ("Wrong confirmation", "wrong_confirmation_rate", _share, "Certified levels above the true one."),
        ("... by two or more", "wrong_confirmation_by_two_rate", _share, "Certified levels two or more above it."),
        ("Profile too high", "profile_too_high_rate", _share, "Cases whose profile was above the true level before."),
        ("Wrong lowering", "wrong_lowering_rate", _share, "Of the cases with nothing to lower, those lowered."),
        ("Level exact", "level_exact", _share, "Cases certified at the true level."),
        ("Detection", "sincerity_detection_rate", _share, "Helped candidates whom the test of sincerity finds."),
        ("False alarms", "sincerity_false_alarm_rate", _share, "Sincere candidates whom it finds."),
        ("RMSE", "rmse", _number, "Of the certification's own estimates, without the positioning."),
        ("Mean posterior sd", "mean_sd", _number, "What they say of their own error."),
        ("Mean time", "mean_minutes", _number, "Minutes used."),
        ("Mean items", "mean_items", _number, "Replies given."),
        ("Largest exposure", "max_exposure", _share, "Candidates who were asked the item that is asked most."),
        ("Mean overlap", "mean_overlap", _share, "Of the test that two candidates have in common, on average."),
    )
    return (Reading(name, told(summary[key]), words) for name, key, told, words in rows)


def _pictures(result: Certification) -> list[Picture]:
    return pictured(
        [
            (
                "What becomes of the competences",
                plots.fates(result),
                "Shares of the cases confirmed, lowered and not certified, by true level, all kinds of learners "
                "together.",
            ),
            (
                "Levels before and after",
                plots.levels(result),
                "Level of the profile, and certified level, for each true level (to the right); the darker, the more "
                "of the cases of that true level. Above the line, the level says too much.",
            ),
            (
                "Exposure and time",
                plots.exposure(result),
                f"The most asked item goes to {share(float(result.exposure.max()))} of the candidates; dashed, the "
                "share of the rules. Beside it, the time used.",
            ),
        ]
    )


def _kinds(summary: dict[str, Any]) -> Grid:
    shares = ("not_eligible_rate", "confirmed_rate", "lowered_rate", "not_certified_rate", "wrong_confirmation_rate")
    rows = [
        (
            name.replace("_", " "),
            f"{kind['candidates']:,}",
            *(_share(kind[key]) for key in (*shares, "wrong_lowering_rate")),
            *(_number(kind[key]) for key in ("mean_minutes", "mean_items")),
            *(_share(kind["outcomes"][key]) for key in ("validated", "rejected", "cancelled", "to_review")),
        )
        for name, kind in summary["kinds"].items()
    ]
    columns = (
        *("Kind", "Candidates", "Not eligible", "Confirmed", "Lowered", "Not certified", "Wrong confirmation"),
        *("Wrong lowering", "Minutes", "Items", "Validated", "Rejected", "Cancelled", "To review"),
    )
    return Grid("By kind of learner", "Kinds, and what became of them.", columns, rows)


def _alarms(summary: dict[str, Any]) -> Grid:
    names = ("person_fit", "sincerity", "too_fast", "times")
    rows = [
        (name.replace("_", " "), *(_share(kind["alarms"][key]) for key in names))
        for name, kind in summary["kinds"].items()
    ]
    columns = ("Kind", "Person fit", "Sincerity", "Too fast", "Times")
    return Grid("Alarms by kind", "Candidates with a p-value below that of the rules.", columns, rows)


def _true_levels(summary: dict[str, Any]) -> Grid:
    names = ("confirmed_rate", "lowered_rate", "not_certified_rate", "wrong_confirmation_rate", "wrong_lowering_rate")
    rows = [
        (str(row["true_level"]), f"{row['cases']:,}", *(_share(row[name]) for name in names))
        for row in summary["by_true_level"]
    ]
    columns = ("True level", "Cases", "Confirmed", "Lowered", "Not certified", "Wrong confirmation", "Wrong lowering")
    return Grid("By true level", "All kinds of learners together.", columns, rows)


def _competences(summary: dict[str, Any]) -> Grid:
    rows = [
        (code, f"{row['cases']:,}", _share(row["max_exposure"]), _share(row["exposure_gave_way"]))
        for code, row in summary["competences"].items()
    ]
    caption = "The last column is the share of the questions for which an item held back had to be taken."
    return Grid("By competence", caption, ("Competence", "Cases", "Largest exposure", "Exposure gave way"), rows)


def _particulars(result: Certification) -> list[tuple[str, str]]:
    found, test = result.found, result.test
    return [
        ("Learners", f"{found.seeds.size:,}, seed {result.seed}"),
        *((kind.name.replace("_", " "), repr(kind)) for kind in result.kinds),
        ("Rules", f"{test.rules.name} {test.rules.version}, {certification.content_hash(test.rules)}"),
        ("Design", content_hash(test.design)),
        ("Accommodations", ", ".join(test.accessible) or "none"),
        ("Time", f"{found.duration:.1f} s, {found.sat.size / found.duration:,.0f} candidates a second"),
    ]
