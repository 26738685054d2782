"""DIF by likelihood ratio: whether an item needs parameters of its own in each of two groups, and what it changes.

Each studied item is fitted twice, with the same parameters in both groups and with its own in each, from the solution
of the fit that all items share: a few iterations each.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from engine.arrays import Bools, Floats, Ints
from engine.calibration.dif.curvegap import curve_gap
from engine.calibration.dif.groupfit import Fit, TwoGroups, first_fit, next_fit
from engine.calibration.dif.matching import evidence, two_groups
from engine.calibration.dif.multiplicity import USUAL, DifStatus, FlagRule
from engine.calibration.em import Options
from engine.calibration.entries import model_codes, statuses
from engine.calibration.maximisation import at_bound
from engine.calibration.priors import NO_PRIORS, Priors
from engine.calibration.result import ItemStatus
from engine.errors import ParameterError
from engine.responses import SkipPolicy


class LikelihoodRatioDif(NamedTuple):
    """What the tests say of I items; NaN where there is nothing to say."""

    chi2: Floats  # (I,) 2 (log L with own parameters - log L with common ones)
    df: Ints  # (I,)
    p: Floats  # (I,)
    adjusted_p: Floats  # (I,) for the number of items tested
    signed: Floats  # (I,) focal minus reference expected score, over the focal group's abilities, in score points
    unsigned: Floats  # (I,) the same without signs
    share: Floats  # (I,) unsigned, over the highest score of the item
    standardised: Floats  # (I,) signed, over the sd of expected scores
    flagged: Bools  # (I,)
    status: Ints  # (I,) DifStatus
    reference: Floats  # (I, P) working parameters in the reference group
    focal: Floats  # (I, P) in the focal group
    focal_population: Floats  # (I, 2) mean and sd of the focal group in the fit with own parameters
    log_likelihood: float  # of the fit that all tests begin from
    converged: bool  # whether that fit did


def likelihood_ratio_dif(
    responses: ArrayLike,
    models: Sequence[str] | str,
    group: ArrayLike,
    *,
    reference: int = 0,
    focal: int = 1,
    anchors: ArrayLike | None = None,
    items: ArrayLike | None = None,
    priors: Priors = NO_PRIORS,
    rule: FlagRule = USUAL,
    skip: SkipPolicy = "unknown",
    time_out: SkipPolicy = "incorrect",
    options: Options = Options(),
) -> LikelihoodRatioDif:
    """Test whether each item has the same parameters in two groups.

    Parameters
    ----------
    responses : (N, I) int
        Categories, or the codes of :mod:`engine.responses`.
    models : name, or sequence of I names
        The 1PL items share a slope in all groups: only their difficulties are tested.
    group : (N,) int
    reference, focal : int
        The two groups compared; learners of others are left out. With several focal groups, call once for each.
    anchors : rows, optional
        Items known to be without DIF. When left out, all items but the studied one link the groups in its two fits
        (constrained baseline). When given, these items alone do: the others have their own parameters in each group in
        both fits, so that the DIF of one does not show in another (free baseline; Stark et al. 2006).
    items : rows, optional
        Items studied; all when left out, or all that are not anchors.
    priors : Priors
        The ratio is that of the likelihoods at the posterior modes; the item's priors then hold in each group.
    rule : FlagRule
        An item is flagged by its adjusted p value, and ``share`` from ``rule.area``.
    skip, time_out : {"unknown", "incorrect", "ignored"}
    options : Options
        As for a calibration; ``errors`` is not looked at.

    Returns
    -------
    LikelihoodRatioDif

    Raises
    ------
    ResponseError
        When an item cannot have a response, or no item can be calibrated.
    DesignError
        When the groups cannot be compared.
    ParameterError
        When the rows or the models do not suit the responses.

    Notes
    -----
    Without DIF, chi2 follows the chi-square distribution, df being the parameters that are free twice (Thissen,
    Steinberg and Wainer 1993); all fits are on the grid that was found fine enough for the first. The area between the
    curves is that of expected scores, weighted by the normal ability distribution of the focal group (wABC of Edelen,
    Stucky and Chandra 2015; SIDS and UIDS of Meade 2010); the standardised figure is Meade's ESSD, a Cohen's d. One
    competence: with several, call once for each.

    References
    ----------
    Edelen, M. O., Stucky, B. D. and Chandra, A. (2015). Quantifying "problematic" DIF within an IRT framework:
    application to a cancer stigma index. Quality of Life Research, 24, 95-103.
    Meade, A. W. (2010). A taxonomy of effect size measures for the differential functioning of items and scales.
    Journal of Applied Psychology, 95, 728-743.
    Stark, S., Chernyshenko, O. S. and Drasgow, F. (2006). Detecting differential item functioning with confirmatory
    factor analysis and item response theory: toward a unified strategy. Journal of Applied Psychology, 91, 1292-1306.
    Thissen, D., Steinberg, L. and Wainer, H. (1993). Detection of differential item functioning using the parameters of
    item response models. In Holland and Wainer, Differential item functioning, 67-113.
    """
    codes = model_codes(models, evidence(responses, skip, time_out).shape[1])
    given = np.asarray(responses)
    chosen = two_groups(group, given.shape[0], reference, focal)
    is_focal = np.asarray(group)[chosen] == focal
    data = TwoGroups(given[chosen], is_focal, codes, priors, options.fewest, skip, time_out)
    common = np.ones(codes.size, dtype=bool) if anchors is None else _marked(anchors, codes.size, "anchors")
    studied = common == (anchors is None) if items is None else _marked(items, codes.size, "studied items")
    tallies = data.tallies()
    base = first_fit(data, tallies, common, options)
    status = np.where(studied, _testable(tallies, options.fewest), DifStatus.NOT_STUDIED)
    result = _untested(status, base)
    for row in np.flatnonzero(status == DifStatus.TESTED):
        changed = common.copy()
        changed[row] = not common[row]
        again = next_fit(data, tallies, changed, options, base)
        apart, together = (again, base) if common[row] else (base, again)
        if base.found.converged and again.found.converged:
            _fill(result, int(row), codes[row], apart, together)
            if at_bound(np.stack([result.reference[row], result.focal[row]])).any():
                status[row] = DifStatus.AT_BOUND
        else:
            status[row] = DifStatus.NOT_CONVERGED
    p = np.asarray(chdtrc(np.maximum(result.df, 1), result.chi2), dtype=np.float64)
    adjusted = rule.adjusted(p)
    with np.errstate(divide="ignore", invalid="ignore"):
        flagged = rule.flagged(adjusted, result.share / rule.area)
    return result._replace(p=p, adjusted_p=adjusted, flagged=flagged)


def _testable(tallies: tuple[Ints, Ints], fewest: int) -> Ints:
    """Statuses before the tests, (I,): each group needs the answers for parameters of its own, in equal number."""
    one, other = (statuses(each, fewest) for each in tallies)
    different = ((tallies[0] > 0) != (tallies[1] > 0)).any(axis=1)
    reasons = {
        DifStatus.ONE_GROUP: ItemStatus.TOO_FEW,
        DifStatus.CONSTANT: ItemStatus.CONSTANT,
        DifStatus.EMPTY_CATEGORY: ItemStatus.EMPTY_CATEGORY,
    }
    found = np.where(different, DifStatus.EMPTY_CATEGORY, DifStatus.TESTED)
    for status, reason in reversed(reasons.items()):
        found[(one == reason) | (other == reason)] = status
    return found


def _untested(status: Ints, base: Fit) -> LikelihoodRatioDif:
    """Return a result in which the tests are still to be filled in."""
    count, size = status.size, base.begin.working.shape[1]
    chi2, p, adjusted, signed, unsigned, share, standardised = np.full((7, count), np.nan)
    return LikelihoodRatioDif(
        chi2=chi2,
        df=np.zeros(count, dtype=np.int64),
        p=p,
        adjusted_p=adjusted,
        signed=signed,
        unsigned=unsigned,
        share=share,
        standardised=standardised,
        flagged=np.zeros(count, dtype=bool),
        status=status,
        reference=np.full((count, size), np.nan),
        focal=np.full((count, size), np.nan),
        focal_population=np.full((count, 2), np.nan),
        log_likelihood=base.log_likelihood,
        converged=base.found.converged,
    )


def _fill(result: LikelihoodRatioDif, row: int, model: int, apart: Fit, together: Fit) -> None:
    """Write the test of one item into the arrays of a result."""
    one, other = apart.working(row, 0), apart.working(row, 1)
    gap = curve_gap(np.array([model]), one[None], other[None], apart.grid.nodes, apart.focal_weights)
    result.chi2[row] = max(2.0 * (apart.log_likelihood - together.log_likelihood), 0.0)
    result.df[row] = apart.free - together.free
    result.signed[row], result.unsigned[row] = gap.signed[0], gap.unsigned[0]
    result.standardised[row] = gap.standardised[0]
    result.share[row] = gap.unsigned[0] / np.isfinite(one[1:-2]).sum()
    result.reference[row], result.focal[row] = one, other
    population = apart.found.point.population
    result.focal_population[row] = population.mean[1, 0], population.sd[1, 0]


def _marked(rows: ArrayLike, count: int, what: str) -> Bools:
    """Rows as marks, (I,)."""
    given = np.asarray(rows).reshape(-1)
    if given.size == 0 or given.dtype.kind not in "iu" or ((given < 0) | (given >= count)).any():
        raise ParameterError(f"The {what} are rows from 0 to {count - 1}, at least one; correct them.")
    marks = np.zeros(count, dtype=bool)
    marks[given] = True
    return marks
