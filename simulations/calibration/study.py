"""A calibration from files: what was asked, what was found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from engine.arrays import Floats
from engine.calibration.calibrate import calibrate
from engine.calibration.em import Options
from engine.calibration.entries import Fixed
from engine.calibration.priors import Priors, priors_named
from engine.calibration.result import Calibration, ItemStatus
from engine.calibration.times.calibrate_times import TimeCalibration, calibrate_times
from engine.errors import BankError, DesignError, ParameterError, ResponseError
from engine.grid import Grid
from engine.latent import MAX_LOADING, Independent, LatentTree
from engine.parameters import POLYTOMOUS, Model
from engine.responses import SkipPolicy, skip_policy
from itembank.parameters import Parameters, to_engine
from itembank.responses import ResponseTable, read_responses
from itembank.times import read_times
from simulations.calibration.fit import Fit, fits
from simulations.calibration.groups import Comparison, comparisons
from simulations.calibration.plan import Plan


@dataclass(frozen=True)
class Asked:
    """What a calibration was asked to do.

    Parameters
    ----------
    responses : Path
    group, counts : str, optional
        Columns of the response file that say the group of a learner, and how many learners a line stands for.
    ignored : tuple of str
        Columns that are left out.
    anchors : tuple of str
        Items that all groups have in common; all items when empty.
    prior : tuple of str
        See :func:`engine.calibration.priors.priors_named`.
    skip : str
    nodes : int
        Of the grid from -6 to 6, to begin with.
    times : Path, optional
        Response times.
    keep_loadings : bool
        Hold the loadings of the tree.
    dif : bool
        Look for items that work differently in the groups.
    """

    responses: Path
    group: str | None = None
    counts: str | None = None
    ignored: tuple[str, ...] = ()
    anchors: tuple[str, ...] = ()
    prior: tuple[str, ...] = ()
    skip: str = "unknown"
    nodes: int = 61
    times: Path | None = None
    keep_loadings: bool = False
    dif: bool = False

    @property
    def priors(self) -> Priors:
        """Priors asked for."""
        return priors_named(self.prior)

    @property
    def policy(self) -> SkipPolicy:
        """Policy for skips."""
        return skip_policy(self.skip)

    def read(self, items: Sequence[str] | None = None) -> ResponseTable:
        """Responses of the file; any items, or those that there are."""
        return read_responses(self.responses, group=self.group, counts=self.counts, ignored=self.ignored, items=items)


@dataclass(frozen=True, eq=False)
class Study:
    """A calibration with everything that is said of it.

    Parameters
    ----------
    asked : Asked
    plan : Plan
    table : ResponseTable
    calibration : Calibration
    fits : C of Fit, None for a competence without calibrated items
    times : TimeCalibration, optional
        Of the items of the plan.
    held : tuple of str
        Items whose parameters were held.
    compared : tuple of Comparison
        DIF, where it was asked for.
    seconds : float
        That the estimation took, with standard errors, without reading and fit.
    """

    asked: Asked
    plan: Plan
    table: ResponseTable
    calibration: Calibration
    fits: tuple[Fit | None, ...]
    times: TimeCalibration | None
    held: tuple[str, ...]
    compared: tuple[Comparison, ...]
    seconds: float
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ids(self) -> tuple[str, ...]:
        """Id of each calibrated item; ``ITEM@GROUP`` for one that was estimated in a group apart."""
        found = self.calibration
        return tuple(
            self.plan.ids[row] if q < 0 else f"{self.plan.ids[row]}@{self.table.groups[q]}"
            for row, q in zip(found.rows.tolist(), found.group.tolist(), strict=True)
        )

    def told(self) -> str:
        """One or two lines for whoever asked."""
        found = self.calibration
        said = [
            f"{found.learners - found.silent:,} learners, {found.rows.size} of {len(self.plan.ids)} items calibrated"
        ]
        said.append(f"log-likelihood {found.log_likelihood:.3f}, {found.iterations} iterations, {self.seconds:.1f} s")
        line = "; ".join(said) + "."
        if not found.converged:
            line += f"\n{self.unconverged()}"
        line += "".join(f"\n{sentence}" for sentence in self.warnings())
        left = [f"{id} ({status})" for id, status in self.left_out]
        return line + (f"\nLeft out: {', '.join(left[:10])}{' ...' if len(left) > 10 else ''}" if left else "")

    def warnings(self) -> list[str]:
        """Sentences about what the estimates ran into."""
        latent = self.calibration.latent
        if not isinstance(latent, LatentTree) or self.asked.keep_loadings:
            return []
        names = (*self.plan.domains, *self.plan.competences)
        values = (*latent.domain_loadings, *latent.competence_loadings)
        ceiling = [name for name, value in zip(names, values, strict=True) if value > MAX_LOADING - 0.001]
        if not ceiling:
            return []
        return [f"Loadings at their bound of {MAX_LOADING}: {', '.join(ceiling)}; they cannot be told from 1."]

    def unconverged(self) -> str:
        """Sentence about what has not converged."""
        found = self.calibration
        moving = [self.plan.ids[row] for row in np.flatnonzero(found.status == ItemStatus.NOT_CONVERGED).tolist()]
        remedy = "add priors, drop the items that have not converged, or bring more responses"
        if 0 < len(moving) < 0.2 * len(self.plan.ids):
            return f"Not converged: {', '.join(moving)}; do not use the parameters of these: {remedy}."
        return f"Not converged (largest gradient {found.gradient:.2g} standard errors): do not use these; {remedy}."

    @property
    def left_out(self) -> tuple[tuple[str, str], ...]:
        """Items without parameters, with why."""
        status = self.calibration.status
        return tuple(
            (self.plan.ids[row], words(ItemStatus(int(status[row]))))
            for row in np.flatnonzero(status > ItemStatus.FIXED).tolist()
        )


def words(status: ItemStatus) -> str:
    """Name of a status in words.

    Examples
    --------
    >>> words(ItemStatus.TOO_FEW)
    'too few'
    """
    return status.name.lower().replace("_", " ")


def study(asked: Asked, plan: Plan, table: ResponseTable, known: Mapping[str, Parameters]) -> Study:
    """Calibrate.

    Parameters
    ----------
    asked : Asked
    plan : Plan
    table : ResponseTable
    known : mapping of item to Parameters
        Those that are held.
    """
    if asked.dif and table.group is None:
        raise DesignError("Items are compared between groups: name the column of the groups with --group.")
    fixed, plan = _fixed(plan, known)
    if fixed is not None and isinstance(plan.latent, LatentTree):
        # Held parameters give the scale of learners of any mean and sd, which a tree takes as N(0, 1).
        plan = replace(plan, latent=Independent(len(plan.competences)), domains=())
    anchors = [_row(plan, id) for id in asked.anchors]
    _speaking(asked.responses, plan, table)
    began = perf_counter()
    found = calibrate(
        table.responses,
        plan.models,
        competence=plan.competence,
        latent=plan.latent,
        estimate_loadings=isinstance(plan.latent, LatentTree) and not asked.keep_loadings,
        group=table.group,
        anchors=anchors or None,
        fixed=fixed,
        priors=asked.priors,
        skip=asked.policy,
        options=Options(grid=Grid(-6.0, 6.0, asked.nodes)),
    )
    seconds = perf_counter() - began
    return Study(
        asked,
        plan,
        table,
        found,
        fits(found, plan, table.responses, table.group, asked.policy),
        None if asked.times is None else calibrate_times(_seconds(asked.times, plan)),
        tuple(known),
        comparisons(plan, table, asked.policy, asked.priors) if asked.dif else (),
        seconds,
        _options(asked, plan, table, tuple(known)),
    )


def _fixed(plan: Plan, known: Mapping[str, Parameters]) -> tuple[Fixed | None, Plan]:
    if not known:
        return None, plan
    rows = [row for row, id in enumerate(plan.ids) if id in known]
    if not rows:
        raise BankError(
            "None of the items whose parameters are to be held has responses; nothing would give the scale."
        )
    held = [known[plan.ids[row]] for row in rows]
    models = list(plan.models)
    for row, parameters in zip(rows, held, strict=True):
        models[row] = parameters.model
    return Fixed(np.array(rows), to_engine(held)), replace(plan, models=tuple(models))


def _row(plan: Plan, id: str) -> int:
    if id not in plan.ids:
        raise ParameterError(f"The anchor {id!r} is no item of the responses; correct it.")
    return plan.ids.index(id)


def _speaking(path: Path, plan: Plan, table: ResponseTable) -> None:
    """Refuse categories that a dichotomous model does not have, naming line and column."""
    plain = np.array([model not in [poly.label for poly in POLYTOMOUS] for model in plan.models])
    if not plain.any():
        return
    highest = table.responses[:, plain].max(axis=0)
    if (highest > 1).any():
        column = int(np.flatnonzero(plain)[np.argmax(highest > 1)])
        learner = int(np.argmax(table.responses[:, column] > 1))
        where = f"{path}" if table.lines is None else f"{path}, line {int(table.lines[learner])}"
        raise ResponseError(
            f"{where}, column {plan.ids[column]!r}: learner {table.learners[learner]} has the response "
            f"{int(table.responses[learner, column])}, and the model {plan.models[column]} has the categories 0 and 1; "
            "use --model GRM or GPCM, or correct the response."
        )


def _seconds(path: Path, plan: Plan) -> Floats:
    times = read_times(path, items=plan.ids)
    arranged = np.full((len(times.learners), len(plan.ids)), np.nan)
    arranged[:, [plan.ids.index(id) for id in times.items]] = times.seconds
    return arranged


def _options(asked: Asked, plan: Plan, table: ResponseTable, held: Sequence[str]) -> dict[str, Any]:
    """Tell what was chosen, in plain values."""
    told: dict[str, Any] = {"skip": asked.skip, "nodes": asked.nodes, "priors": asked.priors.words()}
    if asked.group is not None:
        told |= {"group": asked.group, "groups": list(table.groups), "anchors": list(asked.anchors)}
    if held:
        told["held"] = sorted(held)
    if isinstance(plan.latent, LatentTree):
        told["loadings"] = "held" if asked.keep_loadings else "estimated"
    if asked.times is not None:
        told["times"] = asked.times.name
    return told


def model_of(plan: Plan) -> str:
    """Model of all items, or ``mixed``."""
    found = set(plan.models)
    return found.pop() if len(found) == 1 else "mixed"


def row_parameters(found: Calibration, row: int, times: TimeCalibration | None) -> Parameters:
    """Parameters of one calibrated item as the bank holds them."""
    items = found.parameters
    model = Model(int(items.model[row]))
    item = int(found.rows[row])
    intensity = None if times is None or not np.isfinite(times.intensity[item]) else float(times.intensity[item])
    return Parameters(
        model=model.label,
        discrimination=float(items.discrimination[row]),
        difficulty=None if model in POLYTOMOUS else float(items.difficulty[row]),
        guessing=float(items.guessing[row]),
        slipping=float(items.slipping[row]),
        thresholds=steps(items.thresholds[row]) if model in POLYTOMOUS else (),
        time_intensity=intensity,
        time_discrimination=None if intensity is None or times is None else float(times.discrimination[item]),
    )


def steps(thresholds: Floats) -> tuple[float, ...]:
    """Thresholds that an item has."""
    return tuple(float(value) for value in thresholds if np.isfinite(value))


def error_of(found: Calibration, row: int, times: TimeCalibration | None) -> dict[str, Any]:
    """Give the standard errors of one calibrated item by parameter, without those that there are not."""
    errors = found.errors
    told: dict[str, Any] = {
        name: float(getattr(errors, name)[row])
        for name in ("discrimination", "difficulty", "guessing", "slipping")
        if np.isfinite(getattr(errors, name)[row])
    }
    if found.parameters.model[row] in POLYTOMOUS:
        told.pop("difficulty", None)
        told["thresholds"] = tuple(
            float(value)
            for value, step in zip(errors.thresholds[row], found.parameters.thresholds[row], strict=True)
            if np.isfinite(step)
        )
    item = int(found.rows[row])
    if times is not None and np.isfinite(times.intensity[item]):
        told["time_intensity"] = float(times.intensity_error[item])
        told["time_discrimination"] = float(times.discrimination_error[item])
    return told
