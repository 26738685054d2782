"""What a calibration leaves: an item table, a record for the bank, a summary as JSON."""

import json
from typing import Any

import numpy as np

from engine.calibration.fit.overall import OverallStatus
from engine.calibration.result import ItemStatus
from engine.latent import LatentTree
from itembank.calibrations import CalibrationRecord, LeftOut, Loading, Loadings, this_software
from itembank.estimates import ItemEstimates
from itembank.item_rows import ItemRow
from itembank.tables import ItemTable
from simulations.calibration.groups import figures
from simulations.calibration.study import Study, error_of, model_of, row_parameters, words


def item_table(study: Study) -> ItemTable:
    """Parameters of the calibrated items with their standard errors, in the order of the response file."""
    found, plan = study.calibration, study.plan
    several = len(plan.competences) > 1
    rows = [
        ItemRow(
            id,
            row_parameters(found, row, study.times),
            plan.competences[plan.competence[found.rows[row]]] if several else None,
            errors={f"se_{name}": value for name, value in error_of(found, row, study.times).items()},
        )
        for row, id in enumerate(study.ids)
    ]
    place = {id: number for number, id in enumerate(plan.ids)}
    return ItemTable(
        tuple(sorted(rows, key=lambda row: place[row.id.split("@")[0] if row.id not in place else row.id]))
    )


def record(study: Study, date: str) -> CalibrationRecord:
    """Record of a calibration for the history of a bank.

    Parameters
    ----------
    study : Study
    date : str
        Now, in UTC, as ISO 8601 writes it.
    """
    found, plan = study.calibration, study.plan
    free = [row for row in range(found.rows.size) if found.status[found.rows[row]] != ItemStatus.FIXED]
    entries = [
        ItemEstimates.of(
            study.ids[row],
            row_parameters(found, row, study.times),
            error_of(found, row, study.times),
            None if np.isnan(found.covariance[row]).all() else found.covariance[row],
            int(found.counts[found.rows[row]]),
            words(ItemStatus(int(found.status[found.rows[row]]))),
        )
        for row in free
    ]
    return CalibrationRecord(
        date=date,
        source=study.asked.responses.name,
        data_hash=study.table.data_hash,
        software=this_software(),
        model=model_of(plan),
        options=study.options,
        learners=found.learners - found.silent,
        log_likelihood=found.log_likelihood,
        converged=found.converged,
        gradient=found.gradient,
        iterations=found.iterations,
        loadings=_loadings(study),
        left_out=tuple(LeftOut(id=id, status=status) for id, status in study.left_out),
        items=tuple(entries),
    )


def _loadings(study: Study) -> Loadings | None:
    latent = study.calibration.latent
    if not isinstance(latent, LatentTree) or study.asked.keep_loadings:
        return None
    errors = [None if np.isnan(error) else float(error) for error in study.calibration.loading_errors]
    count = len(study.plan.domains)
    domains = zip(study.plan.domains, latent.domain_loadings, errors[:count], strict=True)
    competences = zip(study.plan.competences, latent.competence_loadings, errors[count:], strict=True)
    return Loadings(
        domains={code: Loading(value=value, error=error) for code, value, error in domains},
        competences={code: Loading(value=value, error=error) for code, value, error in competences},
    )


def summary(study: Study) -> dict[str, Any]:
    """Figures of a calibration, in plain values; None stands for what cannot be said."""
    found, plan, check = study.calibration, study.plan, study.calibration.check
    return {
        "log_likelihood": found.log_likelihood,
        "log_posterior": found.log_posterior,
        "iterations": found.iterations,
        "converged": found.converged,
        "gradient": found.gradient,
        "seconds": study.seconds,
        "learners": found.learners,
        "silent_learners": found.silent,
        "items": len(plan.ids),
        "calibrated": int(found.rows.size),
        "model": model_of(plan),
        "parameters": found.free,
        "aic": found.aic,
        "bic": found.bic,
        "options": dict(study.options),
        "data_hash": study.table.data_hash,
        "grid": {
            "lower": check.grid.lower,
            "upper": check.grid.upper,
            "nodes": check.grid.count,
            "spacing": check.grid.spacing,
            "smallest_posterior_sd": check.smallest_sd,
            "spacing_in_smallest_sds": check.ratio,
            "refinements": check.refinements,
            "largest_edge_probability": check.edge,
        },
        "populations": _populations(study),
        "loadings": None if (loadings := _loadings(study)) is None else loadings.model_dump(mode="json"),
        "competences": [_competence(study, place) for place in range(len(plan.competences))],
        "times": _times(study),
        "dif": figures(plan, study.compared) if study.asked.dif else None,
        "left_out": dict(study.left_out),
        "by_item": _by_item(study),
    }


