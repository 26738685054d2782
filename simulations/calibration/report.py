"""The report of a calibration, for a person to read."""

from typing import Final

import numpy as np

from engine.arrays import Floats, Ints
from engine.calibration.dif.multiplicity import benjamini_hochberg
from engine.calibration.fit.overall import OverallStatus
from engine.calibration.result import ItemStatus, interval
from engine.latent import MAX_LOADING, LatentTree
from simulations.calibration import figures
from simulations.calibration.fit import Fit
from simulations.calibration.groups import Comparison, letter, worst
from simulations.calibration.study import Study, model_of, words
from simulations.page import Grid, Picture, page, pictured
from simulations.readings import Reading, number

MOST_CURVES: Final = 96
"""Items whose curves are drawn, those of each competence that fit worst first; eight of each competence at least."""
MOST_PAIRS: Final = 20
MISFIT: Final = 0.05
"""Share of false alarms among the items flagged by S-X2 (Benjamini and Hochberg 1995)."""
NOISY: Final = (0.7, 1.3)
"""Mean squares outside are flagged, when their z is beyond 3 as well."""
LOOSE: Final = 0.5
"""Standard errors of the difficulty above are flagged."""


def report_page(study: Study) -> str:
    """HTML page of a calibration."""
    found = study.calibration
    return page(
        title="Calibration",
        opening=f"{found.rows.size} of {len(study.plan.ids)} items were calibrated from the responses of "
        f"{found.learners - found.silent:,} learners in {study.asked.responses.name}. Abilities are in standard "
        "deviations of the reference population; discriminations are on the logistic metric, D = 1.",
        notes=_notes(study),
        figures=_readings(study),
        pictures=_pictures(study),
        tables=_tables(study),
        particulars=_particulars(study),
    )


def flags(study: Study, fit: Fit) -> list[str]:
    """Say what deserves a look in each item of a competence; nothing where nothing does."""
    found = study.calibration
    adjusted = benjamini_hochberg(fit.items.p)
    told = []
    for at, row in enumerate(fit.rows.tolist()):
        status = ItemStatus(int(found.status[found.rows[row]]))
        said = [words(status)] if status in (ItemStatus.AT_BOUND, ItemStatus.NOT_CONVERGED) else []
        if adjusted[at] < MISFIT:
            said.append("S-X2")
        for name in ("infit", "outfit"):
            square, z = getattr(fit.squares, name)[at], getattr(fit.squares, f"{name}_z")[at]
            if not NOISY[0] <= square <= NOISY[1] and abs(z) > 3.0:
                said.append(name)
        if found.errors.difficulty[row] > LOOSE:
            said.append("large standard error")
        told.append(", ".join(said))
    return told


def _notes(study: Study) -> list[str]:
    found, check = study.calibration, study.calibration.check
    notes = []
    if not found.converged:
        notes.append(study.unconverged())
    if found.silent:
        notes.append(f"{found.silent:,} learners gave no answer that is evidence.")
    notes += study.warnings()
    for status in (ItemStatus.CONSTANT, ItemStatus.TOO_FEW, ItemStatus.EMPTY_CATEGORY):
        ids = [study.plan.ids[row] for row in np.flatnonzero(found.status == status).tolist()]
        if ids:
            notes.append(f"Left out, {words(status)}: {', '.join(ids)}.")
    if check.ratio > 0.9:
        notes.append(
            f"The nodes are {check.ratio:.2f} smallest posterior standard deviations apart; begin with more nodes."
        )
    return notes


def _readings(study: Study) -> list[Reading]:
    found, check = study.calibration, study.calibration.check
    told = [
        Reading(
            "Converged", "yes" if found.converged else "no", f"After {found.iterations} iterations over all learners."
        ),
        Reading(
            "Largest gradient",
            f"{found.gradient:.1e}",
            "How far from the top, in standard errors that a parameter would have if abilities were known.",
        ),
        Reading(
            "Log-likelihood",
            f"{found.log_likelihood:.2f}",
            f"With {found.free} parameters; AIC {found.aic:.1f}, BIC {found.bic:.1f}.",
        ),
        Reading(
            "Grid",
            f"{check.grid.count} nodes",
            f"From {check.grid.lower:g} to {check.grid.upper:g}, {check.ratio:.2f} of the smallest posterior sd "
            f"apart (0.9 is fine); refined {check.refinements} times.",
        ),
    ]
    for code, fit in _competences(study):
        several = f" of {code}" if len(study.plan.competences) > 1 else ""
        told.append(
            Reading(
                f"Reliability{several}",
                number(float(fit.reliability.empirical[0])),
                "Empirical: the share of the variance of the estimated abilities that is not error"
                + (f" (marginal, all items: {number(float(fit.reliability.marginal[0]))})."),
            )
        )
        overall = fit.overall
        if overall.status is OverallStatus.COMPUTED:
            told.append(
                Reading(
                    f"M2{several}",
                    f"{overall.m2:.1f}",
                    f"{overall.df} degrees of freedom, p = {overall.p:.3f}; RMSEA {overall.rmsea:.3f} (90 %: "
                    f"{overall.rmsea_interval.lower:.3f} to {overall.rmsea_interval.upper:.3f}), SRMSR "
                    f"{overall.srmsr:.3f}, CFI {overall.cfi:.3f}.",
                )
            )
        else:
            told.append(Reading(f"M2{several}", "–", overall.status.words))
    return told


