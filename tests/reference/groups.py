"""Groups, slowly: full covariance matrices on a fine grid, quadrature in two dimensions, every learner in turn."""

import math
from collections.abc import Sequence

import numpy as np
from scipy.stats import halfnorm, norm


def posterior_of(value: float, variance: float) -> tuple[float, float]:
    """Mean and sd under the prior N(0, 1) of an ability that was measured with this value and variance."""
    square = 1.0 / (1.0 + 1.0 / variance)
    return square * value / variance, math.sqrt(square)


class ClassMeans:
    """Means of classes by generalised least squares at every point of a grid, with an explicit covariance matrix."""

    def __init__(
        self, y: np.ndarray, v: np.ndarray, group: np.ndarray, groups: int, scales: tuple[float, float], points: int
    ) -> None:
        member = np.equal.outer(group, np.arange(groups)).astype(float)
        ones = np.ones(y.size)
        rows = []
        # Midpoints of even cells: nothing is shared with the quadrature of the engine.
        middles = (np.arange(points) + 0.5) / points
        for sigma in 5.0 * scales[0] * middles:
            for tau in 5.0 * scales[1] * middles:
                inverse = np.linalg.inv(np.diag(v + sigma**2) + tau**2 * member @ member.T)
                information = ones @ inverse @ ones
                mu = ones @ inverse @ y / information
                residual = y - mu
                _, log_det = np.linalg.slogdet(inverse)
                log = 0.5 * log_det - 0.5 * residual @ inverse @ residual - 0.5 * math.log(information)
                log += halfnorm.logpdf(sigma, scale=scales[0]) + halfnorm.logpdf(tau, scale=scales[1])
                gain = tau**2 * member.T @ inverse
                left = 1.0 - gain @ ones
                mean = mu + gain @ residual
                variance = np.diag(tau**2 * np.eye(groups) - gain @ member * tau**2) + left**2 / information
                rows.append((log, sigma, tau, mean, variance))
        logs = np.array([row[0] for row in rows])
        self.weight = np.exp(logs - logs.max())
        self.weight /= self.weight.sum()
        self.within = np.array([row[1] for row in rows])
        self.between = np.array([row[2] for row in rows])
        self.mean = np.array([row[3] for row in rows])
        self.variance = np.array([row[4] for row in rows])

    def below(self, place: int, value: float) -> float:
        """Probability that the mean of a class is below a value."""
        return float(self.weight @ norm.cdf(value, self.mean[:, place], np.sqrt(self.variance[:, place])))

    def above(self, place: int, cut: float) -> float:
        """Probability that a learner of a class is above a cut."""
        sd = np.sqrt(self.variance[:, place] + self.within**2)
        return float(self.weight @ norm.sf(cut, self.mean[:, place], sd))


def change(before: tuple[float, float], after: tuple[float, float], stability: float) -> tuple[float, float, float]:
    """Mean and sd of the change, and the probability of a rise, by a sum over 1,201 x 1,201 pairs of abilities."""
    x = np.linspace(-6.0, 6.0, 1201)
    one, two = x[:, None], x[None, :]
    log = -0.5 * (one**2 - 2.0 * stability * one * two + two**2) / (1.0 - stability**2)
    for ability, (mean, sd) in ((one, before), (two, after)):
        # The posterior over the prior is the likelihood.
        log = log - 0.5 * ((ability - mean) / sd) ** 2 + 0.5 * ability**2
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    rise = two - one
    mean = float((weight * rise).sum())
    rose = float(weight[rise > 1e-9].sum() + 0.5 * weight[np.abs(rise) < 1e-9].sum())
    return mean, math.sqrt(float((weight * (rise - mean) ** 2).sum())), rose


def need(learners: Sequence[Sequence[float]], target: int) -> tuple[float, float, float]:
    """Score, share below and levels missing of those below, one learner and one level after the other."""
    known = [levels for levels in learners if not any(math.isnan(p) for p in levels)]
    missing = below = 0.0
    for levels in known:
        for level, p in enumerate(levels):
            if level < target:
                missing, below = missing + p * (target - level), below + p
    if not known:
        return math.nan, math.nan, math.nan
    return missing / len(known), below / len(known), missing / below if below > 0.0 else 0.0