def summary_text(study: Study) -> str:
    """JSON of a summary."""
    return json.dumps(_plain(summary(study)), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _populations(study: Study) -> list[dict[str, Any]]:
    found = study.calibration
    names = study.table.groups or ("all",)
    return [
        {
            "group": name,
            "competence": code,
            "mean": found.population.mean[q, c],
            "mean_se": found.population_errors.mean[q, c],
            "sd": found.population.sd[q, c],
            "sd_se": found.population_errors.sd[q, c],
        }
        for q, name in enumerate(names)
        for c, code in enumerate(study.plan.competences)
    ]


def _competence(study: Study, place: int) -> dict[str, Any]:
    fit = study.fits[place]
    told: dict[str, Any] = {"competence": study.plan.competences[place]}
    if fit is None:
        return told | {"items": 0}
    overall = fit.overall
    told |= {
        "items": int(fit.rows.size),
        "learners_for_fit": int(fit.ability.size),
        "marginal_reliability": fit.reliability.marginal.tolist(),
        "empirical_reliability": fit.reliability.empirical.tolist(),
        "mean_q3": fit.dependence.mean,
        "test_information": {
            "ability": fit.information.nodes[::10].tolist(),
            "information": fit.information.information[::10].tolist(),
        },
    }
    if overall.status is not OverallStatus.COMPUTED:
        return told | {"m2": None, "m2_why_not": overall.status.words}
    return told | {
        "m2": overall.m2,
        "m2_df": overall.df,
        "m2_p": overall.p,
        "rmsea": overall.rmsea,
        "rmsea_90": list(overall.rmsea_interval),
        "srmsr": overall.srmsr,
        "cfi": overall.cfi,
        "tli": overall.tli,
    }


def _times(study: Study) -> dict[str, Any] | None:
    times = study.times
    if times is None:
        return None
    return {
        "log_likelihood": times.log_likelihood,
        "iterations": times.iterations,
        "converged": times.converged,
        "speed_sd": times.speed_sd,
        "speed_sd_se": times.speed_sd_error,
    }


def _by_item(study: Study) -> list[dict[str, Any]]:
    found, plan = study.calibration, study.plan
    told: dict[str, dict[str, Any]] = {
        id: {"id": id, "status": status, "answers": int(found.counts[plan.ids.index(id)])}
        for id, status in study.left_out
    }
    for place, fit in enumerate(study.fits):
        if fit is None:
            continue
        for at, row in enumerate(fit.rows.tolist()):
            parameters = row_parameters(found, row, study.times)
            told[study.ids[row]] = {
                "id": study.ids[row],
                "status": words(ItemStatus(int(found.status[found.rows[row]]))),
                "answers": int(found.counts[found.rows[row]]),
                "model": parameters.model,
                "competence": plan.competences[place],
                "discrimination": parameters.discrimination,
                "difficulty": parameters.location,
                "guessing": parameters.guessing,
                "slipping": parameters.slipping,
                "thresholds": list(parameters.thresholds),
                "errors": error_of(found, row, study.times),
                "s_x2": fit.items.statistic[at],
                "s_x2_df": int(fit.items.df[at]),
                "s_x2_p": fit.items.p[at],
                "rmsea": fit.items.rmsea[at],
                "infit": fit.squares.infit[at],
                "infit_z": fit.squares.infit_z[at],
                "outfit": fit.squares.outfit[at],
                "outfit_z": fit.squares.outfit_z[at],
            }
    order = {id: number for number, id in enumerate(plan.ids)}
    return sorted(told.values(), key=lambda entry: order.get(entry["id"].split("@")[0], order.get(entry["id"], 0)))


def _plain(value: Any) -> Any:
    """Plain JSON: numbers of Python, None in place of what is not finite."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value