def _pictures(study: Study) -> list[Picture]:
    found = []
    told = list(_competences(study))
    for code, fit in told:
        order = _worst_first(fit)[: max(8, MOST_CURVES // len(told))]
        several = f", {code}" if len(told) > 1 else ""
        more = "" if order.size == fit.rows.size else f" The {order.size} that fit worst, of {fit.rows.size}."
        found.append(
            (
                f"Characteristic curves{several}",
                figures.curves(study, fit, order, study.ids),
                "The line is the curve of the item; dots are the shares observed, each learner counted at the "
                "abilities that the answers leave possible (Stone 2000), with a 95 % interval of as many answers. "
                f"When the model is right, the dots lie on the line.{more}",
            )
        )
    found += [
        ("Information", figures.information(told), "How precise a test of all the items would be along the scale."),
        (
            "Wright map",
            figures.wright(told),
            "Learners to the left, items to the right, on one scale: there should be items where the learners are.",
        ),
        ("Standard errors", figures.errors(study), "Each dot is an item."),
    ]
    return pictured(found)


def _tables(study: Study) -> list[Grid]:
    tables = [_items(study, code, fit) for code, fit in _competences(study)]
    tables += [table for code, fit in _competences(study) if (table := _pairs(study, code, fit)) is not None]
    tables += [_dif(study, one) for one in study.compared]
    if isinstance(study.calibration.latent, LatentTree):
        tables.insert(0, _loadings(study))
    if study.table.groups:
        tables.insert(0, _populations(study))
    return tables


def _items(study: Study, code: str, fit: Fit) -> Grid:
    found, said = study.calibration, flags(study, fit)
    rows = []
    for at, row in enumerate(fit.rows.tolist()):
        parameters, errors = found.parameters, found.errors
        lower, upper = interval(parameters.difficulty[row : row + 1], errors.difficulty[row : row + 1])
        rows.append(
            (
                study.ids[row],
                study.plan.models[found.rows[row]],
                f"{int(found.counts[found.rows[row]]):,}",
                _with_error(parameters.discrimination, errors.discrimination, row),
                _with_error(parameters.difficulty, errors.difficulty, row),
                f"{number(float(lower[0]))} to {number(float(upper[0]))}",
                "–"
                if study.plan.models[found.rows[row]] not in ("3PL", "4PL")
                else _with_error(parameters.guessing, errors.guessing, row),
                _p(fit.items.p[at]),
                number(float(fit.squares.infit[at])),
                number(float(fit.squares.outfit[at])),
                said[at],
            )
        )
    columns = (
        *("Item", "Model", "Answers", "Discrimination (se)", "Difficulty (se)", "95 % interval", "Guessing (se)"),
        *("p of S-X2", "Infit", "Outfit", "Look at"),
    )
    heading = "Items" if len(study.plan.competences) == 1 else f"Items of {code}"
    caption = (
        "The difficulty of an item with thresholds is their mean. S-X2 compares observed and expected answers at each "
        f"score; it is flagged when p, corrected for the number of items, is below {MISFIT:g}. Infit and outfit are 1 "
        "when the model is right."
    )
    return Grid(heading, caption, columns, rows)


def _pairs(study: Study, code: str, fit: Fit) -> Grid | None:
    above = np.where(np.tri(fit.rows.size, dtype=bool), np.nan, fit.dependence.above)
    flagged = np.argwhere(fit.dependence.flagged & ~np.isnan(above))
    if flagged.size == 0:
        return None
    order = np.argsort(-above[tuple(flagged.T)], kind="stable")[:MOST_PAIRS]
    rows = [
        (study.ids[fit.rows[one]], study.ids[fit.rows[two]], number(float(fit.dependence.q3[one, two])))
        for one, two in flagged[order].tolist()
    ]
    return Grid(
        "Items that depend on each other"
        if len(study.plan.competences) == 1
        else f"Items of {code} that depend on each other",
        "Pairs whose residuals go together more than those of other pairs (Q3, more than 0.2 above the mean).",
        ("Item", "Item", "Q3"),
        rows,
    )


def _dif(study: Study, one: Comparison) -> Grid:
    rows = [
        (
            study.plan.ids[one.items[at]],
            _p(one.scores.adjusted_p[at]),
            number(float(one.scores.delta[at])),
            number(float(one.scores.standardised[at])),
            letter(int(one.scores.ets[at])),
            _p(one.curves.adjusted_p[at]),
            number(float(one.curves.signed[at])),
            number(float(one.curves.unsigned[at])),
            " and ".join(
                name
                for name, flagged in (("scores", one.scores.flagged[at]), ("curves", one.curves.flagged[at]))
                if flagged
            ),
        )
        for at in worst(one).tolist()
    ]
    several = f" in {one.competence}" if len(study.plan.competences) > 1 else ""
    caption = (
        f"Learners of the same level, {one.focal} against {study.table.groups[0]}; negative is harder for {one.focal}. "
        "By scores: Mantel-Haenszel, delta on the scale of ETS (class A small, B moderate, C large). By curves: "
        "likelihood ratio, signed and unsigned area between the curves in score points, for the items that are not "
        "anchors. An item is flagged when p, corrected for the number of items, is below 0.05 and the effect is not "
        "small."
    )
    columns = (
        *("Item", "p by scores", "Delta", "Difference in sds", "Class", "p by curves", "Signed area", "Unsigned area"),
        "Flagged by",
    )
    return Grid(f"Items that work differently for {one.focal}{several}", caption, columns, rows)


def _loadings(study: Study) -> Grid:
    found = study.calibration
    assert isinstance(found.latent, LatentTree)
    values = (*found.latent.domain_loadings, *found.latent.competence_loadings)
    rows = [
        (code, kind, number(value), _loading_error(study, value, error))
        for code, kind, value, error in zip(
            (*study.plan.domains, *study.plan.competences),
            ("domain",) * len(study.plan.domains) + ("competence",) * len(study.plan.competences),
            values,
            found.loading_errors.tolist(),
            strict=True,
        )
    ]
    return Grid(
        "Loadings", "Correlation of each node of the tree with its parent.", ("", "Node", "Loading", "se"), rows
    )


def _loading_error(study: Study, value: float, error: float) -> str:
    if not np.isnan(error):
        return number(error)
    return "held" if study.asked.keep_loadings else "at bound" if value > MAX_LOADING - 0.001 else "–"


def _populations(study: Study) -> Grid:
    found = study.calibration
    rows = [
        (
            name,
            code,
            _with_error(found.population.mean[:, c], found.population_errors.mean[:, c], q),
            _with_error(found.population.sd[:, c], found.population_errors.sd[:, c], q),
        )
        for q, name in enumerate(study.table.groups)
        for c, code in enumerate(study.plan.competences)
    ]
    return Grid("Groups", "Abilities of each group.", ("Group", "Competence", "Mean (se)", "sd (se)"), rows)


def _particulars(study: Study) -> list[tuple[str, str]]:
    found = study.calibration
    told = [(name.capitalize(), _words(value)) for name, value in study.options.items() if value not in ({}, [], ())]
    return [
        ("Responses", f"{study.asked.responses.name}, SHA-256 {study.table.data_hash}"),
        ("Model", model_of(study.plan)),
        ("Learners, items", f"{found.learners:,}, {len(study.plan.ids):,}"),
        *told,
        ("Time", f"{study.seconds:.1f} s"),
    ]


def _competences(study: Study) -> list[tuple[str, Fit]]:
    return [(code, fit) for code, fit in zip(study.plan.competences, study.fits, strict=True) if fit is not None]


def _worst_first(fit: Fit) -> Ints:
    return np.argsort(np.where(np.isnan(fit.items.p), 2.0, fit.items.p), kind="stable")


def _with_error(values: Floats, errors: Floats, row: int) -> str:
    if np.isnan(errors[row]):
        return number(float(values[row]))
    return f"{values[row]:.2f} ({errors[row]:.2f})"


def _words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} ~ {what}" for name, what in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _p(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.3f}"
