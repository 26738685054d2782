"""Calibrated parameters of one item, as a bank keeps them, and how many become the engine's struct of arrays."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from engine.errors import BankError, ParameterError
from engine.parameters import POLYTOMOUS as POLYTOMOUS_MODELS
from engine.parameters import ItemParameters, Model

POLYTOMOUS: Final = tuple(model.label for model in POLYTOMOUS_MODELS)
"""Names of the models with thresholds."""


@dataclass(frozen=True)
class Parameters:
    """Parameters of one item, logistic metric, D = 1.

    Parameters
    ----------
    model : str
        ``1PL`` ... ``4PL``, ``GRM``, ``GPCM``.
    discrimination : float
    difficulty : float, optional
        None for a polytomous model, whose thresholds say it all.
    guessing, slipping : float
        Lower and upper asymptotes; ``slipping`` is 1 for an item without slips.
    thresholds : tuple of float
    time_intensity : float, optional
        Logarithm of the median seconds of a learner of average speed; None when unknown.
    time_discrimination : float, optional
        Inverse of the standard deviation of the logarithm of the seconds.
    provisional : bool
        True for expert judgement, False for estimates.
    """

    model: str
    discrimination: float = 1.0
    difficulty: float | None = None
    guessing: float = 0.0
    slipping: float = 1.0
    thresholds: tuple[float, ...] = ()
    time_intensity: float | None = None
    time_discrimination: float | None = None
    provisional: bool = False

    def __post_init__(self) -> None:
        """Refuse what no model accepts."""
        Model.named(self.model)
        if (self.difficulty is None) != (self.model in POLYTOMOUS):
            need = "thresholds and no difficulty" if self.model in POLYTOMOUS else "a difficulty"
            raise BankError(f"Parameters of the model {self.model} need {need}; correct them.")
        if self.time_discrimination is not None and not self.time_discrimination > 0:
            raise BankError(f"A time discrimination is above 0, not {self.time_discrimination}; correct it.")
        try:
            to_engine([self])
        except ParameterError as error:
            raise BankError(str(error).removeprefix("Item number 1 has ").capitalize()) from error

    @property
    def location(self) -> float:
        """Difficulty, or the mean of the thresholds of a polytomous item."""
        return self.difficulty if self.difficulty is not None else sum(self.thresholds) / len(self.thresholds)

    @property
    def categories(self) -> int:
        """Number of response categories."""
        return len(self.thresholds) + 1 if self.thresholds else 2

    def rescaled(self, scale: float) -> "Parameters":
        """Parameters on the metric D = 1, given parameters on the metric D = ``scale``."""
        return self if scale == 1.0 else replace(self, discrimination=self.discrimination * scale)

    def timed_as(self, old: "Parameters | None") -> "Parameters":
        """Parameters with the time parameters of before where there are none."""
        if old is None:
            return self
        return replace(
            self,
            time_intensity=old.time_intensity if self.time_intensity is None else self.time_intensity,
            time_discrimination=(
                old.time_discrimination if self.time_discrimination is None else self.time_discrimination
            ),
        )


def to_engine(rows: Sequence[Parameters]) -> ItemParameters:
    """Struct of arrays of I items, in the order given."""
    return ItemParameters.of(
        [row.model for row in rows],
        [row.discrimination for row in rows],
        [row.difficulty for row in rows],
        [row.guessing for row in rows],
        [row.slipping for row in rows],
        [row.thresholds or None for row in rows],
    )
