"""Slow, scalar, obviously correct: one item, one learner, textbook formulas, adaptive quadrature.

Nothing here imports the engine. Everything is written from the definitions, so that a mistake in the fast code cannot
be repeated: derivatives are finite differences, integrals are those of ``scipy.integrate.quad``.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from scipy.integrate import quad

Density = Callable[[float], float]


@dataclass(frozen=True)
class Item:
    """One item; ``thresholds`` make it polytomous (``graded`` tells GRM from GPCM)."""

    a: float
    b: float = 0.0
    c: float = 0.0
    d: float = 1.0
    thresholds: tuple[float, ...] = ()
    graded: bool = True


def normal(mean: float = 0.0, sd: float = 1.0) -> Density:
    return lambda theta: math.exp(-0.5 * ((theta - mean) / sd) ** 2) / (sd * math.sqrt(2.0 * math.pi))


def logistic(z: float) -> float:
    return 1.0 / (1.0 + math.exp(-z)) if z >= 0 else math.exp(z) / (1.0 + math.exp(z))


def probabilities(item: Item, theta: float) -> list[float]:
    """P(category | theta) for categories 0, 1, ..."""
    if not item.thresholds:
        correct = item.c + (item.d - item.c) * logistic(item.a * (theta - item.b))
        return [1.0 - correct, correct]
    if item.graded:
        at_least = [1.0, *(logistic(item.a * (theta - b)) for b in item.thresholds), 0.0]
        return [upper - lower for upper, lower in itertools.pairwise(at_least)]
    sums = [0.0]
    for b in item.thresholds:
        sums.append(sums[-1] + item.a * (theta - b))
    top = max(sums)
    terms = [math.exp(s - top) for s in sums]
    return [term / sum(terms) for term in terms]


def derivative(f: Callable[[float], float], x: float, h: float = 1e-3) -> float:
    """First derivative by the five-point rule."""
    return (f(x - 2 * h) - 8 * f(x - h) + 8 * f(x + h) - f(x + 2 * h)) / (12 * h)


def second_derivative(f: Callable[[float], float], x: float, h: float = 1e-3) -> float:
    """Second derivative by the five-point rule."""
    return (-f(x - 2 * h) + 16 * f(x - h) - 30 * f(x) + 16 * f(x + h) - f(x + 2 * h)) / (12 * h * h)


def log_p(item: Item, category: int, theta: float) -> float:
    return math.log(probabilities(item, theta)[category])


def information(item: Item, theta: float) -> float:
    """Fisher information: minus the expected second derivative of the log-likelihood."""
    each = probabilities(item, theta)
    return -sum(p * second_derivative(partial(log_p, item, k), theta) for k, p in enumerate(each))


def without_guessing(item: Item) -> Item:
    return Item(item.a, item.b, 0.0, item.d, item.thresholds, item.graded)


def likelihood(items: Sequence[Item], responses: Sequence[int | None]) -> Density:
    """Probability of the responses; None was not presented."""

    def at(theta: float) -> float:
        pairs = zip(items, responses, strict=True)
        return math.prod(probabilities(item, theta)[r] for item, r in pairs if r is not None)

    return at


def integral(f: Density, lower: float, upper: float) -> float:
    value, _ = quad(f, lower, upper, epsabs=1e-13, epsrel=1e-12, limit=400, points=[0.5 * (lower + upper)])
    return float(value)


def posterior_moments(
    items: Sequence[Item],
    responses: Sequence[int | None],
    prior: Density | None = None,
    lower: float = -12.0,
    upper: float = 12.0,
) -> tuple[float, float]:
    """EAP and posterior standard deviation."""
    seen, before = likelihood(items, responses), prior if prior is not None else normal()

    def weight(theta: float) -> float:
        return seen(theta) * before(theta)

    mass = integral(weight, lower, upper)
    mean = integral(lambda t: t * weight(t), lower, upper) / mass
    return mean, math.sqrt(integral(lambda t: (t - mean) ** 2 * weight(t), lower, upper) / mass)


def predictive(
    items: Sequence[Item], responses: Sequence[int | None], candidate: Item, prior: Density | None = None
) -> list[float]:
    """Probability of each response to a candidate, averaged over the posterior."""
    seen, before = likelihood(items, responses), prior if prior is not None else normal()
    mass = integral(lambda t: seen(t) * before(t), -12.0, 12.0)

    def averaged(category: int) -> float:
        joint = integral(lambda t: seen(t) * before(t) * probabilities(candidate, t)[category], -12.0, 12.0)
        return joint / mass

    return [averaged(k) for k in range(len(probabilities(candidate, 0.0)))]


def expected_posterior_variance(
    items: Sequence[Item], responses: Sequence[int | None], candidate: Item, prior: Density | None = None
) -> float:
    """Sum over responses of their predictive probability times the posterior variance after them."""
    chances = predictive(items, responses, candidate, prior)
    return sum(
        chance * posterior_moments([*items, candidate], [*responses, k], prior)[1] ** 2
        for k, chance in enumerate(chances)
    )


def divergence(item: Item, at: float, other: float) -> float:
    """Kullback-Leibler divergence of the responses at ``at`` from those at ``other``."""
    pairs = zip(probabilities(item, at), probabilities(item, other), strict=True)
    return sum(p * math.log(p / q) for p, q in pairs if p > 0)


def weighted(
    f: Density,
    items: Sequence[Item],
    responses: Sequence[int | None],
    prior: Density | None = None,
    lower: float = -4.0,
    upper: float = 4.0,
) -> float:
    """Integral of f(theta) L(theta), with the prior when one is given: catR's MLWI, MPWI, KL and KLP."""
    seen = likelihood(items, responses)
    return integral(lambda t: f(t) * seen(t) * (prior(t) if prior is not None else 1.0), lower, upper)


def probability_above(posterior: Sequence[float], nodes: Sequence[float], cut: float) -> float:
    """Mass above a cut when the mass of each node is spread evenly over its cell; nodes are equally spaced."""
    width = nodes[1] - nodes[0]
    total = 0.0
    for mass, node in zip(posterior, nodes, strict=True):
        lower, upper = node - width / 2, node + width / 2
        total += mass * min(max((upper - cut) / (upper - lower), 0.0), 1.0)
    return total
