"""Marginal likelihood, slow and obvious: plain loops over learners and nodes, and its maximum by a general optimiser.

Nothing here imports the engine. Items are those of :mod:`tests.reference.slow`, whose scalar formulas give every
probability; the optimiser moves a, b, logit c and logit d, never the intercepts that the engine works with.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit

from tests.reference import slow

Array = NDArray[np.float64]
Pattern = tuple[int, ...]
LogDensity = Callable[[float], float]
NOTHING = -1
"""No evidence."""


@dataclass(frozen=True)
class Group:
    """Learners of one population: how many gave each pattern of answers."""

    counts: Mapping[Pattern, int]
    mean: float = 0.0
    sd: float = 1.0


def counted(responses: NDArray[np.int64]) -> dict[Pattern, int]:
    """How many learners gave each pattern."""
    patterns, counts = np.unique(responses, axis=0, return_counts=True)
    return {tuple(p): int(n) for p, n in zip(patterns.tolist(), counts, strict=True)}


def population(nodes: Sequence[float], mean: float = 0.0, sd: float = 1.0) -> list[float]:
    density = [math.exp(-0.5 * ((x - mean) / sd) ** 2) for x in nodes]
    return [value / math.fsum(density) for value in density]


def joint(
    items: Sequence[slow.Item], pattern: Pattern, nodes: Sequence[float], weights: Sequence[float]
) -> list[float]:
    """P(pattern, node) at each node."""
    result = []
    for node, weight in zip(nodes, weights, strict=True):
        chance = weight
        for item, category in zip(items, pattern, strict=True):
            if category >= 0:
                chance *= slow.probabilities(item, node)[category]
        result.append(chance)
    return result


def log_likelihood(items: Sequence[slow.Item], groups: Sequence[Group], nodes: Sequence[float]) -> float:
    """Marginal log-likelihood on a grid, term by term."""
    total = []
    for group in groups:
        weights = population(nodes, group.mean, group.sd)
        total += [n * math.log(math.fsum(joint(items, p, nodes, weights))) for p, n in group.counts.items()]
    return math.fsum(total)


def integrated(items: Sequence[slow.Item], group: Group) -> float:
    """Marginal log-likelihood by adaptive quadrature: no grid."""
    density = slow.normal(group.mean, group.sd)
    reach = 10.0 * group.sd
    total = 0.0
    for pattern, n in group.counts.items():
        seen = slow.likelihood(items, [None if k < 0 else k for k in pattern])
        total += n * math.log(
            slow.integral(lambda t, seen=seen: seen(t) * density(t), group.mean - reach, group.mean + reach)
        )
    return total


def expected(items: Sequence[slow.Item], group: Group, nodes: Sequence[float]) -> tuple[list[Array], Array]:
    """Expected answers of each item (K, G), and expected learners (G,)."""
    weights = population(nodes, group.mean, group.sd)
    counts = [np.zeros((len(slow.probabilities(item, 0.0)), len(nodes))) for item in items]
    mass = np.zeros(len(nodes))
    for pattern, n in group.counts.items():
        laid = joint(items, pattern, nodes, weights)
        posterior = n * np.array(laid) / math.fsum(laid)
        mass += posterior
        for table, category in zip(counts, pattern, strict=True):
            if category >= 0:
                table[category] += posterior
    return counts, mass


def fast_log_likelihood(items: Sequence[slow.Item], groups: Sequence[Group], nodes: Array) -> float:
    """:func:`log_likelihood` with all nodes at once: what the optimiser can afford."""
    log_p = []
    for item in items:
        with_nothing = np.concatenate([_curves(item, nodes), np.ones((1, nodes.size))])  # NOTHING is the last row
        log_p.append(np.log(np.maximum(with_nothing, 1e-300)))
    total = 0.0
    for group in groups:
        density = np.exp(-0.5 * ((nodes - group.mean) / group.sd) ** 2)
        patterns = np.array(list(group.counts))
        answers = np.zeros((len(patterns), nodes.size))
        for column, table in zip(patterns.T, log_p, strict=True):
            answers += table[column]
        total += float(np.log(np.exp(answers) @ (density / density.sum())) @ np.array(list(group.counts.values())))
    return total


def _curves(item: slow.Item, nodes: Array) -> Array:
    """Category probabilities (K, G): the formulas of :func:`slow.probabilities` at all nodes."""
    if not item.thresholds:
        right = item.c + (item.d - item.c) * expit(item.a * (nodes - item.b))
        return np.array([1.0 - right, right])
    if item.graded:
        at_least = [np.ones_like(nodes), *(expit(item.a * (nodes - b)) for b in item.thresholds), np.zeros_like(nodes)]
        return -np.diff(np.array(at_least), axis=0)
    sums = np.cumsum([np.zeros_like(nodes), *(item.a * (nodes - b) for b in item.thresholds)], axis=0)
    weights = np.exp(sums - sums.max(axis=0))
    return np.asarray(weights / weights.sum(axis=0))


@dataclass(frozen=True)
class Question:
    """What a brute-force search maximises.

    ``models`` are names of :class:`engine.parameters.Model`, ``steps`` counts of thresholds. All 1PL items share
    their slope. Items of ``held`` keep their parameters, groups of ``free_groups`` get a mean and an sd.
    ``log_prior`` maps "a", "b", "c", "d" to log densities of a, of each difficulty or threshold, of c and of d.
    """

    models: Sequence[str]
    groups: Sequence[Group]
    steps: Sequence[int] = ()
    log_prior: Mapping[str, LogDensity] | None = None
    held: Mapping[int, slow.Item] | None = None
    free_groups: Sequence[int] = ()
    nodes: Array = field(default_factory=lambda: np.linspace(-6.0, 6.0, 61))

    def laid(self, vector: Array) -> tuple[list[slow.Item], list[Group]]:
        """Items and groups of a vector."""
        rest = list(map(float, vector))
        held = self.held or {}
        common = rest.pop(0) if "1PL" in self._free_models() else math.nan
        items = []
        for row, model in enumerate(self.models):
            if row in held:
                items.append(held[row])
                continue
            a = common if model == "1PL" else rest.pop(0)
            if model in ("GRM", "GPCM"):
                cuts = tuple(rest.pop(0) for _ in range(self.steps[row]))
                items.append(slow.Item(a, thresholds=cuts, graded=model == "GRM"))
                continue
            b = rest.pop(0)
            c = float(expit(rest.pop(0))) if model in ("3PL", "4PL") else 0.0
            d = float(expit(rest.pop(0))) if model == "4PL" else 1.0
            items.append(slow.Item(a, b, c, d))
        groups = list(self.groups)
        for row in self.free_groups:
            groups[row] = replace(groups[row], mean=rest.pop(0), sd=math.exp(rest.pop(0)))
        assert not rest
        return items, groups

    def start(self) -> Array:
        """Slopes of 1 and difficulties of 0: far from any answer."""
        held, vector = self.held or {}, [1.0] if "1PL" in self._free_models() else []
        for row, model in enumerate(self.models):
            if row in held:
                continue
            vector += [] if model == "1PL" else [1.0]
            if model in ("GRM", "GPCM"):
                vector += np.linspace(-1.0, 1.0, self.steps[row]).tolist()
                continue
            vector += [0.0, *[float(logit(0.15))] * (model in ("3PL", "4PL")), *[float(logit(0.95))] * (model == "4PL")]
        return np.array([*vector, *[0.0] * (2 * len(self.free_groups))])

    def log_posterior(self, vector: Array) -> float:
        """Log-likelihood with the log priors; very low where the parameters make no sense."""
        items, groups = self.laid(vector)
        for item in items:
            disordered = item.graded and any(x >= y for x, y in zip(item.thresholds, item.thresholds[1:], strict=False))
            if item.a <= 0.0 or item.c >= item.d or disordered:
                return -1e10
        return fast_log_likelihood(items, groups, self.nodes) + self.log_priors(items)

    def log_priors(self, items: Sequence[slow.Item]) -> float:
        """Log prior densities of the items that are not held; the slope that 1PL items share counts once."""
        total, told, held, shared = 0.0, self.log_prior or {}, self.held or {}, False
        for row, (model, item) in enumerate(zip(self.models, items, strict=True)):
            if row in held:
                continue
            total += told["a"](item.a) if "a" in told and not (model == "1PL" and shared) else 0.0
            shared = shared or model == "1PL"
            total += sum(told["b"](b) for b in item.thresholds or (item.b,)) if "b" in told else 0.0
            total += told["c"](item.c) if "c" in told and model in ("3PL", "4PL") else 0.0
            total += told["d"](item.d) if "d" in told and model == "4PL" else 0.0
        return total

    def _free_models(self) -> list[str]:
        return [model for row, model in enumerate(self.models) if row not in (self.held or {})]


@dataclass(frozen=True)
class Answer:
    """Maximum that a general optimiser found."""

    items: list[slow.Item]
    groups: list[Group]
    log_posterior: float
    vector: Array


def maximum(question: Question, start: Array | None = None) -> Answer:
    """Maximise by BFGS with central differences, from a start that knows nothing."""
    best = minimize(
        lambda v: -question.log_posterior(v),
        question.start() if start is None else start,
        jac=lambda v: -gradient(question.log_posterior, v),
        method="BFGS",
        options={"gtol": 1e-5, "maxiter": 2000},
    )
    items, groups = question.laid(best.x)
    return Answer(items, groups, -float(best.fun), best.x)


def gradient(f: Callable[[Array], float], vector: Array, step: float = 2e-5) -> Array:
    """Central differences along each axis."""
    axes = step * np.eye(vector.size)
    return np.array([(f(vector + axis) - f(vector - axis)) / (2.0 * step) for axis in axes])
