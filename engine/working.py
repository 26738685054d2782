"""Working parameters: the form of item parameters in which the likelihood is nearly quadratic.

One row of ``(I, P)`` with P = T + 3 for items of at most T steps::

    0          slope a
    1 .. T     intercepts: -a b of a dichotomous item, -a b_k of each step of a GRM or GPCM item
    T + 1      logit c
    T + 2      logit d

NaN stands where an item has no such parameter. In slope and intercepts, the log-likelihood of the 1PL, 2PL, GRM and
GPCM models is concave when abilities are known (Burridge 1981; Pratt 1981), so that Newton's method cannot go astray.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, log_expit, logit, logsumexp

from engine.arrays import Bools, Floats, Ints
from engine.parameters import POLYTOMOUS, ItemParameters, Model


class Slopes(NamedTuple):
    """Log category probabilities (I, K, G) and their derivatives in the working parameters (I, K, P, G).

    Categories that an item does not have hold log probability -inf; derivatives in what an item does not have are 0.
    """

    log_p: Floats
    by_parameter: Floats


def to_working(parameters: ItemParameters) -> Floats:
    """Working parameters of I items, (I, P).

    Examples
    --------
    >>> to_working(ItemParameters.of("2PL", [2.0], [0.5]))[0].tolist()
    [2.0, -1.0, nan, nan]
    """
    steps = np.where(np.isfinite(parameters.thresholds), parameters.thresholds, np.nan)
    if steps.shape[1] == 0:
        steps = np.full((len(parameters), 1), np.nan)
    plain = ~np.isin(parameters.model, POLYTOMOUS)
    steps[plain, 0] = parameters.difficulty[plain]
    guesses, slips = asymptotes(parameters.model)
    with np.errstate(divide="ignore"):
        return np.column_stack(
            [
                parameters.discrimination,
                -parameters.discrimination[:, None] * steps,
                np.where(guesses, logit(parameters.guessing), np.nan),
                np.where(slips, logit(parameters.slipping), np.nan),
            ]
        )


def from_working(models: ArrayLike, working: Floats) -> ItemParameters:
    """Item parameters of I rows of working parameters.

    Parameters
    ----------
    models : (I,) int
        Codes of :class:`engine.parameters.Model`.
    working : (I, P) float

    Raises
    ------
    ParameterError
        When the slopes are not positive or the intercepts of a GRM item do not decrease.
    """
    codes = np.asarray(models, dtype=np.int64)
    steps = -working[:, 1:-2] / working[:, :1]
    polytomous = np.isin(codes, POLYTOMOUS)
    guesses, slips = asymptotes(codes)
    difficulty = steps[:, 0].copy()
    if polytomous.any():
        difficulty[polytomous] = np.nanmean(steps[polytomous], axis=1)
    thresholds = np.where(polytomous[:, None], steps, np.nan) if polytomous.any() else np.empty((codes.size, 0))
    return ItemParameters(
        codes,
        working[:, 0].copy(),
        difficulty,
        np.where(guesses, expit(working[:, -2]), 0.0),
        np.where(slips, expit(working[:, -1]), 1.0),
        thresholds,
    )


def asymptotes(models: Ints) -> tuple[Bools, Bools]:
    """Tell which items have a guessing, and which a slipping, each (I,)."""
    return np.isin(models, (Model.THREE_PL, Model.FOUR_PL)), models == Model.FOUR_PL


def existing(models: Ints, categories: Ints) -> Bools:
    """Tell which working parameters items of so many categories have, (I, P)."""
    most = int(categories.max(initial=2)) - 1
    guesses, slips = asymptotes(models)
    steps = np.arange(most)[None, :] < (categories - 1)[:, None]
    return np.column_stack([np.ones(models.size, dtype=bool), steps, guesses, slips])


def slopes(models: Ints, working: Floats, nodes: Floats) -> Slopes:
    """Log category probabilities with their derivatives in the working parameters.

    Parameters
    ----------
    models : (I,) int
    working : (I, P) float
    nodes : (G,) float
        Abilities.

    Returns
    -------
    Slopes
    """
    width = working.shape[1] - 2
    shape = (models.size, width, nodes.size)
    result = Slopes(np.full(shape, -np.inf), np.zeros((models.size, width, width + 2, nodes.size)))
    plain = models <= Model.FOUR_PL
    if plain.any():
        part = _logistic(models[plain], working[plain], nodes)
        result.log_p[plain, :2] = part.log_p
        result.by_parameter[plain, :2] = part.by_parameter
    for model, family in ((Model.GRM, _graded), (Model.GPCM, _partial_credit)):
        rows = models == model
        if rows.any():
            part = family(working[rows], nodes)
            result.log_p[rows] = part.log_p
            result.by_parameter[rows] = part.by_parameter
    return result


def jacobian(models: Ints, working: Floats) -> Floats:
    """Differentiate a, b (one for each step), c and d by the working parameters, (I, P, P).

    Rows are in the order a, b_1 .. b_T, c, d; zeros where an item has no such parameter.
    """
    size = working.shape[1]
    result = np.zeros((models.size, size, size))
    known = np.nan_to_num(working)
    slope = known[:, 0]
    result[:, 0, 0] = 1.0
    step = np.arange(1, size - 2)
    has = np.isfinite(working[:, 1:-2])
    result[:, step, 0] = np.where(has, known[:, 1:-2] / slope[:, None] ** 2, 0.0)
    result[:, step, step] = np.where(has, -1.0 / slope[:, None], 0.0)
    for place in (size - 2, size - 1):
        p = expit(known[:, place])
        result[:, place, place] = np.where(np.isfinite(working[:, place]), p * (1.0 - p), 0.0)
    return result


def _logistic(models: Ints, working: Floats, nodes: Floats) -> Slopes:
    guesses, slips = asymptotes(models)
    z = working[:, :1] * nodes + working[:, 1:2]
    rise, fall = log_expit(z), log_expit(-z)
    size = working.shape[1]
    log_p = np.empty((models.size, 2, nodes.size))
    log_p[:, 0], log_p[:, 1] = fall, rise
    with np.errstate(divide="ignore", invalid="ignore"):
        log_c = np.where(guesses, log_expit(working[:, -2]), -np.inf)[:, None]
        log_slip = np.where(slips, log_expit(-working[:, -1]), -np.inf)[:, None]
        log_spread = np.log(-np.expm1(log_c) - np.exp(log_slip))
    curved = guesses | slips
    if curved.any():
        with np.errstate(invalid="ignore"):  # NaN where a step took c beyond d: no step that is kept does
            log_p[curved, 0] = np.logaddexp(log_slip, log_spread + fall)[curved]
            log_p[curved, 1] = np.logaddexp(log_c, log_spread + rise)[curved]
    by_parameter = np.zeros((models.size, 2, size, nodes.size))
    sign = np.array([-1.0, 1.0])[:, None]
    turn = sign * np.exp((log_spread + rise + fall)[:, None] - log_p)
    by_parameter[:, :, 1] = turn
    by_parameter[:, :, 0] = turn * nodes
    if guesses.any():
        weight = (log_c + log_expit(-working[:, -2:-1]) + fall)[:, None]
        by_parameter[guesses, :, -2] = (sign * np.exp(weight - log_p))[guesses]
    if slips.any():
        weight = (log_slip + log_expit(working[:, -1:]) + rise)[:, None]
        by_parameter[slips, :, -1] = (sign * np.exp(weight - log_p))[slips]
    return Slopes(log_p, by_parameter)


def _graded(working: Floats, nodes: Floats) -> Slopes:
    count, size = working.shape
    has = np.isfinite(working[:, 1:-2])
    x = np.where(has[..., None], working[:, :1, None] * nodes + np.nan_to_num(working[:, 1:-2, None]), -np.inf)
    edge = np.full((count, 1, nodes.size), np.inf)
    upper, lower = np.concatenate([edge, x], axis=1), np.concatenate([x, -edge], axis=1)
    rise_upper, rise_lower = log_expit(upper), log_expit(lower)
    fall_upper, fall_lower = log_expit(-upper), log_expit(-lower)
    with np.errstate(invalid="ignore", divide="ignore"):
        gap = np.where(np.isneginf(lower), 0.0, np.log(-np.expm1(lower - upper)))
    exists = np.concatenate([np.ones((count, 1), dtype=bool), has], axis=1)[..., None]
    log_p = np.where(exists, rise_upper + fall_lower + gap, -np.inf)
    with np.errstate(invalid="ignore", over="ignore"):
        of_upper = np.where(exists & np.isfinite(upper), np.exp(fall_upper - fall_lower - gap), 0.0)
        of_lower = np.where(exists & np.isfinite(lower), np.exp(rise_lower - rise_upper - gap), 0.0)
    by_parameter = np.zeros((count, size - 2, size, nodes.size))
    by_parameter[:, :, 0] = (of_upper - of_lower) * nodes
    step = np.arange(size - 3)
    by_parameter[:, step + 1, step + 1] = of_upper[:, 1:]
    by_parameter[:, step, step + 1] = -of_lower[:, :-1]
    return Slopes(log_p, by_parameter)


def _partial_credit(working: Floats, nodes: Floats) -> Slopes:
    count, size = working.shape
    has = np.isfinite(working[:, 1:-2])
    climb = np.cumsum(working[:, :1, None] * nodes + np.nan_to_num(working[:, 1:-2, None]), axis=1)
    sums = np.concatenate([np.zeros((count, 1, nodes.size)), climb], axis=1)
    exists = np.concatenate([np.ones((count, 1), dtype=bool), has], axis=1)[..., None]
    sums = np.where(exists, sums, -np.inf)
    log_p = sums - logsumexp(sums, axis=1, keepdims=True)
    p = np.exp(log_p)
    category = np.arange(size - 2)[None, :, None]
    by_parameter = np.zeros((count, size - 2, size, nodes.size))
    by_parameter[:, :, 0] = (category - np.sum(p * category, axis=1, keepdims=True)) * nodes
    above = np.cumsum(p[:, ::-1], axis=1)[:, ::-1][:, 1:]
    reached = category[:, :, None] >= np.arange(1, size - 2)[None, None, :, None]
    by_parameter[:, :, 1:-2] = reached - above[:, None]
    by_parameter *= exists[:, :, None]
    by_parameter[:, :, 1:-2] *= has[:, None, :, None]
    return Slopes(log_p, by_parameter)
