"""Priors on item parameters, applied only when asked for.

What calibration maximises is log-likelihood + sum of log prior densities. A prior density is that of the parameter as
it is reported (a, b, c, d), so that the maximum does not depend on how the parameters are written inside; the
logit-normal prior alone is a normal density of logit c or logit d, as other programs use it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import betaln

from engine.arrays import Floats, Ints
from engine.errors import DesignError
from engine.working import jacobian

LOG_ROOT: Final = 0.5 * float(np.log(2.0 * np.pi))


@dataclass(frozen=True)
class LogNormal:
    """log x ~ N(mean, sd^2)."""

    mean: float = 0.0
    sd: float = 0.5

    def derivatives(self, x: Floats) -> tuple[Floats, Floats, Floats]:
        """Log density, with its first two derivatives in x."""
        z = (np.log(x) - self.mean) / self.sd**2
        return (
            -np.log(x) - 0.5 * z**2 * self.sd**2 - np.log(self.sd) - LOG_ROOT,
            -(1.0 + z) / x,
            (1.0 + z - self.sd**-2.0) / x**2,
        )


@dataclass(frozen=True)
class Normal:
    """x ~ N(mean, sd^2)."""

    mean: float = 0.0
    sd: float = 2.0

    def derivatives(self, x: Floats) -> tuple[Floats, Floats, Floats]:
        """Log density, with its first two derivatives in x."""
        z = (x - self.mean) / self.sd**2
        level = -0.5 * (x - self.mean) * z - np.log(self.sd) - LOG_ROOT
        return level, -z, np.full_like(x, -(self.sd**-2.0))


@dataclass(frozen=True)
class Beta:
    """x ~ Beta(alpha, beta), between 0 and 1."""

    alpha: float = 5.0
    beta: float = 17.0

    def derivatives(self, x: Floats) -> tuple[Floats, Floats, Floats]:
        """Log density, with its first two derivatives in x."""
        up, down = self.alpha - 1.0, self.beta - 1.0
        return (
            up * np.log(x) + down * np.log1p(-x) - betaln(self.alpha, self.beta),
            up / x - down / (1.0 - x),
            -up / x**2 - down / (1.0 - x) ** 2,
        )


@dataclass(frozen=True)
class LogitNormal:
    """logit x ~ N(mean, sd^2), the density being that of logit x."""

    mean: float = -1.5
    sd: float = 0.5

    def derivatives(self, x: Floats) -> tuple[Floats, Floats, Floats]:
        """Log density, with its first two derivatives in x."""
        turn = 1.0 / (x * (1.0 - x))
        z = (np.log(x) - np.log1p(-x) - self.mean) / self.sd**2
        level = -0.5 * z**2 * self.sd**2 - np.log(self.sd) - LOG_ROOT
        return level, -z * turn, -(turn**2) * (self.sd**-2.0 + z * (2.0 * x - 1.0))


Prior = LogNormal | Normal | Beta | LogitNormal

KINDS: Final[dict[str, type[Prior]]] = {
    "lognormal": LogNormal,
    "normal": Normal,
    "beta": Beta,
    "logitnormal": LogitNormal,
}
PARAMETERS: Final = ("discrimination", "difficulty", "guessing", "slipping")


@dataclass(frozen=True)
class Priors:
    """Prior of each kind of parameter, None for none; that of difficulty holds for every threshold too."""

    discrimination: Prior | None = None
    difficulty: Prior | None = None
    guessing: Prior | None = None
    slipping: Prior | None = None

    def __bool__(self) -> bool:
        """Tell whether there is any."""
        return any(getattr(self, name) is not None for name in PARAMETERS)

    def words(self) -> dict[str, str]:
        """Priors in the words that :func:`priors_named` reads."""
        told = {}
        for name in PARAMETERS:
            prior = getattr(self, name)
            if prior is not None:
                kind = next(word for word, found in KINDS.items() if type(prior) is found)
                told[name] = f"{kind}({', '.join(f'{value:g}' for value in vars(prior).values())})"
        return told


NO_PRIORS: Final = Priors()
USUAL_PRIORS: Final = Priors(LogNormal(0.0, 0.5), Normal(0.0, 2.0), Beta(5.0, 17.0), Beta(17.0, 5.0))
"""Documented defaults, used when ``default`` is asked for: weak for a and b, c near 0.2, d near 0.8."""


def priors_named(words: Sequence[str]) -> Priors:
    """Priors of texts such as ``guessing=beta(5, 17)``; ``default`` stands for :data:`USUAL_PRIORS`.

    Raises
    ------
    DesignError
        When a text is not understood.

    Examples
    --------
    >>> priors_named(["discrimination=lognormal(0, 0.5)"])
    Priors(discrimination=LogNormal(mean=0.0, sd=0.5), difficulty=None, guessing=None, slipping=None)
    """
    found: dict[str, Prior | None] = {}
    for text in words:
        if text.strip() == "default":
            found = {name: getattr(USUAL_PRIORS, name) for name in PARAMETERS} | found
            continue
        name, _, density = (part.strip() for part in text.partition("="))
        kind, _, numbers = density.partition("(")
        values = numbers.removesuffix(")").split(",")
        if name not in PARAMETERS or kind not in KINDS or not numbers.endswith(")") or len(values) != 2:
            raise DesignError(
                f"The prior {text!r} is not understood; write default, or PARAMETER=KIND(NUMBER, NUMBER) with one of "
                f"{', '.join(PARAMETERS)} and one of {', '.join(KINDS)}."
            )
        found[name] = _prior(kind, values[0], values[1], text)
    return Priors(**found)


def _prior(kind: str, first: str, second: str, text: str) -> Prior:
    try:
        one, two = float(first), float(second)
    except ValueError:
        raise DesignError(f"The prior {text!r} has something that is no number; write e.g. normal(0, 2).") from None
    positive = two > 0 and (kind != "beta" or one > 0)
    if not (positive and np.isfinite([one, two]).all()):
        raise DesignError(f"The prior {text!r} needs a positive spread; write e.g. normal(0, 2) or beta(5, 17).")
    found: Prior = KINDS[kind](one, two)
    return found


def log_prior(
    priors: Priors, models: Ints, working: Floats, kept: Floats, tie: Ints | None = None
) -> tuple[Floats, Floats, Floats]:
    """Log prior density of each item with its derivatives in the working parameters.

    Parameters
    ----------
    priors : Priors
    models : (J,) int
    working : (J, P) float
    kept : (J, P) float
        1 for free parameters, 0 for those that are held.
    tie : (J,) int, optional
        Items of one label (0, 1, ...) share their slope, whose prior then counts once: in equal parts for each of them.

    Returns
    -------
    value (J,), gradient (J, P), hessian (J, P, P)
    """
    count, size = working.shape
    turn = jacobian(models, working)
    reported = np.full((count, size), np.nan)
    reported[:, 0] = working[:, 0]
    reported[:, 1:-2] = -working[:, 1:-2] / working[:, :1]
    reported[:, -2:] = 1.0 / (1.0 + np.exp(-working[:, -2:]))
    value, gradient, hessian = np.zeros(count), np.zeros((count, size)), np.zeros((count, size, size))
    places = {"discrimination": [0], "difficulty": [*range(1, size - 2)], "guessing": [-2], "slipping": [-1]}
    for name, columns in places.items():
        prior = getattr(priors, name)
        if prior is None:
            continue
        for column in columns:
            rows = np.flatnonzero(np.isfinite(working[:, column]) & (kept[:, column] > 0))
            level, slope, bend = prior.derivatives(reported[rows, column])
            if name == "discrimination" and tie is not None:
                sharing = np.bincount(tie + 1, minlength=1)[tie[rows] + 1]
                share = np.where(tie[rows] >= 0, 1.0 / sharing, 1.0)
                level, slope, bend = level * share, slope * share, bend * share
            direction = turn[rows, column]
            value[rows] += level
            gradient[rows] += slope[:, None] * direction
            hessian[rows] += bend[:, None, None] * direction[:, :, None] * direction[:, None, :]
            hessian[rows] += slope[:, None, None] * _bend(column, working[rows], reported[rows, column])
    return value, gradient * kept, hessian * kept[:, :, None] * kept[:, None, :]


def _bend(column: int, working: Floats, reported: Floats) -> Floats:
    """Second derivatives of one reported parameter in the working parameters, (n, P, P)."""
    count, size = working.shape
    bend = np.zeros((count, size, size))
    if column > 0:
        slope = working[:, 0]
        bend[:, 0, 0] = 2.0 * reported / slope**2
        bend[:, 0, column] = bend[:, column, 0] = 1.0 / slope**2
    elif column < 0:
        bend[:, column, column] = reported * (1.0 - reported) * (1.0 - 2.0 * reported)
    return bend
