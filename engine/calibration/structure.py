"""Loadings of the latent tree by EM: each edge is a correlation of two standard normal abilities.

Where the data cannot tell loadings apart, they are tied: with two domains only the product of the two domain loadings
matters, with one domain none of them; a domain with one competence shows only the product of its two loadings; two
competences in a single domain show only theirs.
"""

from typing import Final

import numpy as np

from engine.arrays import Floats, Ints
from engine.latent import MAX_LOADING, LatentTree, transitions

STEP: Final = 1e-5
"""Step of the central differences in the loadings."""
SMALLEST: Final = 1e-3
"""Smallest loading: at 0 the product of two loadings has no slope."""


def loadings(tree: LatentTree) -> Floats:
    """List the loadings of a tree, domains first, (D + C,)."""
    return np.array((*tree.domain_loadings, *tree.competence_loadings))


def with_loadings(tree: LatentTree, values: Floats) -> LatentTree:
    """Tree with other loadings."""
    domains = len(tree.domain_loadings)
    found = tuple(float(x) for x in np.clip(values, 0.0, MAX_LOADING))
    return LatentTree(tree.domain_of, found[:domains], found[domains:])


def ties(tree: LatentTree) -> Ints:
    """Label of each loading (D + C,): loadings of one label are equal; -1 for one that no data can tell."""
    domains = len(tree.domain_loadings)
    label = np.arange(domains + tree.competences)
    members = [[domains + c for c, d in enumerate(tree.domain_of) if d == domain] for domain in range(domains)]
    for domain, own in enumerate(members):
        if len(own) == 1:
            label[own[0]] = label[domain]
    if domains == 1:
        label[0] = -1
        if len(members[0]) <= 2:
            label[members[0]] = members[0][0] if len(members[0]) == 2 else -1
    if domains == 2:
        label[label == label[1]] = label[0]
    return label


def evened(values: Floats, label: Ints) -> Floats:
    """Put loadings (D + C,) of one label at their mean: where estimation starts."""
    size = np.bincount(label + 1, minlength=label.size + 1)[label + 1]
    return np.where(label >= 0, _tied(values, label) / size, values)


def profile(edges: Floats, nodes: Floats, values: Floats) -> tuple[Floats, Floats, Floats]:
    """Expect the log-likelihood of each edge, with its first two derivatives in the loading, each (E,).

    Parameters
    ----------
    edges : (E, G, G) float
        Expected learners at (parent node, child node).
    nodes : (G,) float
    values : (E,) float
    """
    middle = np.clip(values, SMALLEST + STEP, MAX_LOADING - STEP)
    below, here, above = (
        np.sum(edges * np.log(transitions(nodes, middle + shift)), axis=(1, 2)) for shift in (-STEP, 0.0, STEP)
    )
    return here, (above - below) / (2.0 * STEP), (above - 2.0 * here + below) / STEP**2


def maximised(values: Floats, edges: Floats, nodes: Floats, label: Ints) -> tuple[Floats, Floats]:
    """One safeguarded Newton step on the loadings.

    Returns
    -------
    values : (E,) float
    gradient : (E,) float
        Derivatives of the log-likelihood over the square roots of the complete-data information, of each tie.
    """
    level, slope, bend = (_tied(part, label) for part in profile(edges, nodes, values))
    free = label >= 0
    information = np.maximum(-bend, np.maximum(1e-3 * edges.sum(axis=(1, 2)), 1e-9))
    outward = ((values <= SMALLEST) & (slope < 0)) | ((values >= MAX_LOADING - STEP) & (slope > 0))
    gradient = np.where(free & ~outward, slope / np.sqrt(information), 0.0)
    step = np.where(free, np.clip(slope / information, -0.2, 0.2), 0.0)
    for _ in range(8):
        moved = np.clip(values + step, SMALLEST, MAX_LOADING - STEP)
        worse = _tied(profile(edges, nodes, moved)[0], label) < level - 1e-9 * np.abs(level)
        if not worse.any():
            break
        step = np.where(worse, 0.5 * step, step)
    return np.where(free, moved, values), gradient


def _tied(part: Floats, label: Ints) -> Floats:
    """Sum over the loadings of one label, given back to each of them."""
    sums = np.bincount(label + 1, weights=part, minlength=label.size + 1)
    return np.asarray(sums[label + 1])
