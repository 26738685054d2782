"""How competences hang together: independent, or on a tree of root, domains and competences.

On the tree, root ability g ~ N(0, 1), domain ability = gamma g + sqrt(1 - gamma^2) e and competence ability = lambda
domain + sqrt(1 - lambda^2) e. Every node is standard normal in the population. Given the grid, sum-product message
passing gives the exact posterior of every competence.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from engine.arrays import Floats, Ints
from engine.errors import DesignError
from engine.grid import Grid

MAX_LOADING: Final = 0.97
"""Closer to 1, the step from parent to child is narrower than the spacing of any affordable grid."""
_FLOOR: Final = 1e-60


class Links(NamedTuple):
    """Transition matrices of a latent structure on one grid.

    Without a tree, the last four are empty arrays.
    """

    weights: Floats  # (G,) probabilities of the nodes in the population
    domain_of: Ints  # (C,) domain of each competence
    groups: tuple[Ints, ...]  # competences of each domain
    competence_up: Floats  # (C, G, G) P(competence node, first | domain node, second)
    competence_down: Floats  # (C, G, G) the same with the axes exchanged
    domain_up: Floats  # (D, G, G) P(domain node, first | root node, second)
    domain_down: Floats  # (D, G, G) the same with the axes exchanged


@dataclass(frozen=True)
class Independent:
    """Competences without any link; one competence alone is the plain unidimensional case.

    Parameters
    ----------
    competences : int
        How many competences C.
    """

    competences: int = 1

    def links(self, grid: Grid) -> Links:
        """Prepare the structure for ``grid``."""
        none = np.empty((0, grid.count, grid.count))
        return Links(np.exp(grid.log_weights), np.empty(0, dtype=np.int64), (), none, none, none, none)


@dataclass(frozen=True)
class LatentTree:
    """Root, D domains and C competences with their loadings.

    Parameters
    ----------
    domain_of : tuple of C int
        Domain (0 .. D - 1) of each competence.
    domain_loadings : tuple of D float
        Correlation gamma of each domain with the root.
    competence_loadings : tuple of C float
        Correlation lambda of each competence with its domain.
    """

    domain_of: tuple[int, ...]
    domain_loadings: tuple[float, ...]
    competence_loadings: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse a tree that is not one."""
        if len(self.domain_of) != len(self.competence_loadings) or not self.domain_of:
            raise DesignError("A latent tree needs one domain and one loading for each competence.")
        if set(self.domain_of) != set(range(len(self.domain_loadings))):
            raise DesignError("A latent tree needs its domains numbered from 0, each with a loading and a competence.")
        if not all(0 <= x <= MAX_LOADING for x in (*self.domain_loadings, *self.competence_loadings)):
            raise DesignError(f"The loadings of a latent tree must lie between 0 and {MAX_LOADING}.")

    @property
    def competences(self) -> int:
        """How many competences C."""
        return len(self.domain_of)

    def links(self, grid: Grid) -> Links:
        """Prepare the structure for ``grid``."""
        domain_of = np.array(self.domain_of, dtype=np.int64)
        groups = tuple(np.flatnonzero(domain_of == d) for d in range(len(self.domain_loadings)))
        domain_down = transitions(grid.nodes, np.array(self.domain_loadings))
        competence_down = transitions(grid.nodes, np.array(self.competence_loadings))
        return Links(
            np.exp(grid.log_weights),
            domain_of,
            groups,
            np.ascontiguousarray(competence_down.transpose(0, 2, 1)),
            competence_down,
            np.ascontiguousarray(domain_down.transpose(0, 2, 1)),
            domain_down,
        )

    def correlations(self) -> Floats:
        """Correlations between the competences that the tree implies, (C, C)."""
        domain_of = np.array(self.domain_of)
        gamma, loading = np.array(self.domain_loadings), np.array(self.competence_loadings)
        between = np.outer(gamma, gamma)
        np.fill_diagonal(between, 1.0)
        result: Floats = np.outer(loading, loading) * between[np.ix_(domain_of, domain_of)]
        np.fill_diagonal(result, 1.0)
        return result


Latent = Independent | LatentTree


def posterior(links: Links, log_likelihood: Floats) -> Floats:
    """Exact posterior of every competence on the grid.

    Parameters
    ----------
    links : Links
        Latent structure.
    log_likelihood : (*batch, C, G) float
        Log-likelihood of the answers given in each competence.

    Returns
    -------
    (*batch, C, G) float
        Probabilities, summing to 1 over the last axis.
    """
    *batch, count, nodes = log_likelihood.shape
    shifted = log_likelihood - log_likelihood.max(axis=-1, keepdims=True)
    laid = propagate(links, shifted.reshape(-1, count, nodes))
    laid /= laid.sum(axis=-1, keepdims=True)
    return laid.transpose(1, 0, 2).reshape(*batch, count, nodes)


def propagate(links: Links, log_likelihood: Floats) -> Floats:
    """Pass the messages: log-likelihoods of n learners in, unnormalised posteriors out.

    Parameters
    ----------
    links : Links
        Latent structure.
    log_likelihood : (n, C, G) float
        Log-likelihood of the answers in each competence, with a maximum of 0.

    Returns
    -------
    (C, n, G) float
        Posterior densities up to a factor for each competence and learner.

    Notes
    -----
    Pearl (1988). Messages are products of matrices over the learners: up from the competences to the root, then down;
    the message to a child leaves out what came from that child.
    """
    laid = log_likelihood.transpose(1, 0, 2)
    leaves = np.exp(laid, out=np.empty(laid.shape))
    if not links.groups:
        leaves *= links.weights
        return leaves
    up = np.matmul(leaves, links.competence_up)
    gathered = np.empty((len(links.groups), *up.shape[1:]))
    for message, group in zip(gathered, links.groups, strict=True):
        np.copyto(message, up[group[0]])
        for competence in group[1:]:
            message *= up[competence]
    gathered /= gathered.max(axis=-1, keepdims=True)
    arriving = np.matmul(gathered, links.domain_up)
    root = links.weights * np.multiply.reduce(arriving, axis=0)
    root /= root.max(axis=-1, keepdims=True)
    down = np.matmul(root / arriving, links.domain_down)
    down *= gathered
    leaving = down[links.domain_of]
    leaving /= up
    densities: Floats = np.matmul(leaving, links.competence_down)
    densities *= leaves
    return densities


def transitions(nodes: Floats, loadings: Floats) -> Floats:
    """Probability of each child node given each parent node, for N loadings.

    Parameters
    ----------
    nodes : (G,) float
    loadings : (N,) float

    Returns
    -------
    (N, G, G) float
        P(child node, last | parent node), rows summing to 1; kept above a floor so that no message vanishes.
    """
    loading = loadings[:, None, None]
    z = (nodes[None, None, :] - loading * nodes[None, :, None]) ** 2 / (1.0 - loading**2)
    density = np.exp(-0.5 * (z - z.min(axis=-1, keepdims=True))) + _FLOOR
    return np.asarray(density / density.sum(axis=-1, keepdims=True))
