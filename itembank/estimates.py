"""What a calibration says of one item: its parameters, their standard errors and their covariance."""

from collections.abc import Mapping, Sequence
from math import isnan
from typing import Annotated, Any, Final

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field, TypeAdapter, model_validator

from engine.arrays import Floats
from engine.parameters import Model
from itembank.parameters import Parameters
from itembank.strict import Count, Record, Text, read

PARAMETERS: Final = (
    *("model", "discrimination", "difficulty", "guessing", "slipping", "thresholds"),
    *("time_intensity", "time_discrimination"),
)
"""Names of the parameters of an item; whether they are provisional is not one."""

Value = Annotated[float, Field(strict=True)]
Size = Annotated[Count, Field(ge=0)]
Errors = Mapping[str, "float | Sequence[float] | Floats"]


class StandardErrors(Record):
    """Standard errors of the parameters of one item, in their units; None where there is none."""

    discrimination: Value | None = None
    difficulty: Value | None = None
    guessing: Value | None = None
    slipping: Value | None = None
    thresholds: tuple[Value | None, ...] | None = None
    time_intensity: Value | None = None
    time_discrimination: Value | None = None


class ItemEstimates(Record):
    """What a calibration says of one item: the fields of itembank.parameters.Parameters, and how sure they are.

    Parameters
    ----------
    errors : StandardErrors, optional
    free : tuple of int, optional
        Places of the F estimated parameters among the working ones of the item: slope a, intercepts (-a b, or -a b_k),
        logit of guessing, logit of slipping.
    covariance : (F, F) float, optional
        Covariance of these.
    answers : int, optional
        Responses that were evidence.
    status : str, optional
        How the estimation of the item ended, e.g. ``"converged"``.
    """

    id: Text
    model: Text
    discrimination: Value
    difficulty: Value | None = None
    guessing: Value = 0.0
    slipping: Value = 1.0
    thresholds: tuple[Value, ...] = ()
    time_intensity: Value | None = None
    time_discrimination: Value | None = None
    errors: StandardErrors | None = None
    free: tuple[Size, ...] | None = None
    covariance: tuple[tuple[Value, ...], ...] | None = None
    answers: Size | None = None
    status: Text | None = None

    @model_validator(mode="after")
    def _coherent(self) -> "ItemEstimates":
        parameters = self.parameters
        if Model.named(self.model).label != self.model:
            raise ValueError(f"has a model {self.model!r}; write {Model.named(self.model).label}")
        if (self.free is None) != (self.covariance is None):
            raise ValueError("has a covariance without its places, or the reverse; give both")
        if self.free is not None and self.covariance is not None:
            rows = [len(self.free)] * len(self.free)
            if [len(row) for row in self.covariance] != rows or any(p >= _working(parameters) for p in self.free):
                raise ValueError("has a covariance that does not fit its places; give one row and column for each")
        errors = self.errors.thresholds if self.errors is not None else None
        if errors is not None and len(errors) != len(self.thresholds):
            raise ValueError("has another number of thresholds than of their standard errors; give one for each")
        return self

    @property
    def parameters(self) -> Parameters:
        """Parameters of the item, not provisional."""
        return Parameters(
            self.model,
            self.discrimination,
            self.difficulty,
            self.guessing,
            self.slipping,
            self.thresholds,
            self.time_intensity,
            self.time_discrimination,
        )

    @property
    def working_covariance(self) -> Floats | None:
        """Covariance of the P = T + 3 working parameters, (P, P), NaN where not estimated; None when unknown."""
        if self.free is None or self.covariance is None:
            return None
        count = _working(self.parameters)
        whole = np.full((count, count), np.nan)
        whole[np.ix_(self.free, self.free)] = np.array(self.covariance).reshape(len(self.free), len(self.free))
        return whole

    @classmethod
    def of(
        cls,
        id: str,
        parameters: Parameters,
        errors: Errors | None = None,
        covariance: ArrayLike | None = None,
        answers: int | None = None,
        status: str | None = None,
    ) -> "ItemEstimates":
        """Entry of an item, from what an estimation gives.

        Parameters
        ----------
        id : str
        parameters : Parameters
            Whether they say that they are provisional does not matter: these are estimates.
        errors : mapping of name of parameter to float, or to (T',) float for ``thresholds``
            NaN where there is none; T' may be larger than T.
        covariance : (P', P') float, optional
            Of the working parameters, NaN where not estimated; P' may be larger than T + 3, as in arrays of items with
            several numbers of thresholds: the last two are always the logits.
        answers, status : as above
        """
        thresholds = len(parameters.thresholds) or 1
        free = known = None
        if covariance is not None:
            whole = np.asarray(covariance, dtype=np.float64)
            own = np.r_[0 : 1 + thresholds, whole.shape[0] - 2 : whole.shape[0]]
            whole = whole[np.ix_(own, own)]
            free = np.flatnonzero(np.isfinite(np.diagonal(whole)))
            known = whole[np.ix_(free, free)].tolist()
        return read(
            TypeAdapter(cls),
            {
                **{name: getattr(parameters, name) for name in PARAMETERS},
                "id": id,
                "errors": None if errors is None else _told(errors, len(parameters.thresholds)),
                "free": None if free is None else free.tolist(),
                "covariance": known,
                "answers": None if answers is None else int(answers),
                "status": status,
            },
            f"item {id}",
        )


def _working(parameters: Parameters) -> int:
    """Return the number of working parameters, P."""
    return (len(parameters.thresholds) or 1) + 3


def _told(errors: Errors, thresholds: int) -> dict[str, Any]:
    """Write None where there is no standard error."""
    told: dict[str, Any] = {}
    for name, error in errors.items():
        if isinstance(error, float | int):
            told[name] = None if isnan(error) else float(error)
        else:
            values = [None if isnan(value) else float(value) for value in error[:thresholds]]
            told[name] = values if any(value is not None for value in values) else None
    return told
