"""Beliefs about ability on the grid and what is read from them."""

import numpy as np

from engine.arrays import Floats


def normalise(belief: Floats) -> Floats:
    """Posterior probabilities of a belief.

    Parameters
    ----------
    belief : (*batch, G) float
        Log posterior up to a constant.

    Returns
    -------
    (*batch, G) float
        Probabilities, summing to 1.

    Examples
    --------
    >>> normalise(np.log(np.array([1.0, 3.0]))).tolist()
    [0.25, 0.75]
    """
    density = np.exp(belief - belief.max(axis=-1, keepdims=True))
    density /= density.sum(axis=-1, keepdims=True)
    return density


def update(belief: Floats, evidence: Floats) -> Floats:
    """Belief after independent evidence, both (*batch, G) logs: Bayes' rule is a sum."""
    return belief + evidence


def moments(posterior: Floats, nodes: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation of a posterior.

    Parameters
    ----------
    posterior : (*batch, G) float
        Probabilities.
    nodes : (G,) float
        Abilities.

    Returns
    -------
    mean, sd : (*batch,) float
    """
    powers = np.stack([nodes, nodes**2], axis=1)
    both = posterior @ powers
    mean = both[..., 0]
    return mean, np.sqrt(np.maximum(both[..., 1] - mean**2, 0.0))


def mean(posterior: Floats, nodes: Floats) -> Floats:
    """Posterior mean, (*batch,)."""
    return moments(posterior, nodes)[0]


def sd(posterior: Floats, nodes: Floats) -> Floats:
    """Posterior standard deviation, (*batch,)."""
    return moments(posterior, nodes)[1]


def mode(posterior: Floats, nodes: Floats) -> Floats:
    """Most probable node, (*batch,); the lowest of equals."""
    return np.asarray(nodes[np.argmax(np.round(posterior, 12), axis=-1)])
