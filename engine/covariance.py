"""How abilities vary together once answers are known: covariances of a posterior whose marginals alone are exact.

Message passing gives the exact posterior of each competence. What two of them have in common is read from the normal
distribution nearby: the correlations of the tree, sharpened in each competence by the curvature of its log-likelihood.
"""

from typing import Final

import numpy as np

from engine.arrays import Floats
from engine.latent import Latent, LatentTree

SMALLEST: Final = 1e-12
"""Variance below which nothing is left to vary."""


def correlations(latent: Latent) -> Floats:
    """Correlations between the competences in the population, (C, C)."""
    return latent.correlations() if isinstance(latent, LatentTree) else np.eye(latent.competences)


def curvature(log_likelihood: Floats, posterior: Floats, nodes: Floats) -> Floats:
    """Information in a log-likelihood: minus its second derivative, averaged over the posterior, at least 0.

    Parameters
    ----------
    log_likelihood, posterior : (*batch, C, G) float
    nodes : (G,) float
        Evenly spaced.

    Returns
    -------
    (*batch, C) float
    """
    step = nodes[1] - nodes[0]
    bend = (2.0 * log_likelihood[..., 1:-1] - log_likelihood[..., 2:] - log_likelihood[..., :-2]) / step**2
    inner = posterior[..., 1:-1]
    weight = np.sum(inner, axis=-1)
    return np.asarray(np.maximum(np.sum(inner * bend, axis=-1) / np.where(weight > 0, weight, 1.0), 0.0))


def covariance(latent: Latent, log_likelihood: Floats, posterior: Floats, nodes: Floats) -> Floats:
    """Covariance of the abilities given the answers, with the exact variances on its diagonal.

    D (R^-1 + diag(J))^-1 D, where R are the correlations of the population, J the curvatures and D rescales the sds to
    those of the exact posterior. It is computed as R - R (R + diag(1 / J))^-1 R, which allows J = 0.

    Parameters
    ----------
    latent : Independent or LatentTree
    log_likelihood : (*batch, C, G) float
        Of the answers in each competence.
    posterior : (*batch, C, G) float
        Exact, from :func:`engine.latent.posterior`.
    nodes : (G,) float
        Evenly spaced.

    Returns
    -------
    (*batch, C, C) float
    """
    prior = correlations(latent)
    root = np.sqrt(curvature(log_likelihood, posterior, nodes))
    middle = root[..., :, None] * prior * root[..., None, :] + np.eye(prior.shape[0])
    half = root[..., :, None] * prior
    normal = prior - np.swapaxes(half, -1, -2) @ np.linalg.solve(middle, half)
    mean = posterior @ nodes
    variance = np.maximum(posterior @ nodes**2 - mean**2, 0.0)
    scale = np.sqrt(variance / np.maximum(np.diagonal(normal, axis1=-2, axis2=-1), SMALLEST))
    return np.asarray(scale[..., :, None] * normal * scale[..., None, :])


def covariance_of(values: Floats, others: Floats, posterior: Floats, covariance: Floats, nodes: Floats) -> Floats:
    """Covariance of two sums over the competences of functions of their abilities.

    Within a competence it is exact. Between competences k and l it is the product of the regression slopes of the
    functions on ability, times the covariance of the abilities.

    Parameters
    ----------
    values, others : (*batch, C, G) float
        Functions of the ability in each competence.
    posterior : (*batch, C, G) float
    covariance : (*batch, C, C) float
        Of :func:`covariance`.
    nodes : (G,) float

    Returns
    -------
    (*batch,) float
    """
    one, other = (v - np.sum(posterior * v, axis=-1, keepdims=True) for v in (values, others))
    ability = nodes - (posterior @ nodes)[..., None]
    variance = np.maximum(np.sum(posterior * ability**2, axis=-1), SMALLEST)
    slope, slope_of_other = (np.sum(posterior * v * ability, axis=-1) / variance for v in (one, other))
    within = np.sum(posterior * one * other, axis=(-2, -1))
    whole = np.einsum("...k,...kl,...l->...", slope, covariance, slope_of_other)
    own = np.sum(slope * slope_of_other * np.diagonal(covariance, axis1=-2, axis2=-1), axis=-1)
    return np.asarray(within + whole - own)
