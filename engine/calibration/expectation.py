"""The E-step: posteriors of ability given the parameters, and the counts that they expect.

For each block of learners, the log-likelihoods at all nodes are one product of the matrix of answers with the table of
log probabilities; the expected counts are the product of its transpose with the posteriors (Bock and Aitkin 1981).
"""

from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from engine.arrays import Floats, Ints
from engine.calibration.sample import Block, Sample
from engine.latent import Links


class Expected(NamedTuple):
    """What the E-step leaves of the responses.

    Sums over the learners; those of two blocks add up, except the smallest sd and the largest edge.
    """

    log_likelihood: float
    counts: Floats  # (columns, G) expected answers of each category of each unit at each node
    mass: Floats  # (Q, C, G) expected learners of each group at each node
    edges: Floats  # (D + C, G, G) expected learners at (parent node, child node) of each edge of the tree; empty else
    smallest_sd: float  # smallest posterior sd of a learner, in any competence
    edge: float  # largest posterior probability that a learner has on the two outermost nodes

    def added(self, other: "Expected") -> "Expected":
        """Sum with the expectations of other learners."""
        return Expected(
            self.log_likelihood + other.log_likelihood,
            self.counts + other.counts,
            self.mass + other.mass,
            self.edges + other.edges,
            min(self.smallest_sd, other.smallest_sd),
            max(self.edge, other.edge),
        )


@dataclass(frozen=True, eq=False)
class Prior:
    """Abilities before the answers: one density for each group and competence, or a tree.

    Parameters
    ----------
    nodes : (G,) float
    log_weights : (Q, C, G) float
        Log probabilities of the nodes in each group.
    links : Links, optional
        Of a tree; its weights stand for ``log_weights``.
    """

    nodes: Floats
    log_weights: Floats
    links: Links | None = None


def expect(sample: Sample, log_p: Floats, prior: Prior) -> Expected:
    """Run the E-step over all blocks.

    Parameters
    ----------
    sample : Sample
    log_p : (columns, G) float
        Log probability of each category of each unit.
    prior : Prior

    Returns
    -------
    Expected
    """
    return reduce(Expected.added, (_block(block, sample, log_p, prior) for block in sample.blocks))


def posteriors(block: Block, sample: Sample, log_p: Floats, prior: Prior) -> tuple[Floats, ...]:
    """Posterior of each competence for the learners of a block, C arrays (n, G)."""
    answered = _answered(block, sample)
    likelihoods = [own.log_likelihood(log_p[c]) for own, c in zip(answered, sample.columns, strict=True)]
    if prior.links is None:
        group = sample.group[block.start : block.stop]
        return tuple(_normalised(table, prior.log_weights[group, c])[0] for c, table in enumerate(likelihoods))
    leaves = [np.exp(table - table.max(axis=1, keepdims=True)) for table in likelihoods]
    return tuple(_tree(leaves, prior.links).posterior)


@dataclass(frozen=True, eq=False)
class Answered:
    """Answers of a block in one competence, ready to be multiplied.

    Where every learner answered every item, the lowest category follows from the others: its columns are left out of
    the products, which for dichotomous items halves them.

    Parameters
    ----------
    matrix : (n, columns) sparse or float
    first : (J,) int
        Column of the lowest category of each item, where it is left out; empty elsewhere.
    above : (columns - J,) int
        The other columns.
    """

    matrix: csr_array | Floats
    first: Ints
    above: Ints

    def log_likelihood(self, log_p: Floats) -> Floats:
        """Log-likelihood of the answers, (n, G)."""
        if self.first.size == 0:
            return np.asarray(self.matrix @ log_p)
        lowest = log_p[self.first]
        of = np.searchsorted(self.first, self.above, side="right") - 1
        return np.asarray(self.matrix @ (log_p[self.above] - lowest[of]) + lowest.sum(axis=0))

    def counts(self, posterior: Floats, mass: Floats) -> Floats:
        """Count the answers expected in each column at each node, (columns, G); ``mass`` (G,): learners there."""
        found = np.asarray(self.matrix.T @ posterior)
        if self.first.size == 0:
            return found
        counts = np.empty((self.first.size + self.above.size, posterior.shape[1]))
        counts[self.above] = found
        starts = self.first - np.arange(self.first.size)
        counts[self.first] = np.maximum(mass - np.add.reduceat(found, starts, axis=0), 0.0)
        return counts


