"""Missing information between the competences of a tree: abilities that go together make scores go together.

Given the answers, the covariance of a score in one competence with a score in another is a sum over the polynomials of
each ability that are orthonormal under its posterior: (coefficients of the one) (covariances of the polynomials)
(coefficients of the other). The covariance of polynomials of degree r shrinks as the r-th power of the correlation of
the two abilities given the answers, so that degree 3 leaves errors of parameters right to four digits. The covariances
themselves are exact: given the answers, the expectation of a function of one ability given the ability above it is one
product of matrices, as a message is (Pearl 1988).
"""

from collections.abc import Sequence
from functools import reduce
from typing import Final, NamedTuple

import numpy as np
from scipy.sparse import csr_array

from engine.arrays import Floats, Ints
from engine.calibration.errors.answers import Scores
from engine.calibration.sample import Cells, Sample
from engine.latent import Links

DEGREE: Final = 3
"""Highest degree of the polynomials."""


def between(
    sample: Sample,
    found: Sequence[Scores],
    places: Sequence[Ints],
    size: int,
    log_p: Floats,
    links: Links,
    nodes: Floats,
) -> Floats:
    """Sum over the learners of the posterior covariances of scores in different competences.

    Parameters
    ----------
    sample : Sample
    found : sequence of C Scores
    places : sequence of C arrays (R, S) int
        Number of each parameter, -1 for none.
    size : int
        M parameters.
    log_p : (columns, G) float
    links : Links
        The tree.
    nodes : (G,) float

    Returns
    -------
    (M, M) float
        0 within a competence.
    """
    total = np.zeros((size, size))
    ends = [_ends(place) for place in places]
    adders = [_adders(part, place, end) for part, place, end in zip(found, places, ends, strict=True)]
    for block in sample.blocks:
        cells = [_sparse(answers) for answers in block.answers]
        tables = [np.asarray(own @ log_p[part.place]) for own, part in zip(cells, found, strict=True)]
        leaves = [np.exp(table - table.max(axis=1, keepdims=True)) for table in tables]
        tree = _passed(leaves, links, nodes)
        loads = [
            _coefficients(own, part, adder, weights)
            for own, part, adder, weights in zip(cells, found, adders, tree.weights, strict=True)
        ]
        for c in range(len(found)):
            for k in range(c + 1, len(found)):
                shared = _covariances(tree, links, c, k)
                turned = np.einsum("rsn,snm->rnm", shared, loads[k])
                total[slice(*ends[c]), slice(*ends[k])] += np.tensordot(loads[c], turned, ((0, 1), (0, 1)))
    return total + total.T


class Passed(NamedTuple):
    """Polynomials of each ability, as seen from above, and the posteriors there."""

    weights: list[Floats]  # C arrays (DEGREE, n, G): polynomials times the posterior
    from_domain: list[Floats]  # C arrays (DEGREE, n, G): expectations given the domain
    from_root: list[Floats]  # C arrays (DEGREE, n, G): expectations given the root
    domain: list[Floats]  # D arrays (n, G): posterior of each domain
    root: Floats  # (n, G)


def _passed(leaves: list[Floats], links: Links, nodes: Floats) -> Passed:
    up = [leaf @ links.competence_up[c] for c, leaf in enumerate(leaves)]
    gathered = [_scaled(reduce(np.multiply, (up[c] for c in group))) for group in links.groups]
    arriving = [message @ links.domain_up[d] for d, message in enumerate(gathered)]
    root = links.weights * reduce(np.multiply, arriving)
    root /= root.sum(axis=1, keepdims=True)
    empty: list[Floats] = [root] * len(leaves)
    weights, from_domain, from_root, domain = list(empty), list(empty), list(empty), []
    for d, group in enumerate(links.groups):
        above = ((root / arriving[d]) @ links.domain_down[d]) * gathered[d]
        domain.append(above / above.sum(axis=1, keepdims=True))
        for c in group:
            density = ((above / up[c]) @ links.competence_down[c]) * leaves[c]
            density /= density.sum(axis=1, keepdims=True)
            polynomials = _orthonormal(density, nodes)
            weights[c] = polynomials * density
            from_domain[c] = (polynomials * leaves[c]) @ links.competence_up[c] / up[c]
            from_root[c] = (from_domain[c] * gathered[d]) @ links.domain_up[d] / arriving[d]
    return Passed(weights, from_domain, from_root, domain, root)


def _sparse(answers: "csr_array | Cells") -> csr_array:
    return csr_array(answers.astype(np.float64)) if isinstance(answers, np.ndarray) else answers


def _scaled(message: Floats) -> Floats:
    return np.asarray(message / message.max(axis=1, keepdims=True))


def _orthonormal(density: Floats, nodes: Floats) -> Floats:
    """Polynomials of degrees 1 to DEGREE, orthonormal under each density (n, G) and with mean 0, (DEGREE, n, G)."""
    found = np.empty((DEGREE + 1, *density.shape))
    found[0] = 1.0
    for degree in range(1, DEGREE + 1):
        rising = nodes * found[degree - 1]
        for lower in found[:degree]:
            rising = rising - np.sum(density * rising * lower, axis=1, keepdims=True) * lower
        size = np.sqrt(np.sum(density * rising**2, axis=1, keepdims=True))
        found[degree] = rising / np.maximum(size, 1e-8)
    return found[1:]


def _covariances(tree: Passed, links: Links, first: int, second: int) -> Floats:
    """Covariances of the polynomials of two abilities for each learner, (DEGREE, DEGREE, n); all have mean 0."""
    domain = links.domain_of[first]
    if domain == links.domain_of[second]:
        weights, one, two = tree.domain[domain], tree.from_domain[first], tree.from_domain[second]
    else:
        weights, one, two = tree.root, tree.from_root[first], tree.from_root[second]
    return np.asarray(np.einsum("rng,sng->rsn", one * weights, two, optimize=True))


def _ends(place: Ints) -> tuple[int, int]:
    free = place[place >= 0]
    return (int(free.min()), int(free.max()) + 1) if free.size else (0, 0)


def _adders(part: Scores, place: Ints, ends: tuple[int, int]) -> list[csr_array]:
    """For each slot, which column adds to which parameter of the competence: S matrices (columns, m)."""
    column = np.arange(part.category.size)
    number = place[part.row[column]]
    matrices = []
    for slot in range(place.shape[1]):
        free = number[:, slot] >= 0
        index = (column[free], number[free, slot] - ends[0])
        matrices.append(csr_array((np.ones(free.sum()), index), shape=(column.size, ends[1] - ends[0])))
    return matrices


def _coefficients(cells: csr_array, part: Scores, adders: list[csr_array], weights: Floats) -> Floats:
    """Coefficients of the scores of each parameter on the polynomials, (DEGREE, n, m)."""
    found = np.zeros((weights.shape[0], cells.shape[0], adders[0].shape[1]))
    for load, weight in zip(found, weights, strict=True):
        for table, adder in zip(part.by_column, adders, strict=True):
            load += (cells.multiply(weight @ table[: part.category.size].T).tocsr() @ adder).toarray()
    return found
