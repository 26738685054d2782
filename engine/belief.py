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
    density: Floats = np.exp(belief - belief.max(axis=-1, keepdims=True))
    density /= density.sum(axis=-1, keepdims=True)
    return density


def update(belief: Floats, evidence: Floats) -> Floats:
    """Belief after independent evidence, both (*batch, G) logs: Bayes' rule is a sum."""
    return scaled(belief + evidence)


def scaled(belief: Floats) -> Floats:
    """Shift a belief in place to a maximum of 0: only differences between nodes matter."""
    belief -= belief.max(axis=-1, keepdims=True)
    return belief


def powers(nodes: Floats) -> Floats:
    """Ones, nodes and squared nodes, (G, 3): what :func:`read` multiplies densities by."""
    return np.stack([np.ones_like(nodes), nodes, nodes**2], axis=1)


def read(density: Floats, powers: Floats) -> tuple[Floats, Floats, Floats]:
    """Read mass, mean and standard deviation of densities known up to a factor.

    Parameters
    ----------
    density : (*batch, G) float
    powers : (G, 3) float
        From :func:`powers`.

    Returns
    -------
    mass, mean, sd : (*batch,) float
    """
    sums = (density.reshape(-1, density.shape[-1]) @ powers).reshape(*density.shape[:-1], 3)
    mass, mean = sums[..., 0], sums[..., 1] / sums[..., 0]
    return mass, mean, np.sqrt(np.maximum(sums[..., 2] / mass - mean**2, 0.0))


def mean(posterior: Floats, nodes: Floats) -> Floats:
    """Posterior mean, (*batch,)."""
    return np.asarray(posterior @ nodes)


def sd(posterior: Floats, nodes: Floats) -> Floats:
    """Posterior standard deviation, (*batch,)."""
    return np.sqrt(np.maximum(posterior @ nodes**2 - (posterior @ nodes) ** 2, 0.0))