def _answered(block: Block, sample: Sample) -> list[Answered]:
    none = np.empty(0, dtype=np.int64)
    found = []
    for c, (answers, complete) in enumerate(zip(block.answers, block.complete, strict=True)):
        if not isinstance(answers, np.ndarray):
            found.append(Answered(answers, none, none))
        elif not complete:
            found.append(Answered(answers.astype(np.float64), none, none))
        else:
            low, high = sample.layout.bounds[c : c + 2]
            first = sample.layout.first[low:high] - sample.layout.first[low]
            above = np.delete(np.arange(answers.shape[1]), first)
            found.append(Answered(answers[:, above].astype(np.float64), first, above))
    return found


def _block(block: Block, sample: Sample, log_p: Floats, prior: Prior) -> Expected:
    answered = _answered(block, sample)
    likelihoods = [own.log_likelihood(log_p[c]) for own, c in zip(answered, sample.columns, strict=True)]
    groups = prior.log_weights.shape[0]
    group = sample.group[block.start : block.stop]
    edges = np.empty((0, prior.nodes.size, prior.nodes.size))
    if prior.links is None:
        laid = [_normalised(table, prior.log_weights[group, c]) for c, table in enumerate(likelihoods)]
        posterior = [density for density, _ in laid]
        total = sum(mass for _, mass in laid)
    else:
        highest = [table.max(axis=1, keepdims=True) for table in likelihoods]
        leaves = [np.exp(table - high) for table, high in zip(likelihoods, highest, strict=True)]
        passed = _tree(leaves, prior.links)
        posterior, edges = passed.posterior, passed.edges
        total = passed.log_likelihood + float(sum(high.sum() for high in highest))
    counts = np.empty_like(log_p)
    mass = np.empty((groups, len(posterior), prior.nodes.size))
    for c, (own, columns) in enumerate(zip(answered, sample.columns, strict=True)):
        for q in range(groups):
            mass[q, c] = posterior[c][group == q].sum(axis=0) if groups > 1 else posterior[c].sum(axis=0)
        counts[columns] = own.counts(posterior[c], mass[:, c].sum(axis=0))
    sds = [_smallest_sd(density, prior.nodes) for density in posterior]
    outermost = [float(density[:, [0, -1]].max()) for density in posterior]
    return Expected(total, counts, mass, edges, min(sds), max(outermost))


def _normalised(log_likelihood: Floats, log_weights: Floats) -> tuple[Floats, float]:
    """Posteriors (n, G), written over the log-likelihoods, and the sum of the marginal log-likelihoods."""
    log_likelihood += log_weights
    highest = log_likelihood.max(axis=1, keepdims=True)
    log_likelihood -= highest
    density = np.exp(log_likelihood, out=log_likelihood)
    mass = density.sum(axis=1, keepdims=True)
    density /= mass
    return density, float(np.log(mass).sum() + highest.sum())


def _smallest_sd(density: Floats, nodes: Floats) -> float:
    moments = density @ np.column_stack([nodes, nodes**2])
    return float(np.sqrt(max(np.min(moments[:, 1] - moments[:, 0] ** 2), 0.0)))


class Passed(NamedTuple):
    """Messages of n learners on the tree, all passed."""

    posterior: list[Floats]  # C arrays (n, G)
    edges: Floats  # (D + C, G, G), domains first
    log_likelihood: float  # of the leaves as they were given


def _tree(leaves: list[Floats], links: Links) -> Passed:
    """Sum-product messages (Pearl 1988) with the expected joint counts of each edge.

    The joint posterior of a parent x and a child y is (all messages at x but the child's) T(x, y) (messages at y);
    summed over the learners, it is T times one product of matrices.
    """
    up = [leaf @ links.competence_up[c] for c, leaf in enumerate(leaves)]
    scale = 0.0
    gathered = []
    for group in links.groups:
        message = reduce(np.multiply, (up[c] for c in group))
        high = message.max(axis=1, keepdims=True)
        scale += float(np.log(high).sum())
        gathered.append(message / high)
    arriving = [message @ links.domain_up[d] for d, message in enumerate(gathered)]
    root = links.weights * reduce(np.multiply, arriving)
    total = root.sum(axis=1, keepdims=True)
    root /= total
    posterior = list(leaves)
    edges = np.empty((len(gathered) + len(leaves), links.weights.size, links.weights.size))
    for d, group in enumerate(links.groups):
        above = root / arriving[d]
        edges[d] = links.domain_down[d] * (above.T @ gathered[d])
        own = (above @ links.domain_down[d]) * gathered[d]
        for c in group:
            leaving = own / up[c]
            edges[len(gathered) + c] = links.competence_down[c] * (leaving.T @ leaves[c])
            density = (leaving @ links.competence_down[c]) * leaves[c]
            posterior[c] = density / density.sum(axis=1, keepdims=True)
    return Passed(posterior, edges, float(np.log(total).sum()) + scale)
